"""The page of a plan in a real browser: whole, legible, accessible, and its viewer at the right place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from browser import opened, violations
from plan_pages import FIRST, PLANS, needles, pages_of, plan_named
from test_report_pages import NARROW, OVERFLOWING, TOO_SMALL, WIDE

RAS_FROM_LPS = np.array([-1.0, -1.0, 1.0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plans")
    for name in PLANS:
        (out / f"{name}.html").write_text(pages_of(name).html, encoding="utf-8")
    return out


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)], ids=["wide-light", "narrow-dark"])
def test_a_plan_is_whole_legible_and_accessible(folder: Path, name: str, size: tuple[int, int], dark: bool) -> None:
    with opened(folder / f"{name}.html", width=size[0], height=size[1], dark=dark) as seen:
        assert seen.ready() == "viewer"
        assert seen.requests == []
        assert seen.messages == []
        assert violations(seen.page) == []
        assert seen.page.evaluate(OVERFLOWING) == []
        assert seen.page.evaluate(TOO_SMALL) == []
        assert not seen.page.is_visible("#viewer-modes")
        assert seen.page.locator(".viewer-view canvas").count() == 4


@pytest.mark.slow
def test_the_viewer_knows_what_lies_where(folder: Path) -> None:
    """Each place is told by the plan's own geometry, none of them symmetric."""
    first, second, _ = needles()
    in_first_alone = first.zone.centre_lps_mm + 0.45 * first.zone.width_mm * np.array([0.6, -0.8, 0.0])
    assert first.zone.contains(in_first_alone[None])[0]
    on_shaft = (first.entry_lps_mm + 3.0 * first.target_lps_mm) / 4.0
    far = FIRST + np.array([0.0, 0.0, -22.0])
    assert not any(needle.zone.contains(far[None])[0] for needle in (first, second))
    with opened(folder / "plain.html") as seen:
        assert seen.ready() == "viewer"
        seen.page.get_by_role("button", name="Lesion 1:").first.click()
        seen.page.wait_for_function("document.querySelector('#viewer-readout').textContent.startsWith('Lesion 1')")

        def told(lps_mm: np.ndarray) -> str:
            seen.page.evaluate("(mm) => ablationViewer.goTo(mm)", (RAS_FROM_LPS * lps_mm).tolist())
            return seen.page.inner_text("#viewer-readout")

        assert "planned zone" in told(in_first_alone)
        assert "tumour of lesion 1" in told(FIRST)
        assert "target of lesion 1" in told(FIRST)
        assert "needle 1" in told(on_shaft)
        assert "planned zone" not in told(far)
        assert "tumour" not in told(far).split("in or on")[1]


@pytest.mark.slow
def test_lesion_and_needle_lie_on_their_sides_of_the_pictures(folder: Path) -> None:
    """The entry lies to the patient's right and in front: left and up in an axial picture."""
    first = needles()[0]
    with opened(folder / "plain.html") as seen:
        assert seen.ready() == "viewer"
        place = {
            name: seen.page.evaluate("([v, mm]) => ablationViewer.pixel(v, mm)", [f"viewer-pre-{view}", mm])
            for view in ("axial", "coronal")
            for name, mm in (
                (f"{view} target", (RAS_FROM_LPS * first.target_lps_mm).tolist()),
                (f"{view} entry", (RAS_FROM_LPS * first.entry_lps_mm).tolist()),
            )
        }
    assert first.entry_lps_mm[0] < first.target_lps_mm[0]
    assert first.entry_lps_mm[2] > first.target_lps_mm[2]
    assert place["axial entry"][0] < place["axial target"][0]
    assert place["axial entry"][1] < place["axial target"][1]
    assert place["coronal entry"][0] < place["coronal target"][0]
    assert place["coronal entry"][1] < place["coronal target"][1]


@pytest.mark.slow
def test_a_row_leads_to_its_lesion_in_the_viewer(folder: Path) -> None:
    ids = [lesion.lesion_id for lesion in plan_named("plain").lesions]
    with opened(folder / "plain.html") as seen:
        assert seen.ready() == "viewer"
        for lesion_id in ids:
            seen.page.locator(f"tr[data-lesion='{lesion_id}'] .show-lesion").click()
            seen.page.wait_for_function(
                "(id) => document.querySelector('#viewer-readout').textContent.startsWith(`Lesion ${id}`)",
                arg=lesion_id,
            )


def test_without_scripts_every_still_stands_there(folder: Path) -> None:
    with opened(folder / "plain.html", script=False) as seen:
        assert seen.page.locator("figure .picture img").count() == 10
        assert seen.page.is_visible("noscript p") or "runs no scripts" in seen.page.content()
