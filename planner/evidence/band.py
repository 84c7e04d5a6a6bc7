"""A class of margins as a paper prints it: its ends, which of them belong to it, and its words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Band:
    """Margins between two ends, mm; None is no end. `low_in` and `high_in`: whether the end itself belongs to it."""

    low_mm: float | None
    high_mm: float | None
    low_in: bool = True
    high_in: bool = True

    def holds(self, margin_mm: float) -> bool:
        """Return whether a margin lies in it; nothing is rounded before it is compared."""
        return not self._above(margin_mm) and not self._below(margin_mm)

    def touches(self, interval_mm: tuple[float, float]) -> bool:
        """Return whether an interval, low then high, shares a margin with it."""
        return not self._below(interval_mm[1]) and not self._above(interval_mm[0])

    @property
    def words(self) -> str:
        """Return it as printed: "< 5 mm", "1 to 5 mm", "0 mm"."""
        low, high = self.low_mm, self.high_mm
        if low is None:
            return "any margin" if high is None else f"{'<=' if self.high_in else '<'} {high:g} mm"
        if high is None:
            return f"{'>=' if self.low_in else '>'} {low:g} mm"
        return f"{low:g} mm" if low == high else f"{low:g} to {high:g} mm"

    def _below(self, margin_mm: float) -> bool:
        """Return whether a margin lies below it."""
        return self.low_mm is not None and (margin_mm < self.low_mm or (margin_mm == self.low_mm and not self.low_in))

    def _above(self, margin_mm: float) -> bool:
        """Return whether a margin lies above it."""
        if self.high_mm is None:
            return False
        return margin_mm > self.high_mm or (margin_mm == self.high_mm and not self.high_in)
