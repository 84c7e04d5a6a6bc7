"""What was planned beside what was achieved: zones moved, turned and scaled by known amounts give these back."""

from __future__ import annotations

import analytic
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from planner.assess import AssessSettings, assess
from planner.assessment import Assessment
from planner.case import Case, Study
from planner.errors import InputError
from planner.grid import Grid
from planner.measure.achieved import achieved_beside, shape_of
from planner.plan.make import PlanSettings, planned
from planner.plan.needle import Needle, needle_of
from planner.plan.outcome import with_plan
from planner.plan.setting import Setting
from planner.plan.zone import PlannedZone, spread_directions
from planner.register.alignment import Alignment
from planner.scene import zone_surfaces
from planner.volume import Mask, Volume

GRID = Grid.axis_aligned((90, 100, 110), (1.0, 1.0, 1.0))
TUMOUR_LPS_MM, RADIUS_MM = np.array([54.0, 48.0, 44.0]), 10.0
ENTRY_LPS_MM, TARGET_LPS_MM = np.array([10.0, 20.0, 30.0]), np.array([55.0, 49.0, 43.0])
SETTING = Setting("own", "own", "", None, None, 44.0, 32.0, None, None, None, "user", None, None, charted=False)


def across(axis: np.ndarray) -> np.ndarray:
    found = np.cross(axis, (0.0, 0.0, 1.0))
    return found / np.linalg.norm(found)


def made(
    zone: PlannedZone, along_mm: float, across_mm: float, degrees: float, scale: tuple[float, float]
) -> PlannedZone:
    """A planned zone as it was made: shifted along and across its needle, turned and scaled."""
    axis = np.array(zone.axis_lps)
    turned = Rotation.from_rotvec(across(axis) * np.radians(degrees)).apply(axis)
    centre = zone.centre_lps_mm + along_mm * axis + across_mm * across(axis)
    return PlannedZone(centre, turned, zone.length_mm * scale[0], zone.width_mm * scale[1])


def needle() -> Needle:
    return needle_of("1", "1", SETTING, ENTRY_LPS_MM, TARGET_LPS_MM)


def reviewed(achieved: PlannedZone, needles: tuple[Needle, ...]) -> Assessment:
    centres = analytic.centres(GRID)
    image = Volume(np.zeros(GRID.shape_kji, np.float32), GRID, "CT")
    tumour = analytic.voxelised(analytic.ball(TUMOUR_LPS_MM, RADIUS_MM), GRID, "tumour_1")
    zone = Mask(achieved.contains(centres).reshape(GRID.shape_kji), GRID, "ablation_1")
    case = Case("case", "key", Study(image, {"tumour_1": tumour}), Study(image, {"ablation_1": zone}))
    found = assess(case, Alignment.as_given("aligned"), zone_surfaces(case.post), AssessSettings())
    return with_plan(found, case, needles)


@pytest.mark.parametrize(
    ("along_mm", "across_mm", "degrees", "scale"),
    [
        (0.0, 0.0, 0.0, (1.0, 1.0)),
        (3.0, 4.0, 0.0, (1.0, 1.0)),
        (-5.0, 0.0, 12.0, (1.0, 1.0)),
        (2.0, 1.0, 7.0, (1.1, 0.9)),
    ],
)  # fmt: skip
def test_exact_zones_give_back_by_how_much_they_were_moved_turned_and_scaled(
    along_mm: float, across_mm: float, degrees: float, scale: tuple[float, float]
) -> None:
    planned = needle().zone
    found = achieved_beside(
        planned.surface(), made(planned, along_mm, across_mm, degrees, scale).surface(), planned.axis_lps
    )
    assert found.along_needle_mm == pytest.approx(along_mm, abs=0.01)
    assert found.across_needle_mm == pytest.approx(across_mm, abs=0.01)
    assert found.axis_off_degrees == pytest.approx(degrees, abs=0.05)
    assert found.length_ratio == pytest.approx(scale[0], abs=0.001)
    assert found.width_ratio == pytest.approx(scale[1], abs=0.001)
    assert found.volume_ratio == pytest.approx(scale[0] * scale[1] ** 2, abs=0.002)


def test_zones_drawn_on_voxels_give_it_back_within_the_tolerances() -> None:
    achieved = made(needle().zone, 3.0, 2.0, 8.0, (1.05, 0.95))
    outcome = reviewed(achieved, (needle(),)).lesions[0].planned
    assert outcome is not None
    assert outcome.achieved is not None
    found = outcome.achieved
    assert (found.along_needle_mm, found.across_needle_mm) == pytest.approx((3.0, 2.0), abs=0.1)
    assert found.axis_off_degrees == pytest.approx(8.0, abs=0.5)
    assert (found.length_ratio, found.width_ratio) == pytest.approx((1.05, 0.95), abs=0.01)


def test_two_equal_zones_overlap_wholly_and_two_apart_not_at_all() -> None:
    planned = needle().zone
    same = achieved_beside(planned.surface(), planned.surface(), planned.axis_lps)
    assert same.dice == 1.0
    assert same.most_apart_mm == pytest.approx(0.0, abs=1e-6)
    far = achieved_beside(planned.surface(), made(planned, 60.0, 0.0, 0.0, (1.0, 1.0)).surface(), planned.axis_lps)
    assert far.dice == 0.0


def test_dice_of_two_shifted_balls_is_that_of_their_lens() -> None:
    radius, apart = 15.0, 9.0
    axis = np.array([0.0, 0.0, 1.0])
    a = PlannedZone(np.zeros(3), axis, 2 * radius, 2 * radius)
    b = PlannedZone(apart * axis, axis, 2 * radius, 2 * radius)
    found = achieved_beside(a.surface(), b.surface(), axis)
    assert found.dice == pytest.approx(analytic.lens_ml(radius, radius, apart) / analytic.ball_ml(radius), abs=0.01)
    assert found.axis_off_degrees is None


def test_margin_is_lost_where_the_zone_was_moved_away_from() -> None:
    planned = needle().zone
    axis = np.array(planned.axis_lps)
    assessment = reviewed(made(planned, 6.0, 0.0, 0.0, (1.0, 1.0)), (needle(),))
    outcome = assessment.lesions[0].planned
    assert outcome is not None
    margin = assessment.lesions[0].margin
    assert margin is not None
    assert outcome.planned_min_mm is not None
    assert margin.min_mm is not None
    assert outcome.lost_mm is not None
    assert outcome.planned_min_mm > margin.min_mm
    towards = (np.array(outcome.lost_at_lps_mm) - TUMOUR_LPS_MM) / RADIUS_MM
    assert towards @ -axis > 0.9
    surface = TUMOUR_LPS_MM + RADIUS_MM * spread_directions(4000)
    moved = made(planned, 6.0, 0.0, 0.0, (1.0, 1.0)).surface()
    lost = planned.surface().signed_depth_mm(surface) - moved.signed_depth_mm(surface)
    assert outcome.lost_mm == pytest.approx(float(lost.max()), abs=0.3)
    assert outcome.lost_share == pytest.approx(float((lost > 0).mean()), abs=0.03)


def test_moments_of_an_ellipsoid_are_its_own() -> None:
    zone = PlannedZone(np.array([3.0, -40.0, 200.0]), np.array([1.0, -2.0, 0.5]), 50.0, 30.0)
    shape = shape_of(zone.surface())
    assert shape.centre_lps_mm == pytest.approx(zone.centre_lps_mm, abs=1e-6)
    assert abs(shape.axes_lps[0] @ zone.axis_lps) == pytest.approx(1.0, abs=1e-6)
    assert shape.extents_mm == pytest.approx((50.0, 30.0, 30.0), rel=0.002)
    assert shape.volume_ml == pytest.approx(zone.volume_ml, rel=0.005)


def test_a_plan_of_another_scan_is_refused() -> None:
    elsewhere = needle_of("1", "1", SETTING, ENTRY_LPS_MM + 500.0, TARGET_LPS_MM + 500.0)
    with pytest.raises(InputError, match="lies outside PRE"):
        reviewed(needle().zone, (elsewhere,))
    other = needle_of("1", "7", SETTING, ENTRY_LPS_MM, TARGET_LPS_MM)
    with pytest.raises(InputError, match="lesion 7, which PRE does not have"):
        reviewed(needle().zone, (other,))


def test_several_planned_zones_keep_their_margin_and_say_what_is_not_compared() -> None:
    second = needle_of("2", "1", SETTING, ENTRY_LPS_MM, TARGET_LPS_MM + 4.0)
    outcome = reviewed(needle().zone, (needle(), second)).lesions[0].planned
    assert outcome is not None
    assert outcome.zones == ("1", "2")
    assert outcome.planned_min_mm is not None
    assert outcome.achieved is None
    assert "one zone planned and one achieved" in outcome.reason


def test_beside_the_capsule_the_planned_margin_is_the_one_that_the_plan_itself_told() -> None:
    image = Volume(np.zeros(GRID.shape_kji, np.float32), GRID, "CT")
    liver = analytic.voxelised(analytic.ball((54.0, 48.0, 26.0), 30.0), GRID, "liver")  # it ends above the tumour
    tumour = analytic.voxelised(analytic.ball(TUMOUR_LPS_MM, RADIUS_MM), GRID, "tumour_1")
    zone = Mask(needle().zone.contains(analytic.centres(GRID)).reshape(GRID.shape_kji) & liver.voxels_kji, GRID, "z")
    case = Case("case", "key", Study(image, {"tumour_1": tumour, "liver": liver}),
                Study(image, {"ablation_1": zone, "liver": liver}))  # fmt: skip
    told = planned(case, (needle(),), PlanSettings()).assessment.lesions[0].margin
    assert told is not None
    assert told.definition == "parenchymal"
    assert told.capsule_facing_fraction
    assert told.min_mm is not None
    assert told.min_mm > told.geometric_min_mm + 0.2  # the capsule decides
    found = assess(case, Alignment.as_given("aligned"), zone_surfaces(case.post), AssessSettings())
    outcome = with_plan(found, case, (needle(),)).lesions[0].planned
    assert outcome is not None
    assert outcome.planned_min_mm == pytest.approx(told.min_mm, abs=1e-6)
