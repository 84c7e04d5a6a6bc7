"""The ranges that minimal margins are counted in; each holds its lower limit."""

from __future__ import annotations

from dataclasses import dataclass

from planner.report.answer import band as style_of


@dataclass(frozen=True, slots=True)
class Band:
    """A range of margins, mm: from `low_mm` to below `high_mm` (None: without end)."""

    name: str
    words: str
    low_mm: float | None
    high_mm: float | None

    def holds(self, margin_mm: float) -> bool:
        """Return whether a margin lies in it."""
        above = self.low_mm is None or margin_mm >= self.low_mm
        return above and (self.high_mm is None or margin_mm < self.high_mm)

    @property
    def style(self) -> str:
        """Return the name of its colour in the style sheet."""
        return style_of(-1.0 if self.low_mm is None else self.low_mm)


BANDS = (
    Band("below_0", "below 0 mm (not covered)", None, 0.0),
    Band("0_to_5", "0 to below 5 mm", 0.0, 5.0),
    Band("5_to_10", "5 to below 10 mm", 5.0, 10.0),
    Band("from_10", "10 mm and more", 10.0, None),
)
"""From the worst up, without a gap."""


def band_of(margin_mm: float) -> Band:
    """Return the band of a margin."""
    return next(band for band in BANDS if band.holds(margin_mm))
