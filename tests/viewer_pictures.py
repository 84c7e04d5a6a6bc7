"""The stored pictures of the viewer on the sample (docs/pictures), how they are taken, and how they are compared.

Written anew by `python tests/viewer_pictures.py REPORT.html`, after which they want to be looked at.
"""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from browser import Seen, opened
from PIL import Image

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
MODES = {"viewer_side": "side", "viewer_blend": "blend", "viewer_tiles": "tiles"}
NARROW = "viewer_narrow"
CELL = 200


def settled(seen: Seen) -> None:
    """Wait until what was asked for has been drawn."""
    seen.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pictures(seen: Seen) -> Iterator[tuple[str, Image.Image]]:
    """Yield a picture of each mode of an open report with its name."""
    for name, mode in MODES.items():
        seen.page.check(f"input[name=viewer-mode][value={mode}]")
        settled(seen)
        yield name, side_by_side(seen)
    seen.page.check("input[name=viewer-mode][value=side]")
    settled(seen)


def side_by_side(seen: Seen) -> Image.Image:
    """Return what the canvases hold that are seen, each at a fixed size, three in a row."""
    shown = [view for view in seen.page.locator(".viewer-view canvas").all() if view.is_visible()]
    urls = [str(view.evaluate("(canvas) => canvas.toDataURL('image/png')")) for view in shown]
    canvases = [Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB") for url in urls]
    sheet = Image.new("RGB", (3 * CELL, -(-len(canvases) // 3) * CELL), "white")
    for n, canvas in enumerate(canvases):
        sheet.paste(canvas.resize((CELL, CELL), Image.Resampling.BOX), place(n))
    return sheet


def place(n: int) -> tuple[int, int]:
    """Return the left upper corner of the nth picture of a sheet."""
    return n % 3 * CELL, n // 3 * CELL


def stored(name: str) -> Image.Image:
    return Image.open(FOLDER / f"{name}.png")


def share_off(a: Image.Image, b: Image.Image, by: int = 32) -> float:
    """Return the share of the pixels of a view that differ by more than `by` of 255 in a colour: the worst view's."""
    if a.size != b.size:
        return 1.0
    one, other = (np.asarray(image.convert("RGB")).astype(int) for image in (a, b))
    off = np.abs(one - other).max(axis=2) > by
    cells = off.reshape(off.shape[0] // CELL, CELL, off.shape[1] // CELL, CELL)
    return float(cells.mean(axis=(1, 3)).max())


def main(report: Path) -> None:
    FOLDER.mkdir(exist_ok=True)
    with opened(report) as seen:
        seen.ready()
        for name, picture in pictures(seen):
            picture.save(FOLDER / f"{name}.png", optimize=True)
    with opened(report, width=390, height=844) as seen:
        seen.ready()
        side_by_side(seen).save(FOLDER / f"{NARROW}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
