"""A scan that ends in a lesion: what lies beyond is not known, and no margin is given."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, lattice, voxelised

from planner.assess import AssessSettings, assess, assess_aligned
from planner.case import Case, Study
from planner.register.alignment import Alignment, SpatialMap
from planner.scene import zone_surfaces
from planner.volume import Mask, Volume

HALF_MM = (20.0, 20.0, 20.0)
GRID = lattice(HALF_MM, (2.0, 1.5, 1.5))
TOP_MM = float(GRID.corners_lps_mm()[:, 2].max())
ALIGNED = Alignment("rigid", SpatialMap.identity(), SpatialMap.identity(), (), {"1": 1.0}, {"1": ()})


def study(role: str, mask: Mask) -> Study:
    return Study(Volume(np.zeros(GRID.shape_kji), GRID), {role: mask})


def assessed(tumour_z: float, zone_z: float):
    tumour = voxelised(ball((0, 0, tumour_z), 5.0), GRID, "tumour_1")
    zone = voxelised(ball((0, 0, zone_z), 9.0), GRID, "ablation_1")
    case = Case("case-1", "patient-1", study("tumour_1", tumour), study("ablation_1", zone))
    return assess(case, ALIGNED, zone_surfaces(case.post), AssessSettings()).lesions[0]


def test_a_lesion_well_inside_both_scans_is_assessed() -> None:
    assert assessed(0.0, 0.0).status == "assessed"


@pytest.mark.parametrize(
    ("tumour_z", "zone_z", "said"),
    [
        (TOP_MM - 3.0, TOP_MM - 11.0, "the scan of PRE ends in tumour_1"),
        (TOP_MM - 9.0, TOP_MM - 7.0, "the scan of POST ends in ablation_1"),
    ],
)
def test_a_scan_that_ends_in_tumour_or_zone_gives_no_margin(tumour_z: float, zone_z: float, said: str) -> None:
    found = assessed(tumour_z, zone_z)
    assert found.status == "not_assessable"
    assert found.margin is None
    (reason,) = (r for r in found.reasons if r.field == "margin")
    assert reason.code == "scan-ends-in-lesion"
    assert reason.text.startswith(said)
    assert {r.code for r in found.reasons} == {"scan-ends-in-lesion"}
    assert (found.tumour_ml is None) == said.startswith("the scan of PRE")


def test_a_mask_on_a_lattice_of_its_own_is_held_against_the_scan_not_against_that() -> None:
    tumour = voxelised(ball((0, 0, 0), 5.0), GRID, "tumour_1")
    tight = tumour.cropped()
    assert tight.touches_edge()
    assert not study("tumour_1", tight).cuts(tight)
    shifted = voxelised(ball((0, 0, TOP_MM), 5.0), GRID, "tumour_1").cropped(2)
    assert study("tumour_1", shifted).cuts(shifted)


def test_masks_that_come_without_a_scan_have_no_end_of_one() -> None:
    tumour = voxelised(ball((0, 0, TOP_MM - 3.0), 5.0), GRID, "tumour")
    zone = voxelised(ball((0, 0, TOP_MM - 5.0), 9.0), GRID, "ablation")
    (lesion,) = assess_aligned(tumour, [zone], None).lesions
    assert lesion.status == "assessed"
    assert "truncated" in lesion.margin.flags
