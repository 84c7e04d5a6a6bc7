"""A drawn picture as bytes: SVG whose lines and text are vector and whose scans are small pictures inside it."""

from __future__ import annotations

import base64
import re
from html import escape
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.transforms import Affine2D
from PIL import Image

from planner.report.figure import Figure

SVG = "image/svg+xml"

POINTS_AN_INCH = 72
DECIMALS = 2
"""Coordinates are written to a hundredth of a point."""

Pixels = npt.NDArray[np.uint8]

_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_MOST_COLOURS = 256
_PROLOGUE = re.compile(r"\A.*?(?=<svg )", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_TOO_FINE = re.compile(rf"(\.\d{{{DECIMALS}}})\d+")
_GROUP_NAME = re.compile(r'<g id="[^"]*"')
_GAP = re.compile(r">\s+<")
_NO_FILL = re.compile(r'fill-opacity:0(?=[;"])')
"""A fill that cannot be seen takes the stroke with it where a PDF is printed."""

_KEPT = r"\1"
_BREAK = "\n"


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
    width, height = canvas.get_size_inches()
    before = canvas.dpi
    canvas.dpi = POINTS_AN_INCH
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "ablation-planner"}):
        renderer = _Renderer(width * POINTS_AN_INCH, height * POINTS_AN_INCH, stream, metadata=_NO_METADATA)  # type: ignore[no-untyped-call]  # untyped in matplotlib
        canvas.draw(renderer)
        renderer.finalize()  # type: ignore[no-untyped-call]  # untyped in matplotlib
    canvas.dpi = before
    return _shortened(_COMMENT.sub("", _METADATA.sub("", _PROLOGUE.sub("", stream.getvalue(), count=1))))


class _Renderer(RendererSVG):
    """Writes SVG with each scan as one small picture of its own pixels, which a viewer may smooth."""

    def draw_image(self, gc: Any, x: float, y: float, im: Any, transform: Any = None) -> None:
        """Write pixels of shape (rows, columns, 4), bytes, whose unit square `transform` takes to the page."""
        rows, columns = im.shape[:2]
        spanned = Affine2D().scale(columns, rows) if transform is None else transform
        to_page = Affine2D().translate(x, y).scale(1, -1).translate(0, self.height)
        (a, c, e), (b, d, f), _ = (Affine2D().scale(1 / columns, 1 / rows) + spanned + to_page).get_matrix()
        opacity = {} if gc.get_alpha() == 1.0 else {"opacity": f"{gc.get_alpha():g}"}
        writer: Any = self.writer  # untyped in matplotlib
        clipped: Any = self._get_clip_attrs  # so is this
        writer.start("g", **(clipped(gc) if gc.get_clip_path()[0] is not None else {}))
        writer.element(
            "image", width=str(columns), height=str(rows), preserveAspectRatio="none",
            transform=f"matrix({' '.join(f'{value:.6g}' for value in (a, b, c, d, e, f))})",
            attrib={"xlink:href": f"data:image/png;base64,{_png_base64(im)}", **opacity},
        )  # fmt: skip
        writer.end("g")


def _shortened(document: str) -> str:
    """Return the same drawing in fewer bytes: coordinates cut to `DECIMALS`, no names that nothing refers to."""
    bare = _GAP.sub("><", _GROUP_NAME.sub("<g", document)).replace("; ", ";").replace(": ", ":")
    bare = _NO_FILL.sub("fill:none", bare)
    head, *paths = bare.split(' d="')
    parts = (path.partition('"') for path in paths)
    return "".join([head, *(f' d="{_short_path(line)}"{rest}' for line, _, rest in parts)])


def _short_path(data: str) -> str:
    """Return the data of a path without what its grammar lets one leave out: lines follow a start unless told."""
    cut = _TOO_FINE.sub(_KEPT, data).replace(_BREAK, "")
    if "Q" not in cut and "C" not in cut:
        cut = cut.replace("L ", "")
    return cut.replace(" M ", "M").replace("M ", "M").replace(" -", "-").strip()


def _described(document: str, name: str, caption: str, alt: str) -> str:
    """Return an SVG document with its name as its id, and its words as title and description."""
    start = document.index(">") + 1
    head = document[:start].replace("<svg ", f'<svg id="{_text(name)}" role="img" ', 1)
    return f"{head}\n <title>{_text(alt)}</title>\n <desc>{_text(caption)}</desc>{document[start:]}"


def _text(words: str) -> str:
    """Return words as text of an XML document: markup escaped, and characters that it may not hold replaced."""
    return escape("".join(c if c.isprintable() or c == "\n" else "�" for c in words))


def _png_base64(rgba: Pixels) -> str:
    """Return pixels as a PNG in base64, with one byte a pixel where that loses nothing."""
    stream = BytesIO()
    _with_fewest_bytes(np.asarray(rgba)).save(stream, format="PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _with_fewest_bytes(rgba: Pixels) -> Image.Image:
    opaque = bool((rgba[..., 3] == 255).all())
    if opaque and bool((rgba[..., 0] == rgba[..., 1]).all() and (rgba[..., 0] == rgba[..., 2]).all()):
        return Image.fromarray(rgba[..., 0])
    codes = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
    colours, places = np.unique(codes, return_inverse=True)
    if len(colours) > _MOST_COLOURS:
        return Image.fromarray(rgba[..., :3] if opaque else rgba)
    indexed = Image.fromarray(places.reshape(codes.shape).astype(np.uint8))
    parts = colours.view(np.uint8).reshape(-1, 4)
    indexed.putpalette(parts[:, :3].tobytes())
    if not opaque:
        indexed.info["transparency"] = parts[:, 3].tobytes()
    return indexed
