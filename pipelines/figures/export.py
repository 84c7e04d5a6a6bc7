"""A figure as papers take it: SVG as it is, a PDF of the same lines, or pixels at a stated resolution."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Literal

import typst
from PIL import Image

from planner.report.figure import Figure

Format = Literal["svg", "png", "pdf"]

_PAGE = b"""#set document(title: sys.inputs.title, date: none)
#set page(width: auto, height: auto, margin: 0pt)
#image("figure.svg", alt: sys.inputs.alt)
"""


def exported(figure: Figure, form: Format, dots_an_inch: int) -> bytes:
    """Return a figure that is SVG in another form: the same bytes for the same figure.

    Parameters
    ----------
    figure
        What a report holds.
    form
        "svg"; "pdf", where lines and text stay vector and scans keep their own pixels; or "png".
    dots_an_inch
        Resolution of a PNG, which also states it; the others have none.
    """
    if form == "svg":
        return figure.content
    files: Any = {"main": _PAGE, "figure.svg": figure.content}  # a dict of files is what its types leave out
    words = {"title": figure.name, "alt": figure.alt}
    done = typst.compile(files, format=form, ppi=float(dots_an_inch), sys_inputs=words, ignore_system_fonts=True)
    return done if form == "pdf" else _with_resolution(done, dots_an_inch)


def _with_resolution(png: bytes, dots_an_inch: int) -> bytes:
    """Return a PNG on white that states its resolution."""
    stream = BytesIO()
    with Image.open(BytesIO(png)) as drawn:
        drawn.convert("RGB").save(stream, format="PNG", dpi=(dots_an_inch, dots_an_inch))
    return stream.getvalue()
