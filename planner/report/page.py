"""What every page of a report shares: safe text, pictures in the page, and a style named by its hash."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from planner.report.figure import Figure

_MEDIA_TYPES = ("image/png", "image/svg+xml")

_NOT_PLAIN = re.compile(rb"//|[^A-Za-z0-9 /,.;=_~+*!$@?-]")
"""What does not stand for itself in a data URI, or would look like an address."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as a page holds it."""

    source: Markup
    caption: str
    alt: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Style:
    """The program's own style sheet, and its hash for the page's content policy."""

    css: Markup
    sha256: Markup


def environment(templates: Mapping[str, str]) -> Environment:
    """Return what templates, given by name, are rendered by: every value is text, and every name must be there.

    The filter `picture` makes a figure a picture of the page.
    """
    made = Environment(
        loader=DictLoader(templates), autoescape=True, undefined=StrictUndefined, finalize=visible, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["picture"] = picture
    return made


def style_of(css: str) -> Style:
    """Return a style sheet with its hash: the policy names it, so that not even an injected <style> is applied."""
    digest = base64.b64encode(hashlib.sha256(css.encode("utf-8")).digest()).decode("ascii")
    # The program's own style sheet, fixed by the hash; and base64.
    return Style(Markup(css), Markup(digest))  # noqa: S704 - see above


def picture(figure: Figure) -> Picture:
    """Return a figure as a page holds it.

    Raises
    ------
    ValueError
        It is of another media type than a page may hold.
    """
    if figure.media_type not in _MEDIA_TYPES:
        raise ValueError(f"figure {figure.name}: media type {figure.media_type}, expected one of {_MEDIA_TYPES}")
    # Neither form holds a character that HTML reads as markup, nor an address.
    source = Markup(_data_uri(figure))  # noqa: S704 - see above
    return Picture(source, figure.caption, figure.alt, figure.name, figure.kind)


def _data_uri(figure: Figure) -> str:
    """Return a figure as an address that holds it whole, in the shorter of its two forms."""
    as_base64 = f"data:{figure.media_type};base64,{base64.b64encode(figure.content).decode('ascii')}"
    if figure.media_type != "image/svg+xml":
        return as_base64
    return min(f"data:{figure.media_type},{_percent_encoded(figure.content)}", as_base64, key=len)


def _percent_encoded(content: bytes) -> str:
    """Return text as it may stand in a data URI: what ends or escapes anything is written as %XX.

    Most of a picture's text is base64 and coordinates, which stay as they are.
    """
    one_line = re.sub(rb"\s*\n\s*", b" ", content)
    return _NOT_PLAIN.sub(_as_hexadecimal, one_line).decode("ascii")


def _as_hexadecimal(found: re.Match[bytes]) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in found.group())


def visible(value: object) -> object:
    """Return text with control and direction-changing characters replaced, so that it reads as it is stored."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in value)
