"""A paper as PDF, set by typst: tagged, its fonts embedded, the same bytes for the same paper."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.bundled import text
from pipelines.figures.style import BANDS
from planner.report.blocks import Paper, document, with_texts
from planner.report.figure import Figure
from planner.report.impression import BANDS as BAND_NAMES

TEMPLATE = "report.typ"
FONT_FILES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"
"""Follows words that are read from the right, so that a number behind them stays there."""

_RIGHT_TO_LEFT = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]+(?: +[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]+)*"
)
_SUFFIXES = {"image/png": "png", "image/svg+xml": "svg"}


class PaperError(Exception):
    """No PDF could be made; the message says why, without paths."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A report as PDF, or a sentence that says why there is none."""

    pdf: bytes | None
    why_not: str = ""


def printed(paper: Paper, figures: Iterable[Figure]) -> Printed:
    """Return a paper as PDF, or why it could not be made: a review is not lost over its paper."""
    try:
        return Printed(pdf_of(paper, figures))
    except PaperError as error:
        return Printed(None, f"There is no report.pdf: {error}.")


def pdf_of(paper: Paper, figures: Iterable[Figure]) -> bytes:
    """Return a paper as PDF/UA-1.

    Parameters
    ----------
    paper
        What it says; its pictures are named.
    figures
        The pictures.

    Raises
    ------
    PaperError
        Typst is not installed, its font is not, or it could not set the paper.
    """
    try:
        return _set(with_texts(document(paper), partial(fitted, known=_known_characters())), figures)
    except ImportError as error:
        raise PaperError("the typesetter typst, or what it needs, cannot be loaded") from error
    except (OSError, RuntimeError, ValueError) as error:
        # What the typesetter says may quote the paper, which may name the patient.
        raise PaperError(f"the typesetter could not set the paper ({type(error).__name__})") from error
    except BaseException as error:
        # A panic of the typesetter, which is written in Rust, is no Exception; interrupts are none either, and go on.
        if type(error).__name__ != "PanicException":
            raise
        raise PaperError("the typesetter broke down") from error


def _set(said: dict[str, object], figures: Iterable[Figure]) -> bytes:
    import typst

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_font_folder())])
    with TemporaryDirectory(prefix="ablation_paper_") as folder:
        said["pictures"] = _written(figures, Path(folder))
        said["colours"] = {name: band.colour for name, band in zip(BAND_NAMES, BANDS, strict=True)}
        main = Path(folder) / TEMPLATE
        main.write_text(text(TEMPLATE), encoding="utf-8")
        return typst.compile(
            main,
            root=Path(folder),
            font_paths=fonts,
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=["ua-1"],
            sys_inputs={"paper": json.dumps(said, allow_nan=False)},
        )


def fitted(said: str, known: frozenset[int]) -> str:
    """Return text with every character that no font draws replaced, and words read from the right kept apart."""
    drawn = "".join(character if ord(character) in known else UNKNOWN for character in said)
    return _RIGHT_TO_LEFT.sub(rf"\g<0>{LEFT_TO_RIGHT}", drawn)


def _written(figures: Iterable[Figure], folder: Path) -> dict[str, str]:
    """Write pictures into a folder, and return the path of each by the figure's name, as typst takes it."""
    found = {}
    for place, figure in enumerate(figures):
        name = f"picture_{place}.{_SUFFIXES[figure.media_type]}"
        (folder / name).write_bytes(figure.content)
        found[figure.name] = f"/{name}"
    return found


def _font_folder() -> Path:
    import matplotlib as mpl

    return Path(mpl.get_data_path()) / "fonts" / "ttf"


@cache
def _known_characters() -> frozenset[int]:
    """Return the characters that the upright and the bold font both draw."""
    from matplotlib.ft2font import FT2Font

    fonts = [_font_folder() / name for name in FONT_FILES]
    for font in fonts:
        if not font.is_file():
            raise PaperError(f"the font {font.name} is not installed")
    return frozenset.intersection(*(frozenset(FT2Font(str(font)).get_charmap()) for font in fonts))
