"""The viewer in a real browser: on oblique and flipped lattices, with every control, and where it cannot run."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Seen, opened, pixels, violations
from matplotlib.colors import to_rgb
from review_fixture import a_review
from test_viewer import flipped, itk_image, itk_value
from viewer_pictures import settled

from pipelines.figures import MatplotlibIllustrator, style
from pipelines.ports import Review
from pipelines.wire import render
from planner.report.figure import Figure
from planner.volume import Volume

LPS = np.array([-1.0, -1.0, 1.0])
VIEWS = {"axial": (0, 1), "coronal": (0, 2), "sagittal": (1, 2)}
"""The RAS axes across and up each picture."""


@pytest.fixture(scope="module")
def review() -> Review:
    """Lattices oblique, flipped along two axes, and different in both studies."""
    review = a_review()
    case = review.intake.case
    pre, post = replace(case.pre, image=flipped(case.pre.image)), replace(case.post, image=flipped(case.post.image))
    return replace(review, intake=replace(review.intake, case=replace(case, pre=pre, post=post)))


@pytest.fixture(scope="module")
def figures(review: Review) -> tuple[Figure, ...]:
    return MatplotlibIllustrator().draw(review.intake.case, review.assessment)


@pytest.fixture(scope="module")
def report(review: Review, figures: tuple[Figure, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("viewer") / "report.html"
    path.write_text(render(review, figures).html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(report: Path) -> Iterator[Seen]:
    with opened(report) as seen:
        assert seen.ready() == "viewer"
        yield seen


def location(seen: Seen) -> dict[str, Any]:
    found: dict[str, Any] = seen.page.evaluate("ablationViewer.location()")
    return found


def show(seen: Seen, lesion: str) -> None:
    seen.page.click(f"#viewer-lesions button:has-text('Lesion {lesion}')")
    seen.page.wait_for_selector(f"#viewer-lesions button:has-text('Lesion {lesion}')[aria-pressed=true]")
    seen.page.wait_for_selector("#viewer-body:not([aria-busy])")
    settled(seen)


@pytest.mark.parametrize("lesion_id", ["1", "2"])
def test_niivue_reads_both_scans_values_at_the_thin_spot(page: Seen, review: Review, lesion_id: str) -> None:
    show(page, lesion_id)
    margin = next(one.margin for one in review.assessment.lesions if one.lesion_id == lesion_id)
    assert margin is not None
    at = np.asarray(margin.at_lps_mm)
    case, mapping = review.intake.case, review.assessment.alignment.map
    expected = [itk_value(case.post.image, at), itk_value(case.pre.image, mapping.pre_from_post(at)[0])]
    found = location(page)
    assert found["lesion"] == lesion_id
    assert np.abs(np.asarray(found["mm"]) * LPS - at).max() < 0.01
    assert found["values"] == pytest.approx(expected, abs=0.51)
    said = page.page.inner_text("#viewer-readout")
    assert f"POST {round(found['values'][0])} HU, PRE {round(found['values'][1])} HU" in said
    assert "at the thin spot" in said


def test_every_slice_shows_the_scan_at_its_place_and_the_right_way_round(page: Seen, review: Review) -> None:
    """Grey values read off the drawn canvases, against ITK's at the points that they stand for; mirrored they fail."""
    show(page, "1")
    for box in page.page.locator("#viewer-contours input").all():
        box.uncheck()
    settled(page)
    case, mapping = review.intake.case, review.assessment.alignment.map
    at = np.asarray(location(page)["at"])
    generator = np.random.default_rng(8)
    for study in ("post", "pre"):
        image = itk_image((case.post if study == "post" else case.pre).image)
        for orientation, axes in VIEWS.items():
            places = np.tile(at, (500, 1))
            for axis in axes:
                places[:, axis] += generator.integers(-22, 23, 500)
            points = places * LPS if study == "post" else mapping.pre_from_post(places * LPS)
            expected = np.array([image.EvaluateAtPhysicalPoint(p.tolist()) for p in points])
            grey = np.clip((expected + 160.0) / 400.0, 0.0, 1.0) * 255.0
            shown = canvas_grey(page, f"viewer-{study}-{orientation}", places)
            # to 4 of 255 greys, but where crosshair, ring, letters or scale bar lie on it
            assert (np.abs(shown - grey) <= 4.0).mean() > 0.9
            for axis in axes:
                mirrored = places.copy()
                mirrored[:, axis] = 2 * at[axis] - mirrored[:, axis]
                elsewhere = canvas_grey(page, f"viewer-{study}-{orientation}", mirrored)
                assert (np.abs(elsewhere - grey) <= 4.0).mean() < 0.6
    for box in page.page.locator("#viewer-contours input").all():
        box.check()


def pixel(seen: Seen, view: str, place: np.ndarray) -> np.ndarray:
    """Return where a view draws a RAS point, as shares of its width and height."""
    return np.asarray(
        seen.page.evaluate("([view, place]) => ablationViewer.pixel(view, place)", [view, place.tolist()])
    )


def drawn(seen: Seen, canvas: str) -> np.ndarray:
    """Return what a view's canvas holds: the window may show it between two rows of pixels."""
    url = str(seen.page.evaluate("(id) => document.getElementById(id).toDataURL('image/png')", canvas))
    return pixels(base64.b64decode(url.split(",")[1])).astype(float)


def canvas_grey(seen: Seen, canvas: str, places: np.ndarray) -> np.ndarray:
    """Return the green of a view's canvas at RAS points of its plane."""
    shown = drawn(seen, canvas)
    script = "([id, places]) => places.map((place) => ablationViewer.pixel(id, place))"
    shares = np.asarray(seen.page.evaluate(script, [canvas, places.tolist()]))
    columns, rows = np.floor(shares * shown.shape[0]).astype(int).T
    return np.asarray(shown[rows, columns, 1])


def test_patients_right_is_left_and_the_letters_follow(page: Seen) -> None:
    show(page, "1")
    at = np.asarray(location(page)["at"])
    for study in ("post", "pre"):
        for orientation, (across, up) in VIEWS.items():
            more = [*np.eye(3)[[across, up]] * 10.0]
            view = f"viewer-{study}-{orientation}"
            here, along, above = (pixel(page, view, place) for place in (at, at + more[0], at + more[1]))
            assert along[0] < here[0] - 0.05  # right, or anterior, of the point is drawn to its left
            assert abs(along[1] - here[1]) < 1e-6
            assert above[1] < here[1] - 0.05  # anterior, or superior, of the point is drawn above it
            assert abs(above[0] - here[0]) < 1e-6


def test_contours_lie_where_the_surface_is_cut(page: Seen, review: Review) -> None:
    """The zone is a ball: its blue outline in each plane stands a known radius around its centre."""
    from review_fixture import ZONES

    show(page, "1")
    for box in page.page.locator("#viewer-contours input").all():
        box.uncheck()
    before = {o: drawn(page, f"viewer-post-{o}") for o in VIEWS}
    page.page.check("#viewer-contours label:has-text('ablation zone') input")
    settled(page)
    centre_lps, radius = ZONES["1"]
    centre, at = centre_lps * LPS, np.asarray(location(page)["at"])
    for orientation, (across, up) in VIEWS.items():
        through = 3 - across - up
        known = np.sqrt(radius**2 - (at[through] - centre[through]) ** 2)
        after = drawn(page, f"viewer-post-{orientation}")
        changed = np.argwhere(np.abs(after - before[orientation]).max(axis=2) > 60)[:, ::-1] + 0.5
        view = f"viewer-post-{orientation}"
        origin, unit = (pixel(page, view, p) * after.shape[0] for p in (centre, centre + np.eye(3)[up]))
        distances = np.linalg.norm(changed - origin, axis=1) / np.linalg.norm(unit - origin)
        assert len(changed) > 100
        assert np.median(distances) == pytest.approx(known, abs=0.4)
        assert np.quantile(distances, 0.95) < known + 1.2
        assert np.quantile(distances, 0.05) > known - 1.2
    for box in page.page.locator("#viewer-contours input").all():
        box.check()


def test_keys_and_wheel_move_every_view(page: Seen) -> None:
    show(page, "1")
    start = np.asarray(location(page)["at"])
    page.page.focus("#viewer-post-axial")
    page.page.keyboard.press("PageUp")
    page.page.keyboard.press("Shift+ArrowRight")
    settled(page)
    assert np.asarray(location(page)["at"]) - start == pytest.approx([-5.0, 0.0, 1.0], abs=1e-3)
    page.page.hover("#viewer-post-axial")
    page.page.mouse.wheel(0, 100)
    page.page.wait_for_timeout(150)
    assert np.asarray(location(page)["at"]) - start == pytest.approx([-5.0, 0.0, 0.0], abs=1e-3)
    page.page.keyboard.press("Home")
    assert np.asarray(location(page)["at"]) == pytest.approx(start, abs=1e-3)
    page.page.keyboard.press("Escape")
    before = page.page.evaluate("scrollY")
    page.page.mouse.wheel(0, 100)
    page.page.wait_for_timeout(300)
    assert page.page.evaluate("scrollY") > before  # no view has the focus: the wheel is the page's again
    assert np.asarray(location(page)["at"]) == pytest.approx(start, abs=1e-3)


def test_a_click_in_a_slice_puts_the_crosshair_there(page: Seen) -> None:
    show(page, "1")
    at = np.asarray(location(page)["at"])
    wanted = at + np.array([12.0, 0.0, -9.0])
    x, y = pixel(page, "viewer-pre-coronal", wanted)
    page.page.locator("#viewer-pre-coronal").scroll_into_view_if_needed()
    box = page.page.locator("#viewer-pre-coronal").bounding_box()
    assert box is not None
    page.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    assert np.abs(np.asarray(location(page)["at"]) - wanted).max() < 0.6
    assert "mm from the thin spot" in page.page.inner_text("#viewer-readout")


def test_a_row_of_the_table_leads_every_view_to_its_lesion(page: Seen, review: Review) -> None:
    show(page, "1")
    names = [f"#viewer-{study}-{o}" for study in ("post", "pre") for o in VIEWS] + ["#viewer-solid"]
    before = {name: page.shot(name) for name in names}
    button = page.page.locator("tr[data-lesion='2'] button")
    button.focus()
    page.page.keyboard.press("Enter")
    assert focus(page) == "viewer-post-axial"
    page.page.wait_for_selector("#viewer-lesions button:has-text('Lesion 2')[aria-pressed=true]")
    settled(page)
    assert location(page)["lesion"] == "2"
    assert [name for name in names if page.shot(name) == before[name]] == []
    page.page.click("tr[data-lesion='1'] td[data-key='min_mm']")
    page.page.wait_for_selector("#viewer-lesions button:has-text('Lesion 1')[aria-pressed=true]")
    assert location(page)["lesion"] == "1"
    page.page.focus("#viewer-back")
    page.page.keyboard.press("Enter")
    assert page.page.evaluate("document.activeElement.closest('tr').dataset.lesion") == "1"
    assert page.page.evaluate("document.activeElement.className") == "show-lesion"
    rows = page.page.evaluate("[...document.querySelectorAll('tr[data-lesion]')].map((row) => row.dataset.lesion)")
    buttons = page.page.locator("#viewer-lesions button").all_inner_texts()
    assert [text.partition(":")[0] for text in buttons] == [f"Lesion {row}" for row in rows]
    assert rows[0] == "2"  # the least margin


def focus(seen: Seen) -> str:
    return str(seen.page.evaluate("document.activeElement.id"))


def solid_places(seen: Seen) -> np.ndarray:
    """Return where the 3-D picture draws the thin spot and what its margin was measured to, shares of its size."""
    script = """() => {
        const data = JSON.parse(document.getElementById("viewer-data").textContent);
        const lesion = data.lesions.find((one) => one.id === ablationViewer.location().lesion);
        return [lesion.at, lesion.foot].map(ablationViewer.pixelSolid);
    }"""
    return np.asarray(seen.page.evaluate(script))


def band_seen(shown: np.ndarray) -> np.ndarray:
    """Return the band whose colour has the nearest direction, whatever the light, shape (rows, columns)."""
    bands = 255.0 * np.array([to_rgb(band.colour) for band in style.BANDS])
    unit = bands / np.linalg.norm(bands, axis=1, keepdims=True)
    return np.asarray((shown @ unit.T).argmax(axis=2))


@pytest.mark.parametrize("lesion_id", ["1", "2"])
def test_ring_and_arrow_go_from_the_thin_spot_to_the_foot_in_every_picture(
    page: Seen, review: Review, lesion_id: str
) -> None:
    show(page, lesion_id)
    margin = next(one.margin for one in review.assessment.lesions if one.lesion_id == lesion_id)
    assert margin is not None
    at, foot = (np.asarray(point) * LPS for point in (margin.at_lps_mm, margin.foot_lps_mm))
    pictures = {f"viewer-post-{o}": np.array([pixel(page, f"viewer-post-{o}", p) for p in (at, foot)]) for o in VIEWS}
    pictures["viewer-solid"] = solid_places(page)
    for canvas, (spot, end) in pictures.items():
        shown = drawn(page, canvas)
        along = np.linspace(spot, end, 30)[4:-4] * shown.shape[0]
        if np.linalg.norm((end - spot) * shown.shape[0]) < 12.0:
            continue  # hardly any of it lies in this plane
        columns, rows = np.floor(along).astype(int).T
        assert (shown[rows, columns].min(axis=1) > 200).mean() > 0.8, canvas  # the arrow's white
        beyond = np.floor((spot - 0.8 * (end - spot)) * shown.shape[0]).astype(int)
        assert shown[beyond[1], beyond[0]].min() < 200, canvas
        ring = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 2 * np.pi, 40)]) * 7.0
        columns, rows = np.floor(spot * shown.shape[0] + ring).astype(int).T
        assert (shown[rows, columns].min(axis=1) > 150).mean() > 0.8, canvas
    said = page.page.inner_text("#viewer-arrow")
    assert said.startswith("Ring: thin spot. Arrow: from there to ")


def test_the_3d_camera_stays_with_the_tumour_and_says_which_way_it_looks(page: Seen) -> None:
    show(page, "2")  # in three bands
    pressed = "#viewer-views-3d button[aria-pressed=true]"
    page.page.click("#viewer-views-3d button:has-text('from the left')")
    settled(page)
    assert page.page.locator(pressed).all_inner_texts() == ["from the left"]
    alone, before = solid_places(page), drawn(page, "viewer-solid")
    boxes = page.page.locator(".viewer-beside input").all()
    assert len(boxes) == 3  # zone, vessels, liver
    for box in boxes:
        box.check()
    settled(page)
    among = drawn(page, "viewer-solid")
    assert solid_places(page) == pytest.approx(alone)
    assert np.abs(among - before).mean() > 3.0
    # Seen through all of them each place of the tumour is still in its band.
    near = slice(int(0.38 * among.shape[0]), int(0.62 * among.shape[0]))
    told, seen_through = (band_seen(one[near, near]) for one in (before, among))
    assert len(np.unique(told)) > 1
    assert (told == seen_through).mean() > 0.85
    for box in boxes:
        box.uncheck()
    page.page.focus("#viewer-solid")
    page.page.keyboard.press("+")
    settled(page)
    larger = solid_places(page)
    assert np.linalg.norm(larger[1] - larger[0]) == pytest.approx(1.25 * np.linalg.norm(alone[1] - alone[0]), rel=1e-3)
    page.page.keyboard.press("ArrowLeft")
    settled(page)
    assert page.page.locator(pressed).count() == 0
    page.page.keyboard.press("Home")
    settled(page)
    assert page.page.locator(pressed).all_inner_texts() == ["towards the thin spot"]


def test_own_window_numbers_are_drawn_and_follow_the_presets(page: Seen, review: Review) -> None:
    show(page, "1")
    width, level = (page.page.locator(f"input[name=viewer-{what}]") for what in ("width", "level"))
    assert (width.input_value(), level.input_value()) == ("400", "40")
    image, at = itk_image(review.intake.case.post.image), np.asarray(location(page)["at"])
    places = at + np.random.default_rng(4).integers(-22, 23, (500, 3)) * [1.0, 1.0, 0.0]
    values = np.array([image.EvaluateAtPhysicalPoint((place * LPS).tolist()) for place in places])

    def share_right(low: float, wide: float) -> float:
        grey = np.clip((values - low) / wide, 0.0, 1.0) * 255.0
        off = np.abs(canvas_grey(page, "viewer-post-axial", places) - grey)
        return float((off <= 3.0 + 255.0 / wide).mean())

    width.fill("250")
    level.fill("90")
    level.press("Enter")
    settled(page)
    assert page.page.locator("#viewer-window option:checked").inner_text() == "own numbers"
    assert share_right(-35.0, 250.0) > 0.8
    assert share_right(-160.0, 400.0) < 0.5
    page.page.select_option("#viewer-window", "1")
    settled(page)
    low = float(level.input_value()) - 75.0
    assert width.input_value() == "150"
    assert f"liver, width 150, level {level.input_value()}" in page.page.inner_text("#viewer-window")
    assert share_right(low, 150.0) > 0.8
    page.page.select_option("#viewer-window", "0")
    settled(page)
    assert share_right(-160.0, 400.0) > 0.8


def test_pictures_say_whose_outlines_they_show(page: Seen) -> None:
    caption = "figure:has(#viewer-{}-axial) figcaption"
    whose = "outlines: tumour of PRE, the others as drawn in POST"
    assert page.page.inner_text(caption.format("pre")) == f"Axial, PRE as registered; {whose}"
    assert page.page.inner_text(caption.format("post")) == "Axial, POST"
    page.page.check("input[name=viewer-mode][value=tiles]")
    settled(page)
    assert whose in page.page.inner_text(caption.format("post"))
    page.page.check("input[name=viewer-mode][value=side]")
    settled(page)
    assert "ablation zone, as drawn in POST" in page.page.inner_text("#viewer-contours")


def test_blending_shows_post_pre_and_between(page: Seen) -> None:
    show(page, "1")
    shown = {}
    page.page.check("input[name=viewer-mode][value=blend]")
    for share in (0, 50, 100):
        page.page.locator("#viewer-blend").fill(str(share))
        settled(page)
        shown[share] = drawn(page, "viewer-post-axial")
    page.page.check("input[name=viewer-mode][value=tiles]")
    settled(page)
    tiles = drawn(page, "viewer-post-axial")
    page.page.check("input[name=viewer-mode][value=side]")
    settled(page)
    post, pre = (drawn(page, f"viewer-{study}-axial") for study in ("post", "pre"))
    assert np.abs(shown[0] - post).mean() < 0.5
    assert np.abs(shown[100] - pre).mean() < 0.5
    assert np.abs(shown[50] - (post + pre) / 2).mean() < 1.5
    assert np.abs(post - pre).mean() > 5.0
    near_post, near_pre = (np.abs(tiles - one).max(axis=2) < 3 for one in (post, pre))
    assert (near_post | near_pre).mean() > 0.97
    assert (near_pre & ~near_post).mean() > 0.2
    assert (near_post & ~near_pre).mean() > 0.2


def test_a_lesion_without_a_margin_is_shown_without_arrow_or_band(page: Seen) -> None:
    show(page, "3")
    assert "not treated" in page.page.inner_text("#viewer-readout")
    assert "at the tumour's centre" in page.page.inner_text("#viewer-readout")
    assert page.page.is_disabled("button[data-spot]")
    solid = pixels(page.shot("#viewer-solid")).astype(int)
    assert np.ptp(solid, axis=2).max() < 40  # greys alone: no colour of a band


def test_nothing_is_asked_for_said_or_in_the_way(page: Seen) -> None:
    every_mode_is_clean(page, 1280)


def test_a_narrow_screen_begins_with_a_picture_and_one_of_each_plane(report: Path) -> None:
    with opened(report, width=390, height=844, dark=True) as seen:
        assert seen.ready() == "viewer"
        assert seen.page.is_checked("input[name=viewer-mode][value=blend]")
        assert not seen.page.is_visible("#viewer-window")
        shown = [view for view in seen.page.locator(".viewer-view canvas").all() if view.is_visible()]
        assert len(shown) == 4
        top = "(id) => document.getElementById(id).getBoundingClientRect().top"
        first = seen.page.evaluate(top, "viewer-post-axial")
        assert first - seen.page.evaluate(top, "viewer") < 844 / 2
        assert first < seen.page.evaluate(top, "viewer-readout") < seen.page.evaluate(top, "viewer-post-coronal")
        seen.page.click("#viewer-more > summary")
        assert seen.page.is_visible("#viewer-window")
        every_mode_is_clean(seen, 390)


def every_mode_is_clean(seen: Seen, width: int) -> None:
    for mode in ("blend", "tiles"):
        seen.page.check(f"input[name=viewer-mode][value={mode}]")
        settled(seen)
    assert violations(seen.page) == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert (seen.requests, seen.messages) == ([], [])
    seen.page.check("input[name=viewer-mode][value=side]")
    settled(seen)


@pytest.mark.parametrize("lacking", ["webgl", "script", "library", "volume"])
def test_where_the_viewer_cannot_run_every_still_is_there_and_a_sentence_says_why(
    lacking: str,
    review: Review,
    figures: tuple[Figure, ...],
    report: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, why = report, {"webgl": "no WebGL2", "script": "runs no scripts"}.get(lacking, "")
    if lacking in {"library", "volume"}:
        monkeypatch.setattr("pipelines.viewer.page.LIBRARY", "assets/never.js")
        path, why = tmp_path / "report.html", "NiiVue" if lacking == "library" else "--report-volume none"
        path.write_text(render(review, figures, "roi" if lacking == "library" else "none").html, encoding="utf-8")
    with opened(path, webgl=lacking != "webgl", script=lacking != "script") as seen:
        if lacking == "webgl":
            assert seen.ready() == "stills"
            assert violations(seen.page) == []
        assert why in seen.page.inner_text("#viewer")
        assert not seen.page.locator("#viewer-views").is_visible()
        shown = [one for one in seen.page.locator("main img").all() if one.is_visible()]
        assert len(shown) == len(figures) > 0
        assert (seen.requests, seen.messages) == ([], [])


def test_hostile_names_are_text(review: Review, tmp_path: Path) -> None:
    name = "<img src=x onerror=console.log(1)></script><script>console.log(2)</script>\u202e" + "y" * 300
    lesions = tuple(replace(one, lesion_id=name) if one.lesion_id == "2" else one for one in review.assessment.lesions)
    path = tmp_path / "report.html"
    path.write_text(render(replace(review, assessment=replace(review.assessment, lesions=lesions)), ()).html, "utf-8")
    with opened(path) as seen:
        assert seen.ready() == "viewer"
        assert "<img src=x" in seen.page.inner_text("#viewer-readout")
        assert seen.page.locator("#viewer img").count() == 0
        assert (seen.requests, seen.messages) == ([], [])


def test_mr_has_its_own_windows_and_no_hounsfield_units(tmp_path: Path) -> None:
    review = a_review()
    case = review.intake.case

    def as_mr(volume: Volume) -> Volume:
        return Volume(0.003 * volume.voxels_kji + 5.0, volume.grid, "MR")

    pre, post = (replace(study, image=as_mr(study.image)) for study in (case.pre, case.post))
    review = replace(review, intake=replace(review.intake, case=replace(case, pre=pre, post=post)))
    path = tmp_path / "report.html"
    path.write_text(render(review, ()).html, encoding="utf-8")
    margin = review.assessment.lesions[1].margin
    assert margin is not None
    at = np.asarray(margin.at_lps_mm)
    with opened(path) as seen:
        assert seen.ready() == "viewer"
        assert location(seen)["values"][0] == pytest.approx(itk_value(post.image, at), abs=1e-3)
        assert " HU" not in seen.page.inner_text("#viewer-readout")
        assert "percentile" in seen.page.inner_text("#viewer-window")
        # the values of two MR studies cannot be compared: each has numbers of its own
        assert seen.page.locator("#viewer-numbers label").all_inner_texts() == [
            "POST width", "POST level", "PRE width", "PRE level"
        ]  # fmt: skip


def test_the_page_names_each_script_and_holds_no_other(report: Path) -> None:
    html = report.read_text(encoding="utf-8")
    policy = html.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == html.count("<script>") + 1  # and the style sheet
    with opened(report, script=False) as seen:  # as it is stored
        assert seen.page.locator("section").count() > 3
        assert seen.page.locator("[style], [onclick], [onload], [onerror]").count() == 0
    assert json.loads(html.split('id="viewer-data">')[1].split("</script>")[0])["first"] == 1
