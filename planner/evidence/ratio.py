"""A published ratio per step of a length, with its own interval, and what that gives between two lengths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

Origin = Literal["published", "back_calculated"]

ORIGINS: dict[Origin, str] = {
    "published": "published",
    "back_calculated": "back-calculated from the p-value, not published",
}
"""Where the interval of a ratio comes from, in words."""

NO_INTERVAL = "its interval was not available to us"


@dataclass(frozen=True, slots=True)
class RatioInterval:
    """A 95 % interval of a ratio, low then high, and where it comes from."""

    low_ratio: float
    high_ratio: float
    origin: Origin


@dataclass(frozen=True, slots=True)
class PerStep:
    """A ratio per `step_mm` of a length, multiplied with each step; `ci95` is None where none was available to us."""

    ratio: float
    step_mm: float
    ci95: RatioInterval | None = None

    def between(self, length_mm: float, reference_mm: float) -> float:
        """Return the ratio at a length, mm, against that at the reference."""
        return float(self.ratio ** ((length_mm - reference_mm) / self.step_mm))

    def interval_between(self, length_mm: float, reference_mm: float) -> RatioInterval | None:
        """Return the same with both ends of the ratio's own interval; it has no width at the reference."""
        if self.ci95 is None:
            return None
        steps = (length_mm - reference_mm) / self.step_mm
        low, high = sorted((self.ci95.low_ratio**steps, self.ci95.high_ratio**steps))
        return RatioInterval(float(low), float(high), self.ci95.origin)


def wald_interval(ratio: float, p_value: float) -> tuple[float, float]:
    """Return the 95 % interval that a ratio and its two-sided p-value imply, if a Wald test gave the p-value."""
    normal = NormalDist()
    se = abs(math.log(ratio)) / normal.inv_cdf(1.0 - p_value / 2.0)
    half = normal.inv_cdf(0.975) * se
    return math.exp(math.log(ratio) - half), math.exp(math.log(ratio) + half)
