"""The stored pictures of the viewer on the sample (docs/pictures), how they are taken, and how they are compared.

Written anew by `python tests/viewer_pictures.py REPORT.html`, after which they want to be looked at.
"""

from __future__ import annotations

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


def settled(seen: Seen) -> None:
    """Wait until what was asked for has been drawn."""
    seen.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pictures(seen: Seen) -> Iterator[tuple[str, Image.Image]]:
    """Yield each picture of an open report at 1280 x 800 with its name: all views in each mode, at half size."""
    for name, mode in MODES.items():
        seen.page.check(f"input[name=viewer-mode][value={mode}]")
        settled(seen)
        yield name, halved(seen.shot("#viewer-views"))
    seen.page.check("input[name=viewer-mode][value=side]")


def halved(png: bytes) -> Image.Image:
    """Return a picture at half size: small enough to be stored."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)


def stored(name: str) -> Image.Image:
    return Image.open(FOLDER / f"{name}.png")


def share_off(a: Image.Image, b: Image.Image, by: int = 32) -> float:
    """Return the share of pixels that differ by more than `by` of 255 in a colour; 1 where the sizes differ.

    Four rows more or less are what the type of a caption costs.
    """
    width, height = min(a.width, b.width), min(a.height, b.height)
    if a.width != b.width or abs(a.height - b.height) > 4:
        return 1.0
    one, other = (np.asarray(image.convert("RGB").crop((0, 0, width, height))).astype(int) for image in (a, b))
    return float((np.abs(one - other).max(axis=2) > by).mean())


def main(report: Path) -> None:
    FOLDER.mkdir(exist_ok=True)
    with opened(report) as seen:
        seen.ready()
        for name, picture in pictures(seen):
            picture.save(FOLDER / f"{name}.png", optimize=True)
    with opened(report, width=390, height=844) as seen:
        seen.ready()
        halved(seen.shot("#viewer")).save(FOLDER / f"{NARROW}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
