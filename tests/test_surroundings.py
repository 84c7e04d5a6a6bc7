"""Distances of tumour and zone to what was drawn around them, in POST."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, lattice, rigid, voxelised

from planner.assessment import Distance
from planner.case import Case, Study
from planner.inventory import BOWEL, MAJOR_DUCTS, nearest_structure
from planner.register.alignment import Alignment, SpatialMap
from planner.surface import surface_of
from planner.surroundings import Around, structures_of, tumour_distances, zone_distances
from planner.volume import Mask, Volume

GRID = lattice((34.0, 26.0, 26.0), (1.5, 1.2, 1.2))
POST_FROM_PRE = rigid((0.0, 0.0, 0.2), (3.0, -2.0, 1.0))
MOVED = Alignment(
    "rigid", *[SpatialMap(np.linalg.inv(POST_FROM_PRE))] * 2, error_at_zone_mm={"1": 1.6}
)  # fmt: skip


def post(centre: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = POST_FROM_PRE[:3, :3] @ np.asarray(centre) + POST_FROM_PRE[:3, 3]
    return float(x), float(y), float(z)


def case() -> Case:
    image = Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID)
    none = Mask(np.zeros(GRID.shape_kji, dtype=bool), GRID, "colon")
    pre = {
        "tumour_1": voxelised(ball((0, 0, 0), 5.0), GRID),
        "common_bile_duct": voxelised(ball((0, 14, 0), 4.0), GRID),
        "colon": none,
        "rib_left_1": voxelised(ball((-24, 0, 0), 4.0), GRID),
    }
    after = {
        "ablation_1": voxelised(ball(post((0, 0, 0)), 8.0), GRID),
        "portal_vein": voxelised(ball(post((16, 0, 0)), 4.0), GRID),
    }
    return Case("a", "a", Study(image, pre), Study(image, after))


def tumour(of: Case):
    return surface_of(of.pre.tumours["1"]).moved(MOVED.map.post_from_pre)


def test_vessels_ducts_and_organs_count_bones_and_empty_masks_do_not() -> None:
    assert structures_of(case()) == ("common_bile_duct", "portal_vein")


def test_the_tumour_is_measured_to_structures_of_both_studies_in_post() -> None:
    found = {d.structure: d for d in tumour_distances(tumour(case()), Around.of(case()), MOVED, 1.6, 0.5)}
    assert found["common_bile_duct"].mm == pytest.approx(14 - 5 - 4, abs=0.3)
    assert found["portal_vein"].mm == pytest.approx(16 - 5 - 4, abs=0.3)
    on_tumour, on_duct = (np.asarray(p) for p in found["common_bile_duct"].points_lps_mm)
    assert on_tumour == pytest.approx(np.asarray(post((0, 5, 0))), abs=1.2)
    assert on_duct == pytest.approx(np.asarray(post((0, 10, 0))), abs=1.2)


def test_only_a_distance_across_the_studies_carries_the_registration_error() -> None:
    width = {
        d.structure: d.ci95_mm[1] - d.ci95_mm[0]
        for d in tumour_distances(tumour(case()), Around.of(case()), MOVED, 1.6, 0.5)
    }
    assert width["portal_vein"] > width["common_bile_duct"] + 1.0


def test_without_a_usable_registration_structures_of_the_other_study_have_no_distance_but_a_reason() -> None:
    found = {d.structure: d for d in tumour_distances(tumour(case()), Around.of(case()), MOVED, None, 0.5)}
    assert set(found) == {"common_bile_duct", "portal_vein"}
    assert found["common_bile_duct"].mm is not None
    assert (found["portal_vein"].mm, found["portal_vein"].ci95_mm) == (None, None)
    assert found["portal_vein"].reason == "drawn in POST only, and the registration cannot be used at this lesion"
    zone = surface_of(case().post.ablations["1"])
    of_zone = {d.structure: d for d in zone_distances([zone], Around.of(case()), MOVED, None, 0.5)}
    assert of_zone["portal_vein"].mm is not None
    assert of_zone["common_bile_duct"].mm is None
    assert "drawn in PRE only" in str(of_zone["common_bile_duct"].reason)


def test_of_several_zones_the_nearest_counts_and_distances_come_nearest_first() -> None:
    near = surface_of(case().post.ablations["1"])
    far = surface_of(voxelised(ball(post((-14, 0, 0)), 4.0), GRID))
    found = zone_distances([far, near], Around.of(case()), MOVED, 1.6, 0.5)
    assert [(d.structure, d.from_) for d in found] == [("common_bile_duct", "ablation"), ("portal_vein", "ablation")]
    assert [d.mm for d in found] == pytest.approx([14 - 8 - 4, 16 - 8 - 4], abs=0.3)


def test_a_duct_without_a_mask_makes_the_nearest_duct_a_bound_and_missing_bowel_unknown() -> None:
    distances = tumour_distances(tumour(case()), Around.of(case()), MOVED, 1.6, 0.5)
    duct = nearest_structure(distances, "tumour", MAJOR_DUCTS)
    bowel = nearest_structure(distances, "tumour", BOWEL)
    assert duct.bound == "at_most"
    assert duct.value == pytest.approx(5.0, abs=0.3)
    assert bowel.value is None


def test_a_heart_drawn_in_parts_counts_by_the_nearest_of_them() -> None:
    around = [
        Distance(name, "tumour", mm, None)
        for name, mm in (("heart_atrium_left", 30.0), ("heart_ventricle_left", 22.0), ("colon", 40.0))
    ]
    found = nearest_structure(around, "tumour", ("heart", "colon"))
    assert (found.value, found.bound) == (22.0, "exact")
    whole = [*around, Distance("heart", "tumour", 25.0, None)]
    assert nearest_structure(whole, "tumour", ("heart", "colon")).value == 25.0
