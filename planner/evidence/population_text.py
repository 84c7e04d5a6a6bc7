"""Population and ratios as tables of an evidence file, and what a malformed one is refused for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from planner.errors import EvidenceError
from planner.evidence.document import Table
from planner.evidence.population import Method, Population
from planner.evidence.ratio import Origin, RatioInterval, wald_interval

Pair = Annotated[list[float], Field(min_length=2, max_length=2)]

_PRINTED = 0.0051
"""What rounding to two digits may change."""


class PopulationTable(Table):
    """Whom a figure was found in; what is left out is not known to us."""

    primary: list[str] = Field(min_length=1)
    modality: list[str] = Field(default_factory=list)
    scan_days: Pair | None = None
    method: Method | None = None
    patients: int | None = Field(default=None, gt=0)
    lesions: int | None = Field(default=None, gt=0)
    note: str = ""

    def population(self, place: str) -> Population:
        """Return the population; `place` names the entry in errors.

        Raises
        ------
        EvidenceError
            The scan days are upside down.
        """
        days = None if self.scan_days is None else ordered(self.scan_days, f"{place}: scan_days", equal=True)
        return Population(
            tuple(self.primary), tuple(self.modality), days, self.method, self.patients, self.lesions, self.note
        )


class RatioTable(Table):
    """A ratio with its own interval: as published, or as its p-value implies."""

    ratio: float = Field(gt=0)
    ci95: Pair | None = None
    ci95_origin: Origin | None = None
    p_value: float | None = Field(default=None, gt=0, lt=1)

    def interval(self, place: str) -> RatioInterval | None:
        """Return the ratio's own interval.

        Raises
        ------
        EvidenceError
            It has no origin, does not hold the ratio, or is not what the p-value implies though it says so.
        """
        if (self.ci95 is None) != (self.ci95_origin is None):
            raise EvidenceError(f"{place}: ci95 and ci95_origin are stated together or not at all")
        if self.ci95 is None or self.ci95_origin is None:
            return None
        low, high = ordered(self.ci95, f"{place}: ci95")
        if not low <= self.ratio <= high or low <= 0:
            raise EvidenceError(f"{place}: ci95 is {low:g} to {high:g}, expected it to hold the ratio {self.ratio:g}")
        if self.ci95_origin == "back_calculated":
            self._require_implied((low, high), place)
        return RatioInterval(low, high, self.ci95_origin)

    def _require_implied(self, stated: tuple[float, float], place: str) -> None:
        if self.p_value is None:
            raise EvidenceError(f"{place}: p_value is missing, from which ci95 is back-calculated")
        implied = wald_interval(self.ratio, self.p_value)
        if any(abs(one - other) > _PRINTED for one, other in zip(stated, implied, strict=True)):
            said = f"{stated[0]:g} to {stated[1]:g}, the p-value implies {implied[0]:.2f} to {implied[1]:.2f}"
            raise EvidenceError(f"{place}: ci95 is {said}")


def ordered(values: list[float], place: str, *, equal: bool = False) -> tuple[float, float]:
    """Return a pair, low end first; `equal`: both ends may be the same.

    Raises
    ------
    EvidenceError
        The high end comes first.
    """
    low, high = values
    if low > high or (low == high and not equal):
        raise EvidenceError(f"{place} is {low:g}, {high:g}, expected the low end first")
    return low, high
