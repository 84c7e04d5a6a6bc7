"""A paper as PDF, set by typst: tagged, its fonts embedded, the same bytes for the same paper."""

from __future__ import annotations

import json
from collections.abc import Iterable
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
BREAK = "\N{ZERO WIDTH SPACE}"
LONGEST_WORD = 16
"""Characters after which a word without a hyphen or a space may go on in the next line."""

_SUFFIXES = {"image/png": "png", "image/svg+xml": "svg"}


class PaperError(Exception):
    """No PDF could be made; the message says why, without paths."""


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
    """Return text with every character that no font draws replaced, and places in long words where a line may end."""
    return breakable("".join(c if ord(c) in known else UNKNOWN for c in said))


def breakable(said: str) -> str:
    """Return text whose long words hold a zero-width space after every so many characters."""
    return " ".join(
        BREAK.join(word[n : n + LONGEST_WORD] for n in range(0, len(word), LONGEST_WORD)) for word in said.split(" ")
    )


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
