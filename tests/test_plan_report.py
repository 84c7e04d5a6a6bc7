"""The report of a plan: what it says, what its pictures show, its page in a real browser, and the paper."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from browser import opened, violations
from paper_read import PaperRead
from plan_pages import FIRST, PLANS, SECOND, needles, pages_of, plan_named
from playwright.sync_api import expect
from test_report_pages import NARROW, OVERFLOWING, TOO_SMALL, WIDE

from pipelines.figures import plan_planes, style
from pipelines.figures.encode import svg_text
from pipelines.figures.plan_illustrator import plan_pictures
from pipelines.figures.plan_scene import PlanScene, plan_scenes, shaft_ends
from pipelines.figures.plan_solid import draw_plan_scene
from pipelines.figures.sections import Section
from planner.plan.slices import Slice, Slices
from planner.report.plan_content import plan_content
from planner.report.plan_text import coverage_sentence

pytestmark = pytest.mark.slow

HARD = ("plain", "no-zone", "hostile")
"""Looked at in a narrow window as well."""

RAS_FROM_LPS = np.array([-1.0, -1.0, 1.0])


def shown(name: str, lesion: int = 0) -> PlanScene:
    return list(plan_scenes(plan_named(name)))[lesion]


def legend_of(figure) -> set[str]:
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


def a_slice(n: int, uncovered_mm2: float) -> Slice:
    return Slice(n, 2.5 * n, 100.0, uncovered_mm2)


def test_the_slices_that_are_drawn_are_spread_and_hold_the_one_that_lacks_most():
    lacks = [0.0] * 40
    lacks[17] = 9.0
    chosen = plan_planes.chosen_slices(Slices(2, tuple(a_slice(n, lack) for n, lack in enumerate(lacks))))
    assert len(chosen) == plan_planes.MOST_SLICES
    indices = [one.index for one in chosen]
    assert indices == sorted(indices, reverse=True)  # from the head on
    assert {0, 17, 39} <= set(indices)
    assert max(np.diff(sorted(indices))) <= 7
    few = Slices(2, tuple(a_slice(n, 0.0) for n in range(5)))
    assert [one.index for one in plan_planes.chosen_slices(few)] == [4, 3, 2, 1, 0]
    assert plan_planes.chosen_slices(Slices(2, ())) == ()


def test_target_and_what_no_zone_holds_lie_where_they_do():
    scene = shown("plain")
    section = Section("axial", FIRST + np.array([0.0, 0.0, 1.0]), (30.0, 30.0), 0.3)
    coarse, target, left = scene.fields(section)
    points = coarse.points_lps_mm()
    from_tumour = np.linalg.norm(points - FIRST, axis=1) - 8.0
    sure = np.abs(from_tumour - 5.0) > 0.4  # the tumour's surface is fitted to voxels
    assert ((target.ravel() > 0.0) == (from_tumour < 5.0))[sure].all()
    held = np.any([needle.zone.contains(points) for needle in needles()[:2]], axis=0)
    assert ((left.ravel() > 0.0) == ((from_tumour < 5.0) & ~held))[sure].all()
    assert (left > 0.0).any()
    assert (target[left > 0.0] > 0.0).all()


def test_no_target_lies_beyond_the_liver_but_all_of_the_tumour_does():
    plan = plan_named("plain")
    scene = replace(shown("plain"), lesion=replace(plan.lesions[0], asked_mm=60.0))
    coarse, target, _ = scene.fields(Section("axial", FIRST, (70.0, 70.0), 0.5))
    points = coarse.points_lps_mm()[target.ravel() > 0.0]
    assert plan.liver is not None
    assert np.asarray(plan.liver.contains(points)).mean() > 0.995


def test_a_needle_is_a_line_in_its_plane_a_dot_across_it_and_nothing_beyond():
    needle = needles()[0]
    ends = np.stack(shaft_ends(needle))
    middle = ends.mean(axis=0)
    along = plan_planes._within(ends, Section("axial", middle, (40.0, 40.0)), 1.0)
    assert 2.0 < np.linalg.norm(along[1] - along[0]) < needle.depth_mm
    assert np.abs(along[:, 2] - middle[2]).max() == pytest.approx(1.0)
    beyond = plan_planes._within(ends, Section("sagittal", ends[1] + np.array([20.0, 0.0, 0.0]), (40.0, 40.0)), 1.0)
    assert len(beyond) == 0
    flat = np.array([[0.0, 0.0, 5.0], [10.0, 0.0, 5.0]])
    assert plan_planes._within(flat, Section("axial", np.array([0.0, 0.0, 5.5]), (1.0, 1.0)), 1.0).shape == (2, 3)
    assert plan_planes._within(flat, Section("axial", np.array([0.0, 0.0, 7.5]), (1.0, 1.0)), 1.0).shape == (0, 3)


def test_without_an_entry_the_axis_is_drawn_outward():
    start, end = shaft_ends(needles()[2])
    assert np.linalg.norm(end - start) == pytest.approx(100.0)
    assert (end - start) / 100.0 == pytest.approx(needles()[2].zone.axis_lps)


def test_every_lesion_has_its_pictures_in_order():
    figures = plan_pictures(plan_scenes(plan_named("plain")))
    kinds = ["scene", "planes", "slices", "coverage", "distribution"]
    assert [(one.lesion_id, one.kind) for one in figures] == [(n, kind) for n in "12" for kind in kinds]
    assert len({one.name for one in figures}) == len(figures)
    assert all(one.alt and one.caption for one in figures)


def test_a_lesion_without_a_zone_has_the_pictures_that_need_none():
    figures = [one for one in plan_pictures(plan_scenes(plan_named("no-zone"))) if one.lesion_id == "2"]
    assert [one.kind for one in figures] == ["scene", "planes", "slices", "coverage"]
    assert "nothing is planned for it" in figures[0].alt
    legend = legend_of(plan_planes.draw_plan_planes(shown("no-zone", 1)))
    assert style.UNCOVERED.words in legend
    assert style.PLANNED_ZONE.words not in legend
    assert style.NEEDLE.words not in legend


def test_zones_made_before_are_told_from_planned_ones():
    of_scene = legend_of(draw_plan_scene(shown("beside-kept")))
    assert {style.PLANNED_ZONE.words, style.MADE_ZONE.words} <= of_scene
    planes = legend_of(plan_planes.draw_plan_planes(shown("beside-kept")))
    assert {style.PLANNED_ZONE.words, style.MADE_ZONE.words} <= planes


def test_slices_of_a_coronal_scan_lie_across_its_own_axis():
    slices = plan_named("coronal").lesions[0].slices
    assert slices.axis == 1
    figure = plan_planes.draw_plan_slices(shown("coronal"))
    assert figure is not None
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert all(re.match(r"[AP] [0-9.]+ mm: ", title) for title in titles)
    assert "S" in svg_text(figure)


def test_a_scan_that_shows_nothing_of_the_target_has_no_slices_to_draw():
    scene = shown("plain")
    none = replace(scene, lesion=replace(scene.lesion, slices=Slices(2, ())))
    assert plan_planes.draw_plan_slices(none) is None


def test_what_is_said_of_the_slices():
    whole = Slices(2, (a_slice(3, 0.0), a_slice(4, 0.0)))
    assert coverage_sentence(whole) == "2 of 2 slices of the scan have all of the target in a zone"
    said = coverage_sentence(Slices(2, (a_slice(3, 0.0), a_slice(4, 25.0))))
    assert said.startswith("1 of 2 slices")
    assert "S 10.0 mm (slice 4, counted from 0): 75 %" in said


def test_the_content_has_a_row_for_every_slice():
    plan = plan_named("plain")
    content = plan_content(plan, (), {}, {})
    for lesion, said in zip(plan.lesions, content.lesions, strict=True):
        assert len(said.slices) == len(lesion.slices.all)
        assert {int(row[0]) for row in said.slices} == {one.index for one in lesion.slices.all}
    assert [needle.heading.split(":")[0] for needle in content.needles] == [
        "Needle 1, lesion 1", "Needle 2, lesion 1", "Needle 3, lesion 2",
    ]  # fmt: skip


def test_places_of_needles_are_those_of_the_plan():
    content = plan_content(plan_named("plain"), (), {}, {})
    x, y, z = needles()[0].target_lps_mm
    assert f"{'L' if x >= 0 else 'R'} {abs(x):.1f} mm, {'P' if y >= 0 else 'A'} {abs(y):.1f} mm" in content.needles[
        0
    ].sentences[0]  # fmt: skip
    assert f"S {z:.1f} mm" in content.needles[0].sentences[0]
    assert "not planned" in content.needles[2].sentences[0]
    assert np.linalg.norm(SECOND - needles()[2].zone.centre_lps_mm) < 3.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plans")
    for name in PLANS:
        (out / f"{name}.html").write_text(pages_of(name).html, encoding="utf-8")
    return out


@pytest.mark.parametrize(
    ("name", "size", "dark"),
    [*((name, WIDE, False) for name in PLANS), *((n, NARROW, True) for n in PLANS if n in HARD)],
)
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
        expect(seen.page.locator("#viewer-readout")).to_contain_text("Lesion 1: ")

        def told(lps_mm: np.ndarray) -> str:
            seen.page.evaluate("(mm) => ablationViewer.goTo(mm)", (RAS_FROM_LPS * lps_mm).tolist())
            return seen.page.inner_text("#viewer-readout")

        assert "planned zone" in told(in_first_alone)
        assert "tumour of lesion 1" in told(FIRST)
        assert "target of lesion 1" in told(FIRST)
        assert "needle 1" in told(on_shaft)
        assert "planned zone" not in told(far)
        assert "tumour" not in told(far).split("in or on")[1]


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


def test_a_row_leads_to_its_lesion_in_the_viewer(folder: Path) -> None:
    ids = [lesion.lesion_id for lesion in plan_named("plain").lesions]
    with opened(folder / "plain.html") as seen:
        assert seen.ready() == "viewer"
        for lesion_id in ids:
            seen.page.locator(f"tr[data-lesion='{lesion_id}'] .show-lesion").click()
            expect(seen.page.locator("#viewer-readout")).to_contain_text(f"Lesion {lesion_id}: ")


def test_without_scripts_every_still_stands_there(folder: Path) -> None:
    with opened(folder / "plain.html", script=False) as seen:
        assert seen.page.locator("figure .picture img").count() == 10
        assert seen.page.is_visible("noscript p") or "runs no scripts" in seen.page.content()


def words_of(html: str) -> str:
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.mark.parametrize("name", PLANS)
def test_every_plan_has_a_page_and_a_paper(name: str):
    pages = pages_of(name)
    assert pages.no_pdf == ""
    assert pages.pdf is not None
    paper = PaperRead(pages.pdf)
    assert paper.loose == []
    said = words_of(pages.html)
    for claim in ("Not a medical device", "which are assumptions", "is unknown, not free"):
        assert claim in said
    assert not re.search(r"\b(is|are) safe\b", said, flags=re.IGNORECASE)


def test_the_paper_says_what_the_page_says():
    pages = pages_of("plain")
    assert pages.pdf is not None
    read = PaperRead(pages.pdf)
    paper = "".join("".join(read.page_of(n + 1) for n in range(len(read.pdf.pages))).split())
    content = plan_content(plan_named("plain"), (), {}, {})
    sentences = [s for lesion in content.lesions for s in lesion.sentences]
    sentences += [s for needle in content.needles for s in needle.sentences]
    sentences += [cell for lesion in content.lesions for row in lesion.slices for cell in row]
    sentences += [cell for row in content.rows for cell in row.cells]
    for sentence in sentences:
        assert "".join(sentence.split()) in paper, sentence


def test_hostile_names_are_text_on_the_page():
    html = pages_of("hostile").html
    assert "<script>alert(1)" not in html
    assert "\u202e" not in html
    assert "49#eval" not in html
