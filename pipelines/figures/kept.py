"""The figures that a report holds, taken out of its page again."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote_to_bytes

from pipelines.figures.encode import SVG
from planner.report.figure import KINDS, Figure

_HELD = re.compile(r'src="data:image/svg\+xml(;base64)?,([^"]*)"')
_HEAD = re.compile(
    r'<svg id="([^"]*)" role="img" [^>]*>\s*<title>([^<]*)</title>\s*<desc>([^<]*)</desc>'
)  # fmt: skip
_OF_LESION = re.compile(rf"lesion_(.*)_({'|'.join(KINDS)})", re.DOTALL)


def figures_in(page: str) -> tuple[Figure, ...]:
    """Return the figures in the text of a report's page, each once, in the order in which they stand there.

    Only what says its own name is one: each figure holds it with its caption and text alternative.
    """
    found = {figure.name: figure for figure in _held(page)}
    return tuple(found.values())


def _held(page: str) -> Iterator[Figure]:
    for encoding, data in _HELD.findall(page):
        content = base64.b64decode(data) if encoding else unquote_to_bytes(unescape(data))
        document = content.decode("utf-8", errors="replace")
        head = _HEAD.match(document)
        if head is None:
            continue
        name, alt, caption = (unescape(part) for part in head.groups())
        of_lesion = _OF_LESION.fullmatch(name)
        lesion_id, kind = of_lesion.groups() if of_lesion else (None, name)
        yield Figure(name, caption, alt, SVG, content, lesion_id, kind)
