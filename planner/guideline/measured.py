"""What a rule is given: a measured value with its doubt, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from types import MappingProxyType

from planner.errors import UsageError
from planner.findings import Bound

SURE = 0.025
"""A chance below this, or above 1 less this, is taken to be sure: what a 95 % interval leaves out on one side."""

_Z_95 = NormalDist().inv_cdf(1.0 - SURE)


@dataclass(frozen=True, slots=True)
class Measured:
    """A value of a registered quantity.

    Parameters
    ----------
    value, unit
        The value in the quantity's unit; None where it is unknown.
    ci95
        Its 95 % interval.
    p_at_least
        Probability that it is at least the key, where this is known better than from the interval.
    reason
        Why the value is None, or why it is a bound only.
    bound
        "at_most": the true value may be lower, for example because a structure that may lie nearer has no mask.
    applies
        Whether it can be asked at all, as of `Finding`.
    tried
        Whether `p_at_least` comes from trying a plan against what may differ from it: that is more than the interval
        holds, so that a chance that is neither nearly 0 nor nearly 1 makes an edge unsure, wherever the interval ends.
    """

    value: float | None
    unit: str
    ci95: tuple[float, float] | None = None
    p_at_least: Mapping[float, float] = field(default_factory=dict)
    reason: str | None = None
    bound: Bound = "exact"
    applies: bool = True
    tried: bool = False

    def __post_init__(self) -> None:
        """Check that numbers are numbers and that what is unknown has a reason."""
        numbers = [number for number in (self.value, *(self.ci95 or ())) if number is not None]
        if not all(math.isfinite(number) for number in numbers):
            raise UsageError(f"measured {self.value} {self.unit}, interval {self.ci95}: expected finite numbers")
        if self.ci95 is not None and self.ci95[0] > self.ci95[1]:
            raise UsageError(f"interval {self.ci95} {self.unit}: expected its low end first")
        if not self.reason and (self.value is None or self.bound != "exact"):
            raise UsageError("a value that is unknown or only bounded needs a reason")
        object.__setattr__(self, "p_at_least", MappingProxyType(dict(self.p_at_least)))

    @property
    def span(self) -> tuple[float, float]:
        """Return the interval, widened to hold the value itself; just the value where there is no interval."""
        value = 0.0 if self.value is None else self.value
        low, high = self.ci95 or (value, value)
        return min(low, value), max(high, value)

    def unsure_at(self, edge: float) -> bool:
        """Return whether trying a plan left open on which side of an edge the value will lie (2.5 to 97.5 %)."""
        return self.tried and SURE < self.p_at_least.get(edge, 0.0) < 1.0 - SURE

    def probability_at_least(self, edge: float) -> float | None:
        """Return the probability of reaching an edge: as given, else normal about the middle of the interval."""
        if edge in self.p_at_least:
            return self.p_at_least[edge]
        if self.ci95 is None or self.bound != "exact":
            return None
        low, high = self.ci95
        if low == high:
            return float(low >= edge)
        return 1.0 - NormalDist((low + high) / 2.0, (high - low) / 2.0 / _Z_95).cdf(edge)


def nearest_of(
    distances: Mapping[str, Measured], required: Sequence[str], optional: Sequence[str] = (), unit: str = "mm"
) -> Measured:
    """Return the distance to the nearest of several structures.

    Parameters
    ----------
    distances
        By structure; one without a mask is left out or unknown.
    required, optional
        Structures that count. Where a required one is unknown, it may be the nearest: the result is a bound.
    """
    counted = (*required, *optional)
    known = {name: distances[name] for name in counted if name in distances and distances[name].value is not None}
    absent = [_absence(name, distances.get(name)) for name in required if name not in known]
    if not known:
        return Measured(None, unit, reason="; ".join(absent) or "no such structure was given")
    values = [m.value for m in known.values() if m.value is not None]
    intervals = [m.ci95 for m in known.values() if m.ci95 is not None]
    ci95 = (min(i[0] for i in intervals), min(i[1] for i in intervals)) if len(intervals) == len(known) else None
    reasons = [*absent, *(f"{name}: {m.reason}" for name, m in known.items() if m.bound != "exact")]
    return Measured(min(values), unit, ci95, {}, "; ".join(reasons) or None, "at_most" if reasons else "exact")


def _absence(name: str, found: Measured | None) -> str:
    return f"{name.replace('_', ' ')}: {found.reason if found else 'no mask'}"
