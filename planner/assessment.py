"""What an assessment says: lesions, findings, how the studies were aligned, and what could not be known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from planner.caution import Caution
from planner.evidence.beside import Beside
from planner.evidence.hazard import RelativeHazard
from planner.facts import days_since_ablation
from planner.findings import Finding
from planner.guideline.catalogue import Conflict
from planner.guideline.entry import Shown
from planner.guideline.judge import Judged
from planner.guideline.unlock import Unlocking
from planner.measure.achieved import PlanOutcome
from planner.measure.coverage import Coverage
from planner.measure.margin import Margin
from planner.measure.sensitivity import NOT_MEASURED, Sensitivity
from planner.measure.sizes import Sizes
from planner.measure.tissue import NOT_LOOKED_AT, TissueChange
from planner.register.alignment import Alignment
from planner.timing import UNKNOWN_TIMING, Timing
from planner.treated import UNTREATED, Treatment
from planner.vanished import NO_BASELINE, SinceBaseline

LesionStatus = Literal["assessed", "not_assessable", "not_treated"]
CaseStatus = Literal["assessed", "not_assessable"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is unknown or in doubt: the result's field (None for the whole), a code, and a sentence."""

    field: str | None
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Distance:
    """Distance from the tumour, its zone or a planned needle's shaft to a structure, mm: + apart, - overlapping.

    Parameters
    ----------
    structure, from_, mm
        What was measured; None with a `reason`.
    points_lps_mm
        The nearest pair: the point on the tumour, zone or shaft and the point on the structure, in POST.
    ci95_mm, voxel_sd_mm, registration_sd_mm
        The 95 % interval, and the standard deviations that sampling and registration (0 within one study) add to that
        of the contours.
    calibre_mm, contact_mm
        Of a vessel: its diameter at the nearest point, and the length along which the zone touches or holds it; None
        with a reason.
    """

    structure: str
    from_: Literal["tumour", "ablation", "shaft"]
    mm: float | None
    points_lps_mm: tuple[tuple[float, float, float], tuple[float, float, float]] | None
    ci95_mm: tuple[float, float] | None = None
    voxel_sd_mm: float | None = None
    registration_sd_mm: float | None = None
    calibre_mm: float | None = None
    calibre_reason: str | None = None
    contact_mm: float | None = None
    contact_reason: str | None = None
    reason: str | None = None


PassageKind = Literal["apart", "touches", "passes", "narrow", "one_side", "within", "unknown"]
"""How a vessel passes the ablation zones: it stays apart; runs beside them with its middle outside; goes through and
leaves on both sides; does so, but too narrow; leaves on one side only; lies in them all along; not known."""


@dataclass(frozen=True, slots=True)
class Passage:
    """How a hepatic vein or an inflow passes the ablation zones. To be confirmed by the reader.

    Parameters
    ----------
    vessel, preserved, kind
        Its role; whether its lumen leaves the zones on both sides, None where unknown; and how.
    held_mm
        Length along it on which its middle lies in the zones.
    calibres_mm
        Where it leaves them.
    reason
        Why it is not known, or not preserved.
    """

    vessel: str
    preserved: bool | None
    kind: PassageKind
    held_mm: float = 0.0
    calibres_mm: tuple[float, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LesionAssessment:
    """What was found out about one lesion. Unknown values are None, each with a reason.

    `planned` tells what became of its plan; None where no plan was given.
    """

    lesion_id: str
    status: LesionStatus
    reasons: tuple[Reason, ...]
    zones: tuple[str, ...]
    max_axial_diameter_mm: float | None
    max_diameter_mm: float | None
    tumour_ml: float | None
    ablation_ml: float | None
    registration_error_mm: float | None
    margin: Margin | None
    rigid_min_mm: float | None
    coverage: Coverage | None
    distances: tuple[Distance, ...] = ()
    risk: RelativeHazard | None = None
    tissue: TissueChange = NOT_LOOKED_AT
    sensitivity: tuple[Sensitivity, ...] = NOT_MEASURED
    beside: Beside | None = None
    treatment: Treatment = UNTREATED
    sizes: Sizes | None = None
    planned: PlanOutcome | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """The result of a case: lesions, findings, how PRE and POST were aligned, and what could not be known.

    `facts` holds what was entered, by registered name, without dates; None is not entered. `cautions` come before
    every number. `unlocking` holds facts that would let rules be judged, those that unlock most first.
    `shown` are published numbers and advice beside it, `conflicts` tells by id where sources disagree.
    """

    case_id: str
    patient_key: str
    status: CaseStatus
    reasons: tuple[Reason, ...]
    alignment: Alignment
    lesions: tuple[LesionAssessment, ...]
    findings: tuple[Finding, ...]
    liver_used: Literal["post", "pre", "none"]
    notes: tuple[str, ...] = ()
    judged: tuple[Judged, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    cautions: tuple[Caution, ...] = ()
    timing: Timing = UNKNOWN_TIMING
    unlocking: tuple[Unlocking, ...] = ()
    since_baseline: SinceBaseline = NO_BASELINE
    passages: tuple[Passage, ...] = ()
    shown: tuple[Shown, ...] = ()
    conflicts: Mapping[str, Conflict] = field(default_factory=dict)

    @property
    def days_since_ablation(self) -> float | None:
        """Return the days from the ablation to POST, by the timing of the studies or as entered; None if unknown."""
        known = self.timing.days_since_ablation
        return days_since_ablation(self.facts) if known is None else known
