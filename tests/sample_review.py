"""The bundled sample at its full resolution, reviewed once for all the test files and processes that look at it."""

from __future__ import annotations

import copyreg
import os
import pickle
import time
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from pipelines.ports import Pages, Review
from pipelines.settings import Settings
from pipelines.source import FolderSource
from pipelines.wire import review_folders

SAMPLE = Path(__file__).parent.parent / "sample_data"
LONGEST_S = 900.0

copyreg.pickle(MappingProxyType, lambda mapping: (dict, (dict(mapping),)))


class Kept:
    """A store that keeps the review in memory."""

    def prepare(self) -> None:
        pass

    def put(self, review: Review, pages: Pages) -> None:
        self.review, self.pages = review, pages


def sample_review(tmp_path_factory: pytest.TempPathFactory) -> Review:
    """Return the finished review of the sample: measured by whichever process comes first, read by the others."""
    base = tmp_path_factory.getbasetemp()
    return _shared(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)


@cache
def _shared(folder: Path) -> Review:
    kept, lock = folder / "sample_review.pickle", folder / "sample_review.lock"
    try:
        lock.touch(exist_ok=False)
    except FileExistsError:
        return _awaited(kept, lock)
    try:
        review = _reviewed()
        part = kept.with_suffix(".part")
        part.write_bytes(pickle.dumps(review))
        part.replace(kept)
    finally:
        if not kept.exists():
            lock.unlink()
    return review


def _awaited(kept: Path, lock: Path) -> Review:
    started = time.monotonic()
    while not kept.exists():
        assert lock.exists(), "the process that reviewed the sample failed"
        assert time.monotonic() - started < LONGEST_S, "the process that reviews the sample does not end"
        time.sleep(0.2)
    review: Review = pickle.loads(kept.read_bytes())  # noqa: S301 - written by another process of this very run
    return review


def _reviewed() -> Review:
    store = Kept()
    source = FolderSource(SAMPLE / "pre", SAMPLE / "post", SAMPLE / "case.toml", "sample")
    return review_folders(source, store, Settings(), lambda *_: None)
