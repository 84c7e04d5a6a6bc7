"""Hepatic veins and inflows beside ablation zones: straight, gapped, tapering and branching tubes and a ball."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from analytic import Inside, Points, ball, below, both, centres, lattice, rigid, sphere, union, voxelised, without

from planner.assessment import Passage, PassageKind
from planner.case import Case, Study
from planner.findings import INFLOW_PRESERVED, VEINS_PRESERVED
from planner.inflow import passage, passages_of, preserved_findings
from planner.register.alignment import Alignment, Check, SpatialMap
from planner.report.passages import CONFIRM, passage_sentences
from planner.scene import make_scene, zone_surfaces
from planner.surface import Surface
from planner.volume import Volume

GRID = lattice((44.0, 20.0, 20.0), (1.2, 1.0, 1.0))
TURNED = lattice((44.0, 20.0, 20.0), (1.4, 1.0, 1.0), turned=rigid((0.4, 0.3, -0.2))[:3, :3])


def tube(start: tuple[float, float, float], end: tuple[float, float, float], wide_mm: tuple[float, float]) -> Inside:
    """A round tube with flat ends, whose diameter changes evenly from one to the other."""
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    length = float(np.linalg.norm(b - a))

    def inside(points: Points) -> np.ndarray:
        along = (points - a) @ (b - a) / length
        away = np.linalg.norm(points - a - along[:, None] * (b - a) / length, axis=1)
        radius = 0.5 * np.interp(along, (0.0, length), wide_mm)
        return (along >= 0.0) & (along <= length) & (away <= radius)

    return inside


def vein(wide_mm: tuple[float, float] = (6.0, 6.0)) -> Inside:
    return tube((-36, 0, 0), (36, 4, 3), wide_mm)


@cache
def zone(at: tuple[float, float, float], radius_mm: float) -> Surface:
    return sphere(at, radius_mm)


def passes(vessel: Inside, *zones: Surface, grid=GRID, role: str = "hepatic_vein_right") -> Passage:
    return passage(role, voxelised(vessel, grid, role), zones)


MIDDLE = zone((0, 2, 1.5), 11.0)


@pytest.mark.parametrize(
    ("vessel", "zones", "kind"),
    [
        (vein(), [zone((0, 18, 0), 8.0)], "apart"),
        (vein(), [zone((0, 2 + 9.9, 1.5), 8.0)], "touches"),
        (vein(), [MIDDLE], "passes"),
        (vein((6.0, 3.6)), [MIDDLE], "passes"),
        (vein(), [zone((34, 4, 3), 9.0)], "one_side"),
        (vein(), [MIDDLE, zone((-36, 0, 0), 8.0)], "one_side"),
        (tube((-8, 0, 0), (8, 0, 0), (5, 5)), [zone((0, 0, 0), 14.0)], "within"),
        (vein((2.2, 2.2)), [MIDDLE], "narrow"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("grid", [GRID, TURNED], ids=["straight", "turned"])
def test_a_vein_is_preserved_if_its_lumen_leaves_the_zones_on_both_sides(
    vessel: Inside, zones: list[Surface], kind: PassageKind, grid
) -> None:
    found = passes(vessel, *zones, grid=grid)
    assert found.kind == kind
    assert found.preserved == (kind in ("apart", "touches", "passes"))


def test_what_lies_in_the_zone_and_how_wide_the_vein_leaves_it_are_told() -> None:
    found = passes(vein((7.0, 4.0)), MIDDLE)
    assert found.held_mm == pytest.approx(22.0, abs=0.6)
    length = np.linalg.norm((72, 4, 3))
    true = [7.0 - 3.0 * (0.5 * length + side * (11.0 + 3.0)) / length for side in (-1, 1)]
    assert sorted(found.calibres_mm, reverse=True) == pytest.approx(true, abs=0.3)


def test_a_vein_that_leaves_with_less_than_three_millimetres_is_not_counted() -> None:
    """5 mm at one end, 1.4 at the other: beyond the zone it is thinner than 3 mm."""
    before = passes(vein((5.0, 1.4)), zone((-14, 1, 1.0), 7.0))
    assert before.preserved
    beyond = passes(vein((5.0, 1.4)), zone((6, 2, 1.5), 9.0))
    assert (beyond.preserved, beyond.kind) == (False, "narrow")
    assert min(beyond.calibres_mm) == pytest.approx(5.0 - 3.6 * (36 + 6 + 9 + 3) / 72, abs=0.3)


def test_a_thin_tail_in_the_zone_does_not_lose_the_vein() -> None:
    assert passes(vein((6.0, 1.6)), zone((34, 4, 3), 6.0)).preserved


def test_an_inflow_may_be_thinner_than_a_vein() -> None:
    thin = vein((2.2, 2.2))
    assert passes(thin, MIDDLE, role="hepatic_artery").preserved
    assert not passes(thin, zone((36, 4, 3), 9.0), role="hepatic_artery").preserved


def test_a_vein_drawn_up_to_the_zone_on_both_sides_goes_on_through_it() -> None:
    gapped = without(vein(), ball((0, 2, 1.5), 11.0))
    assert passes(gapped, MIDDLE).kind == "passes"
    assert passes(both(gapped, below(0, 0.0)), MIDDLE).kind == "one_side"


def test_a_swallowed_branch_does_not_lose_the_vein() -> None:
    branched = union(vein(), tube((0, 2, 1.5), (12, -14, 1.5), (4.0, 4.0)))
    assert passes(branched, zone((12, -14, 1.5), 8.0)).preserved
    assert not passes(branched, zone((-34, 0, 0), 12.0)).preserved


def test_on_a_coarse_grid_only_a_vein_apart_from_the_zones_is_known() -> None:
    coarse = lattice((44.0, 20.0, 20.0), (2.5, 0.8, 0.8))
    assert passes(vein(), zone((0, 18, 0), 6.0), grid=coarse).preserved
    met = passes(vein(), MIDDLE, grid=coarse)
    assert met.preserved is None
    assert met.reason is not None
    assert "too coarse" in met.reason


def case(pre: dict[str, Inside], post: dict[str, Inside]) -> Case:
    image = Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID)
    always = {"tumour_1": ball((0, 2, 1.5), 5.0)}, {"ablation_1": ball((0, 2, 1.5), 11.0)}
    studies = [
        Study(image, {name: voxelised(body, GRID, name) for name, body in (own | drawn).items()})
        for own, drawn in zip(always, (pre, post), strict=True)
    ]
    return Case("a", "a", *studies)


def of_case(which: Case, alignment: Alignment | None = None) -> tuple[Passage, ...]:
    how = alignment or Alignment.as_given("aligned")
    return passages_of(which, make_scene(which, how, zone_surfaces(which.post)), how)


BESIDE = tube((-36, -14, 0), (36, -14, 0), (5, 5))


def test_veins_are_counted_and_one_without_a_mask_makes_the_count_a_bound() -> None:
    found = of_case(case({}, {"hepatic_vein_right": vein(), "hepatic_vein_left": BESIDE}))
    veins, inflow = preserved_findings(found)
    assert (veins.quantity, veins.value, veins.bound) == (VEINS_PRESERVED, 2.0, "at_least")
    assert veins.reason == "hepatic vein middle: no mask"
    assert (inflow.quantity, inflow.value) == (INFLOW_PRESERVED, None)
    assert inflow.reason == "portal vein: no mask; hepatic artery: no mask"


def test_one_mask_of_all_veins_tells_that_one_is_left_but_not_how_many() -> None:
    lost = tube((-6, 2, 1.5), (6, 2, 1.5), (5, 5))
    one_left = preserved_findings(of_case(case({}, {"hepatic_vein": union(BESIDE, lost)})))[0]
    assert (one_left.value, one_left.bound) == (1.0, "at_least")
    none_seen = preserved_findings(of_case(case({}, {"hepatic_vein": lost})))[0]
    assert none_seen.value is None
    assert none_seen.reason


def test_both_inflows_are_counted_where_they_are_drawn() -> None:
    found = of_case(case({}, {"portal_vein": vein(), "hepatic_artery": tube((0, 2, 1.5), (36, 4, 3), (3, 3))}))
    inflow = preserved_findings(found)[1]
    assert (inflow.value, inflow.bound, inflow.reason) == (1.0, "exact", None)


def test_a_vein_of_pre_is_carried_over_unless_the_registration_failed() -> None:
    shift = rigid((0, 0, 0), (0.0, 30.0, 0.0))
    moved = SpatialMap(np.linalg.inv(shift))
    which = case({"hepatic_vein_right": vein()}, {})
    here = of_case(which)
    assert here[0].kind == "passes"
    away = Alignment("rigid", moved, moved, error_at_zone_mm={"1": 1.0})
    scene = make_scene(which, Alignment.as_given("aligned"), zone_surfaces(which.post))
    assert passages_of(which, scene, away)[0].kind == "apart"
    failed = Alignment("rigid", moved, moved, (Check("overlap", 0.1, "share", False, "too little in both scans"),))
    assert passages_of(which, scene, failed)[0].preserved is None


def test_each_sentence_asks_the_reader_and_none_advises() -> None:
    found = of_case(case({}, {"hepatic_vein_right": vein(), "hepatic_vein_left": BESIDE}))
    said = passage_sentences(found)
    assert said[0].startswith("Left hepatic vein: does not meet the ablation zones")
    assert said[1].startswith("Right hepatic vein: goes through the ablation zones for 2")
    assert all(sentence.endswith(f"{CONFIRM}.") for sentence in said)
    unknown = passage_sentences([Passage("portal_vein", None, "unknown", reason="the mask is too small")])
    assert unknown == ("Portal vein: not known (the mask is too small).",)


def test_centres_of_the_lattice_hold_the_vein() -> None:
    """The phantoms do not touch the border of their lattice, so that their ends are ends."""
    assert voxelised(vein(), GRID).volume_ml == pytest.approx(np.pi * 9.0 * np.linalg.norm((72, 4, 3)) / 1000, rel=0.03)
    assert not voxelised(vein(), GRID).touches_edge()
    assert len(centres(GRID)) == GRID.shape_kji[0] * GRID.shape_kji[1] * GRID.shape_kji[2]
