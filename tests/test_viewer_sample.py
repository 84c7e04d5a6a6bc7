"""The sample's report in a real browser: fast enough, silent, right at every thin spot, and as it was looked at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import viewer_pictures
from browser import Seen, opened, violations
from PIL import ImageChops, ImageOps
from sample_review import sample_review
from test_viewer import itk_value
from test_viewer_page import LPS, location, show

from pipelines.figures import MatplotlibIllustrator
from pipelines.ports import Review
from pipelines.wire import render

pytestmark = pytest.mark.slow

READY_S = 6.0
MOST_MB = 25.0
OFF = 0.02
"""Share of a view's pixels that may differ by more than 32 of 255: edges and letters of another release of Chromium
or its fonts. A test below shows what a flipped or shifted view costs."""


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return sample_review(tmp_path_factory)


@pytest.fixture(scope="module")
def report(review: Review, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "report.html"
    figures = MatplotlibIllustrator().draw(review.intake.case, review.assessment)
    path.write_text(render(review, figures).html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def first_opened(report: Path) -> Iterator[tuple[Seen, float]]:
    started = time.monotonic()
    with opened(report) as seen:
        assert seen.ready() == "viewer"
        yield seen, time.monotonic() - started


@pytest.fixture(scope="module")
def page(first_opened: tuple[Seen, float]) -> Seen:
    return first_opened[0]


def test_it_is_ready_soon_and_small(report: Path, first_opened: tuple[Seen, float]) -> None:
    """The best of three: the other core is busy with other tests."""
    assert report.stat().st_size <= MOST_MB * 1e6
    took = [first_opened[1]]
    while took[-1] > READY_S and len(took) < 3:
        started = time.monotonic()
        with opened(report) as seen:
            assert seen.ready() == "viewer"
            took.append(time.monotonic() - started)
    assert min(took) <= READY_S


def test_niivue_reads_both_scans_values_at_every_thin_spot(page: Seen, review: Review) -> None:
    case, mapping = review.intake.case, review.assessment.alignment.map
    for lesion in review.assessment.lesions:
        assert lesion.margin is not None
        show(page, lesion.lesion_id)
        at = np.asarray(lesion.margin.at_lps_mm)
        found = location(page)
        assert np.abs(np.asarray(found["mm"]) * LPS - at).max() < 0.01
        expected = [itk_value(case.post.image, at), itk_value(case.pre.image, mapping.pre_from_post(at)[0])]
        assert found["values"] == pytest.approx(expected, abs=0.51)


def test_every_mode_looks_as_it_did_when_it_was_looked_at(page: Seen) -> None:
    show(page, "3")  # the worst: the one that is shown first
    off = {
        name: viewer_pictures.share_off(now, viewer_pictures.stored(name))
        for name, now in viewer_pictures.pictures(page)
    }
    assert set(off) == set(viewer_pictures.MODES)
    assert {name: share for name, share in off.items() if share > OFF} == {}, "run tests/viewer_pictures.py, and look"


def test_it_looks_as_it_did_on_a_narrow_screen(report: Path) -> None:
    with opened(report, width=390, height=844) as seen:
        assert seen.ready() == "viewer"
        now = viewer_pictures.side_by_side(seen)
        assert viewer_pictures.share_off(now, viewer_pictures.stored(viewer_pictures.NARROW)) <= OFF


@pytest.mark.parametrize("name", [*viewer_pictures.MODES, viewer_pictures.NARROW])
def test_a_flipped_or_shifted_view_would_be_noticed(name: str) -> None:
    """Any one view mirrored, turned upside down or shifted by one stored pixel, which is about half a millimetre."""
    picture = viewer_pictures.stored(name).convert("RGB")
    cell = viewer_pictures.CELL
    for n in range(3):
        x, y = viewer_pictures.place(n)
        view = picture.crop((x, y, x + cell, y + cell))
        for changed in (ImageOps.mirror(view), ImageOps.flip(view), ImageChops.offset(view, 1, 0)):
            other = picture.copy()
            other.paste(changed, (x, y))
            assert viewer_pictures.share_off(other, picture) > OFF


def test_the_whole_report_is_silent_and_accessible(page: Seen) -> None:
    assert violations(page.page) == []
    assert (page.requests, page.messages) == ([], [])
