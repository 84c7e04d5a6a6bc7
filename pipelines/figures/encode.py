"""A drawn picture as bytes: SVG whose lines and text are vector and whose scans are small pictures inside it."""

from __future__ import annotations

import base64
import re
from html import escape
from io import BytesIO, StringIO

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from PIL import Image

from planner.report.figure import Figure

SVG = "image/svg+xml"

DECIMALS = 2
"""Coordinates are written to a hundredth of a point (72 a inch)."""

_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_MOST_COLOURS = 256
_PROLOGUE = re.compile(r"\A.*?(?=<svg )", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_PATH = re.compile(r' d="[^"]*"')
_PLACED = re.compile(r' (?:x|y)="-?\d+\.\d{3,}"')
_EMBEDDED = re.compile(r'data:image/png;base64,([^"]*)')


def encoded(
    canvas: Canvas, name: str, caption: str, alt: str, *, kind: str, lesion_id: str | None = None
) -> Figure:  # fmt: skip
    """Return a drawn picture as a figure of a report, as SVG that holds its own name, caption and text alternative.

    Parameters
    ----------
    canvas
        What is drawn.
    name, caption, alt, kind, lesion_id
        As of `planner.report.figure.Figure`.
    """
    described = _described(svg_text(canvas), name, caption, alt)
    return Figure(name, caption, alt, SVG, described.encode("utf-8"), lesion_id, kind)


def svg_text(canvas: Canvas) -> str:
    """Return a drawn picture as an SVG document without dates, versions or comments: the same text every time.

    Text is drawn as paths, so that no font is needed to read it.
    """
    stream = StringIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "ablation-planner", "svg.image_inline": True}):
        FigureCanvasSVG(canvas).print_svg(stream, metadata=_NO_METADATA)  # type: ignore[no-untyped-call]  # untyped in matplotlib
    document = _METADATA.sub("", _COMMENT.sub("", _PROLOGUE.sub("", stream.getvalue(), count=1)))
    document = _PATH.sub(lambda path: _NUMBER.sub(_rounded, path.group()).replace("\n", ""), document)
    document = _PLACED.sub(lambda place: _NUMBER.sub(_rounded, place.group()), document)
    return _EMBEDDED.sub(_smaller, document)


def _described(document: str, name: str, caption: str, alt: str) -> str:
    """Return an SVG document with its name as its id, and its words as title and description."""
    start = document.index(">") + 1
    head = document[:start].replace("<svg ", f'<svg id="{_text(name)}" role="img" ', 1)
    return f"{head}\n <title>{_text(alt)}</title>\n <desc>{_text(caption)}</desc>{document[start:]}"


def _text(words: str) -> str:
    """Return words as text of an XML document: markup escaped, and characters that it may not hold replaced."""
    return escape("".join(c if c.isprintable() or c == "\n" else "�" for c in words))


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number.group()):.{DECIMALS}f}".rstrip("0").rstrip(".")


def _smaller(embedded: re.Match[str]) -> str:
    """Return an embedded picture with one byte a pixel where that loses nothing."""
    with Image.open(BytesIO(base64.b64decode(embedded.group(1)))) as opened:
        pixels = np.asarray(opened.convert("RGBA"))
    stream = BytesIO()
    _with_fewest_bytes(pixels).save(stream, format="PNG", optimize=False, compress_level=9)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _with_fewest_bytes(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Image.Image:
    opaque = bool((pixels[..., 3] == 255).all())
    if opaque and bool((np.ptp(pixels[..., :3], axis=2) == 0).all()):
        return Image.fromarray(pixels[..., 0])
    codes = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
    colours, places = np.unique(codes, return_inverse=True)
    if not opaque or len(colours) > _MOST_COLOURS:
        return Image.fromarray(pixels[..., :3] if opaque else pixels)
    indexed = Image.fromarray(places.reshape(codes.shape).astype(np.uint8))
    indexed.putpalette(colours.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
    return indexed
