"""Colours, windows and encoding that all pictures share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Patch

from planner.volume import Volume

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

DPI = 110

INK = "#1a1a1a"

THIN_SPOT, THIN_SPOT_RIM = "#FFFFFF", "#000000"
"""Ring and arrow at the thin spot: white with a black rim, so that they show on every scan and in every band."""


@dataclass(frozen=True, slots=True)
class Band:
    """A range of margins with its colour (Okabe-Ito), words and hatching: from the band before it up to `below_mm`."""

    below_mm: float
    colour: str
    words: str
    hatch: str


BANDS = (
    Band(0.0, "#D55E00", "below 0 mm (not covered)", "xxxx"),
    Band(5.0, "#F0E442", "0 to below 5 mm", "////"),
    Band(10.0, "#56B4E9", "5 to below 10 mm", "--"),
    Band(np.inf, "#009E73", "10 mm and more", ""),
)
"""The less margin, the more ink: hatching tells bands apart where colours cannot, as in a grey print."""

NO_MARGIN = "#d9d9d9"
"""Where there is nothing to draw a band of: no surface, or none with unablated liver left to measure to."""

HATCH_INK = "#333333"
HATCH_PT = 0.75

NEGATIVE, POSITIVE = "negative: not covered on these images", "positive: covered"
"""What the sign of a margin means, for a colour bar."""


def hatched(patch: Patch, place: int) -> Patch:
    """Return a patch in the colour and hatching of the band of that place in `BANDS`."""
    patch.set(facecolor=BANDS[place].colour, hatch=BANDS[place].hatch, edgecolor=HATCH_INK)
    patch.set_hatch_linewidth(HATCH_PT)
    return patch


@dataclass(frozen=True, slots=True)
class Stroke:
    """How an outline is drawn: colour and dashes both tell it apart; `rim` is how opaque its dark rim is."""

    words: str
    colour: str
    dashes: tuple[float, ...]
    width: float = 1.4
    rim: float = 0.45

    @property
    def linestyle(self) -> Literal["-"] | tuple[float, tuple[float, ...]]:
        """Return the dashes as matplotlib takes them."""
        return (0.0, self.dashes) if self.dashes else "-"


TUMOUR = Stroke("tumour of PRE, moved", "#FFFFFF", (), rim=0.8)
ZONE = Stroke("ablation zone", "#E69F00", (4.0, 2.0), 1.6, rim=0.6)
VESSEL = Stroke("vessels", "#CC79A7", (5.0, 1.5, 1.0, 1.5))
DUCT = Stroke("bile ducts", "#B9A3FF", (1.0, 1.0), 1.8)
LIVER = Stroke("liver", "#D3D3D3", (1.0, 2.2))
LIVER_PRE = Stroke("liver of PRE, moved", "#D2B48C", (8.0, 3.0))
EDGE = Stroke("edges in PRE, moved", "#FF66C4", (), 1.0, rim=0.0)

STROKES = (TUMOUR, ZONE, LIVER, VESSEL, DUCT, LIVER_PRE, EDGE)
"""Every stroke, in the order of a legend: for stills, viewer and legends. None has the colour of a band, no two have
one colour, and no two dashed ones the same dashes."""

TUMOUR_HERE = Stroke("tumour", "#FFFFFF", (), rim=0.8)
TARGET = Stroke("target", "#FFB3D9", (2.0, 1.6), 1.3)
PLANNED_ZONE = Stroke("planned zone", "#E69F00", (4.0, 2.0), 1.6, rim=0.6)
MADE_ZONE = Stroke("zone made before", "#C4A484", (6.0, 1.2), 1.4)
NEEDLE = Stroke("needle", "#B8FFF0", (), 2.0, rim=0.8)
UNCOVERED = Stroke("target in no zone", "#FF3D9A", (), 4.0, rim=0.0)

PLAN_STROKES = (TUMOUR_HERE, TARGET, UNCOVERED, PLANNED_ZONE, MADE_ZONE, NEEDLE, LIVER, VESSEL, DUCT)
"""Every stroke of a plan's pictures, in the order of a legend: they show one study, and nothing is moved."""


def band_of(margin_mm: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the place in `BANDS` of each margin."""
    return np.digitize(np.asarray(margin_mm, dtype=np.float64), [band.below_mm for band in BANDS[:-1]])


@dataclass(frozen=True, slots=True)
class Window:
    """The range of image values that is spread from black to white."""

    low: float
    high: float
    words: str

    def grey(self, values: npt.ArrayLike) -> FloatArray:
        """Return values as grey from 0 to 1; not a number stays so."""
        return np.clip((np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low), 0.0, 1.0)


def window_of(image: Volume) -> Window:
    """Return the window to show an image in: width 400, level 40 HU for CT, else its own range."""
    if image.modality in {"", "CT"}:
        return Window(-160.0, 240.0, "Window 400, level 40 HU")
    low, high = np.percentile(image.voxels_kji[::4, ::4, ::4], (1.0, 99.0))
    return Window(float(low), float(max(high, low + 1.0)), "Window from the 1st to the 99th percentile")


def canvas(width_in: float, height_in: float) -> Canvas:
    """Return an empty figure that belongs to no window system and no global state."""
    figure = Canvas(figsize=(width_in, height_in), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def sign(figure: Canvas, label: str) -> None:
    """Write a label into the upper right corner of a picture, so that it stays with the picture."""
    figure.text(0.995, 0.995, label, ha="right", va="top", fontsize=8, color="black")
