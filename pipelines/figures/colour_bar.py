"""The key of the margin's bands: colour, hatching, numbers, and what the sign means."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from pipelines.figures import style
from planner.measure.margin import THRESHOLDS_MM

HEIGHT_IN = 0.62
"""Room that a bar takes with its numbers and words."""

_BOX_IN = 0.17
_TEXT_PT = 8.5


def add_colour_bar(
    figure: Canvas, left_in: float, bottom_in: float, width_in: float, above: Sequence[str] = ()
) -> None:  # fmt: skip
    """Draw the four bands side by side with the limits between them and the sign convention below.

    Parameters
    ----------
    figure
        What it is drawn on.
    left_in, bottom_in, width_in
        Its place, inches from the lower left corner.
    above
        What is printed in each band, from the lowest to the highest.
    """
    wide_in, high_in = figure.get_size_inches()
    each = width_in / len(style.BANDS)

    def say(x_in: float, y_in: float, words: str, ha: str = "center", weight: str = "normal") -> None:
        figure.text(x_in / wide_in, y_in / high_in, words, fontsize=_TEXT_PT, ha=ha, va="center", fontweight=weight,
                    color=style.INK)  # fmt: skip

    box_in = bottom_in + 0.36
    for n in range(len(style.BANDS)):
        x_in = left_in + n * each
        figure.add_artist(style.hatched(
            Rectangle((x_in / wide_in, box_in / high_in), each / wide_in, _BOX_IN / high_in,
                      transform=figure.transFigure, linewidth=0.6), n))  # fmt: skip
        if n:
            say(x_in, bottom_in + 0.27, f"{THRESHOLDS_MM[n - 1]:g} mm", weight="bold")
        if n < len(above):
            say(x_in + each / 2, box_in + _BOX_IN + 0.1, above[n])
    say(left_in + each - 0.28, bottom_in + 0.08, f"◀ {style.NEGATIVE}", "right")
    say(left_in + each + 0.28, bottom_in + 0.08, f"{style.POSITIVE} ▶", "left")
