"""A plan as a value: needles with their zones, what each lesion's plan holds, and what a plan is made with."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.assess import AssessSettings
from planner.assessment import Assessment
from planner.case import Case
from planner.measure.liver import ClosedLiver
from planner.plan.course import Course
from planner.plan.needle import Needle
from planner.plan.robust import Robustness, Spread
from planner.plan.setting import Setting
from planner.plan.slices import Slices


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What one zone of a setting could do for a lesion, at its best placement.

    Parameters
    ----------
    setting
        The setting.
    scale
        By how much its zone would have to be scaled to hold the tumour with the margin asked for: at most 1 if it does.
    largest_mm
        The largest margin that one zone of it attains; None where it does not even hold the tumour.
    """

    setting: Setting
    scale: float
    largest_mm: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Shortfall:
    """By how much the zones of a plan fall short of a target.

    Parameters
    ----------
    uncovered_ml
        Volume of the tumour grown by the margin asked for, within the liver, outside the zones.
    uncovered_share
        The same over that volume.
    where
        Direction from the tumour's centroid to the middle of what is uncovered; None where nothing is.
    """

    uncovered_ml: float
    uncovered_share: float
    where: str | None


@dataclass(frozen=True, slots=True, eq=False)
class PlannedLesion:
    """The plan of one lesion.

    `slices` tell what is covered slice by slice of the planning scan. `trials` are empty where the zones were given;
    `robustness` is None with a reason where it cannot be told. Where nothing can be told, as where the scan ends in the
    tumour, `shortfall` is None for the same reason, and `slices` and `trials` are empty.
    """

    lesion_id: str
    asked_mm: float
    needles: tuple[Needle, ...]
    shortfall: Shortfall | None
    slices: Slices
    trials: tuple[Trial, ...] = ()
    robustness: Robustness | None = None
    why_not_robust: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The plan of a case.

    Parameters
    ----------
    case
        Its `pre` is the planning scan, its `post` the same with the planned zones.
    assessment
        The planned zones, measured as a review measures those that were made.
    lesions
        The plan of each lesion.
    spread
        What it was tried against.
    courses
        How each needle runs, in the order of the needles.
    liver
        The closed liver, beyond which there is no target; None where it is not known.
    """

    case: Case
    assessment: Assessment
    lesions: tuple[PlannedLesion, ...]
    spread: Spread
    courses: tuple[Course, ...] = ()
    liver: ClosedLiver | None = None

    @property
    def needles(self) -> tuple[Needle, ...]:
        """Every needle, by the number of its zone."""
        found = (needle for lesion in self.lesions for needle in lesion.needles)
        return tuple(sorted(found, key=lambda needle: int(needle.zone_id)))


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What a plan is made with.

    Parameters
    ----------
    asked_mm
        The margin asked for.
    spread
        What it is tried against; its `radius_sd_mm` holds where a setting states none of its own.
    assess
        What measuring assumes.
    """

    asked_mm: float = 5.0
    spread: Spread = field(default_factory=Spread)
    assess: AssessSettings = field(default_factory=AssessSettings)
