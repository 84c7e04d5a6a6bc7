"""Where the liver ends, in the scene: zones go on smoothly, veins inside are liver, vessels outside are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from analytic import Inside, Points, ball, below, both, box, lattice, rigid, sphere, union, voxelised, without

from planner.case import Case, Study
from planner.grid import Grid
from planner.measure.margin import Margin, measure_margin
from planner.measure.zone import Zone
from planner.register.alignment import Alignment
from planner.scene import Scene, make_scene, union_of, zone_surfaces
from planner.surface import surface_of
from planner.volume import Volume

ZONE_MM = 14.0
CAPSULE_MM = 9.0
"""The liver ends at this x; the zone's ball about the origin reaches beyond, and is drawn up to there only."""

FLAT = below(0, CAPSULE_MM)
CLIPPED = both(ball((0, 0, 0), ZONE_MM), FLAT)
COARSE = lattice(25.0, (2.0, 1.5, 1.5))
TURNED = lattice(30.0, (2.0, 1.4, 1.4), turned=rigid((0.3, -0.2, 0.4))[:3, :3])
TUMOUR_MM = 5.5
TUMOUR_AT = (3.0, 0.0, 0.0)


@dataclass(frozen=True)
class Looked:
    """A scene and the margin in it, measured as `assess` does."""

    scene: Scene
    margin: Margin


def look(
    liver: Inside, at: Points | tuple[float, float, float], zone: Inside, grid: Grid, *, lattices: Grid | None = None,
    tumour_mm: float = TUMOUR_MM, **vessels: Inside,
) -> Looked:  # fmt: skip
    there = lattices or grid
    post = {"ablation_1": voxelised(zone, grid, "ablation_1"), "liver": voxelised(liver, there, "liver")}
    post |= {name: voxelised(vessel, there, name) for name, vessel in vessels.items()}
    image = Volume(np.zeros(grid.shape_kji), grid)
    tumour = {"tumour_1": voxelised(ball(at, tumour_mm), grid, "tumour_1")}
    case = Case("c", "p", Study(image, tumour), Study(image, post))
    scene = make_scene(case, Alignment.as_given("aligned"), zone_surfaces(case.post))
    going_on, as_segmented = (Zone.of([surfaces["1"]]) for surfaces in (scene.smooth_zones, scene.zones))
    margin = measure_margin(scene.tumours["1"], going_on, liver=scene.liver, as_segmented=as_segmented)
    return Looked(scene, margin)


def to_liver_mm(at: tuple[float, float, float], tumour_mm: float = TUMOUR_MM) -> float:
    """Least distance from a tumour's ball to liver outside the zone's ball: to its sphere, or to the capsule's rim."""
    points = sphere(at, tumour_mm, 40_000).vertices_lps_mm
    length = np.linalg.norm(points, axis=1)
    rim_mm = np.hypot(points[:, 0] - CAPSULE_MM, np.hypot(points[:, 1], points[:, 2]) - np.sqrt(ZONE_MM**2 - 81.0))
    return float(np.where(ZONE_MM * points[:, 0] / length <= CAPSULE_MM, ZONE_MM - length, rim_mm).min())


def cap(beyond_mm: float, count: int = 4000) -> Points:
    """Points of the zone's sphere that lie beyond the capsule, by no more than this."""
    points = sphere((0, 0, 0), ZONE_MM, count).vertices_lps_mm
    return points[(points[:, 0] > CAPSULE_MM) & (points[:, 0] <= CAPSULE_MM + beyond_mm)]


@pytest.mark.parametrize("liver_on", [COARSE, TURNED], ids=["one lattice", "another lattice"])
def test_a_zone_drawn_up_to_the_capsule_goes_on_smoothly_beyond_it(liver_on: Grid) -> None:
    """Of the cap that no voxel shows, the first 2 mm lie where the ball's surface would."""
    scene = look(FLAT, (0.0, 0.0, 0.0), CLIPPED, COARSE, lattices=liver_on).scene
    smooth, drawn = scene.smooth_zones["1"], scene.zones["1"]
    assert np.abs(smooth.signed_depth_mm(cap(2.0))).mean() < 0.5
    assert smooth.contains(np.array([(CAPSULE_MM + 2.0, 0.0, 0.0)])).all()
    assert drawn.vertices_lps_mm[:, 0].max() == pytest.approx(CAPSULE_MM, abs=0.8)
    assert drawn.signed_depth_mm(cap(2.0)).max() < 0.3


def test_a_tumour_just_below_a_flat_cut_capsule_has_its_margin_to_liver_that_was_not_ablated() -> None:
    """Half a millimetre of zone is left between the tumour and the capsule: as drawn, that reads as no margin."""
    found = look(FLAT, TUMOUR_AT, CLIPPED, COARSE).margin
    assert found.min_mm == pytest.approx(to_liver_mm(TUMOUR_AT), abs=0.5)
    assert found.geometric_min_mm < 1.0


@pytest.mark.parametrize("liver_on", [COARSE, TURNED], ids=["one lattice", "another lattice"])
def test_the_share_that_faces_the_capsule_is_the_cap_of_the_ball_that_the_zone_was_cut_from(liver_on: Grid) -> None:
    """Feet of a concentric tumour lie straight outward: beyond x = 9 for 18 % of its surface, cut or not."""
    found = look(FLAT, (0.0, 0.0, 0.0), CLIPPED, COARSE, lattices=liver_on).margin
    assert found.capsule_facing_fraction == pytest.approx((1.0 - CAPSULE_MM / ZONE_MM) / 2.0, abs=0.11)
    assert found.min_mm == pytest.approx(ZONE_MM - TUMOUR_MM, abs=0.45)


def test_a_zone_in_two_parts_goes_on_beyond_the_capsule_as_a_whole_one_does() -> None:
    halves = [voxelised(both(CLIPPED, part), COARSE, "ablation") for part in (below(1, 0.4), lambda p: p[:, 1] > 0.4)]
    liver = look(FLAT, TUMOUR_AT, CLIPPED, COARSE).scene.limit
    zone, ablation_ml = union_of([surface_of(half) for half in halves], halves, liver)
    tumour = surface_of(voxelised(ball(TUMOUR_AT, TUMOUR_MM), COARSE))
    found = measure_margin(tumour, zone, liver=liver)
    assert found.min_mm == pytest.approx(to_liver_mm(TUMOUR_AT), abs=0.5)
    height_mm = ZONE_MM + CAPSULE_MM  # the volume stays that of what was drawn: a ball's cap
    assert ablation_ml == pytest.approx(np.pi * height_mm**2 * (3 * ZONE_MM - height_mm) / 3000.0, rel=0.03)


FINE = lattice((25.0, 25.0, 20.0), (1.5, 1.25, 1.25))
DEEP = below(0, 24.0)


@pytest.mark.parametrize("radius_mm", [4.0, 7.0])
def test_a_vein_that_the_liver_mask_leaves_out_is_liver_and_no_capsule(radius_mm: float) -> None:
    """The zone stops at the wall of a vein that runs through the scan: an open channel of up to 14 mm in the mask."""
    wall_mm = -6.5

    def vein(p: Points) -> np.ndarray:
        return np.asarray(np.hypot(p[:, 0] - (wall_mm - radius_mm), p[:, 1]) <= radius_mm)

    zone = without(ball((0, 0, 0), ZONE_MM), vein)
    found = look(without(DEEP, vein), (-1.0, 0.0, 0.0), zone, FINE, tumour_mm=4.0, hepatic_vein=vein)
    assert found.margin.min_mm == pytest.approx(-5.0 - wall_mm, abs=0.4)
    assert found.margin.capsule_facing_fraction == 0.0
    assert found.scene.liver is not None
    assert found.scene.liver.contains(np.array([(wall_mm - radius_mm, 0.0, 0.0)])).all()


GROOVED = union(FLAT, box((0.0, 18.0, -99.0), (99.0, 99.0, 99.0)), box((0.0, -99.0, -99.0), (99.0, -18.0, 99.0)))
"""A groove 36 mm wide between two parts of the liver, its floor the capsule at x = 9."""


@pytest.mark.parametrize("liver", [FLAT, GROOVED], ids=["along a flat capsule", "in a groove 36 mm wide"])
def test_a_vessel_that_runs_outside_the_liver_stays_outside(liver: Inside) -> None:
    """The vena cava on the capsule that cuts the zone: beyond the cut no liver was left to be ablated."""
    at = (3.4, 0.0, 0.0)
    cava = box((CAPSULE_MM, -10.0, -99.0), (CAPSULE_MM + 11.0, 10.0, 99.0))
    found = look(liver, at, CLIPPED, FINE, ivc=cava, tumour_mm=5.0)
    assert found.scene.liver is not None
    assert not found.scene.liver.contains(np.array([(CAPSULE_MM + 3.0, y, 0.0) for y in (-6.0, 0.0, 6.0)])).any()
    assert found.margin.min_mm == pytest.approx(to_liver_mm(at, 5.0), abs=0.4)
