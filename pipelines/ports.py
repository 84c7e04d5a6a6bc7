"""What the workflow needs of the world: verbs that adapters provide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from planner.assessment import Assessment
from planner.case import Case
from planner.plan.kept import NOTHING_KEPT, Kept
from planner.plan.needle import Needle
from planner.plan.plan import Plan
from planner.register.given import Given
from planner.register.landmarks import Landmarks
from planner.report.figure import Figure

Observe = Callable[[str, float], None]
"""Progress: (what is being done, fraction done from 0 to 1)."""

ReportVolume = Literal["none", "roi", "full"]
"""What a report holds of both images: nothing, a region around each lesion, or the whole field of view."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a study is of: PatientName, PatientID and PatientBirthDate as DICOM states them, "" where it does not."""

    name: str
    patient_id: str
    birth_date: str


@dataclass(frozen=True, slots=True, eq=False)
class Intake:
    """A case as read, with the SHA-256 of each input's content, keyed by a name that holds no patient data.

    `given` is the map between the studies where the user has one: then nothing is registered. `landmarks` are pairs of
    points by which any map is held to account. `identities` are the patients that the studies state, by "pre" and
    "post": only where they were asked for. `kept` are zones that were made before those of a plan.
    """

    case: Case
    inputs_sha256: Mapping[str, str]
    given: Given | None = None
    landmarks: Landmarks | None = None
    identities: Mapping[str, Identity] = field(default_factory=dict)
    needles: tuple[Needle, ...] = ()
    kept: Kept = NOTHING_KEPT


class Source(Protocol):
    """Where a case comes from."""

    def read(self, observe: Observe) -> Intake:
        """Return the case.

        Raises
        ------
        planner.errors.InputError
            The study, a mask or the case file cannot be used as it is.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """All that a finished review knows: what is illustrated, rendered and stored."""

    intake: Intake
    assessment: Assessment
    provenance: Mapping[str, object]
    timings_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Pages:
    """The report of a review: the page, and the same on paper or a sentence why it could not be made."""

    html: str
    pdf: bytes | None = None
    no_pdf: str = ""


class Illustrator(Protocol):
    """What draws the pictures of a review."""

    def draw(self, case: Case, assessment: Assessment) -> tuple[Figure, ...]:
        """Return the pictures, lesion by lesion."""
        ...


class Store(Protocol):
    """Where a finished review goes."""

    def prepare(self) -> None:
        """Take back an earlier review of the same case and see that a new one can be kept, before any long work.

        Raises
        ------
        planner.errors.OutputError
            It cannot.
        """
        ...

    def put(self, review: Review, pages: Pages) -> None:
        """Keep the review whole, or not at all.

        Raises
        ------
        planner.errors.OutputError
            It cannot be written there.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FinishedPlan:
    """All that a finished plan knows: what is rendered and stored."""

    intake: Intake
    plan: Plan
    provenance: Mapping[str, object]
    timings_s: Mapping[str, float]


class PlanStore(Protocol):
    """Where a finished plan goes."""

    def prepare(self) -> None:
        """Take back an earlier result of the same folder and see that a new one can be kept, before any long work.

        Raises
        ------
        planner.errors.OutputError
            It cannot.
        """
        ...

    def put_plan(self, finished: FinishedPlan, pages: Pages) -> None:
        """Keep the plan whole, or not at all.

        Raises
        ------
        planner.errors.OutputError
            It cannot be written there.
        """
        ...
