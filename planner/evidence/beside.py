"""What stands beside a lesion's relative hazard: validity, the relation's own doubt, size, other figures, a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.evidence.baseline import Absolute, Baseline
from planner.evidence.comparison import Compared, Comparison
from planner.evidence.hazard import Hazard, RelativeHazard
from planner.evidence.population import Flag, Setting, flags_of
from planner.evidence.ratio import PerStep, RatioInterval
from planner.evidence.size import SizeFactor

NO_BASELINE = "no baseline cohort was named: there is no absolute rate without one"
NO_SIZE = "the tumour has no diameter, or the relation has no term of size"
NO_RATIO = "there is no relative hazard for it to stand beside"


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a relative hazard; nothing here changes it.

    Parameters
    ----------
    per_step
        The default relation's ratio with its own interval.
    flags
        On which points the case differs from those in whom the default relation was found, or may.
    model_interval
        The relative hazard with the ends of the relation's own interval, at the margin as measured.
    size
        What the same regression says of the tumour's size.
    others
        Other published figures at this margin.
    absolute
        What the named cohort observed; None where no cohort was named.
    """

    per_step: PerStep
    flags: tuple[Flag, ...]
    model_interval: RatioInterval | None
    size: SizeFactor | None
    others: tuple[Compared, ...]
    absolute: Absolute | None


def beside(
    hazard: Hazard,
    risk: RelativeHazard,
    comparisons: Sequence[Comparison],
    baseline: Baseline | None,
    setting: Setting,
    *,
    margin_mm: float | None,
    ci95_mm: tuple[float, float] | None,
    diameter_mm: float | None,
) -> Beside:
    """Return what stands beside the relative hazard of a lesion.

    Parameters
    ----------
    hazard, risk
        The default relation, and what it says of the lesion.
    comparisons, baseline
        Other figures, and the cohort that a user named.
    setting
        What was entered about the case.
    margin_mm, ci95_mm, diameter_mm
        Minimal margin, + covered, its 95 % interval, and the longest axial diameter; None where unknown.
    """
    sized = hazard.size is not None and diameter_mm is not None and risk.relative_hazard is not None
    return Beside(
        hazard.per_step,
        flags_of(hazard.population, risk.population, setting),
        hazard.model_interval(margin_mm),
        hazard.size.at(diameter_mm) if sized and hazard.size is not None and diameter_mm is not None else None,
        tuple(comparison.at(margin_mm, ci95_mm, setting) for comparison in comparisons),
        None if baseline is None else baseline.at(margin_mm, ci95_mm, setting),
    )
