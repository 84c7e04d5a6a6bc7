from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from analytic import ball, ball_ml, below, lattice, lens_ml, rigid, voxelised

from planner.assess import AssessSettings, assess, assess_aligned, require_lesions, require_shared_space
from planner.assessment import Assessment, LesionAssessment
from planner.case import Case, Study
from planner.errors import EmptyMaskError, FrameMismatchError, InputError
from planner.findings import LIVER_ML
from planner.register.alignment import Alignment, Check, SpatialMap
from planner.scene import zone_surfaces
from planner.volume import Mask, Volume

GRID = lattice((34.0, 22.0, 18.0), (2.0, 1.5, 1.5))
TUMOURS = {"1": ((-16.0, 0.0, 0.0), 5.0), "2": ((-8.0, 3.0, 2.0), 3.5), "3": ((24.0, 0.0, 0.0), 5.0)}
ZONES = {"1": ((-14.0, 0.0, 0.0), 12.0), "2": ((12.0, -12.0, 0.0), 5.0)}
SETTINGS = AssessSettings()


def empty(name: str) -> Mask:
    return Mask(np.zeros(GRID.shape_kji, dtype=bool), GRID, name)


def study(**masks: Mask) -> Study:
    return Study(Volume(np.zeros(GRID.shape_kji), GRID), masks)


def case(**changes: object) -> Case:
    pre = study(**{f"tumour_{name}": voxelised(ball(*b), GRID, f"tumour_{name}") for name, b in TUMOURS.items()})
    post = study(**{f"ablation_{name}": voxelised(ball(*b), GRID, f"ablation_{name}") for name, b in ZONES.items()})
    return replace(Case("case-1", "patient-1", pre, post), **changes)  # type: ignore[arg-type]  # any field of the value


def alignment(**changes: object) -> Alignment:
    good = Check("predicted_error", 1.5, "mm", True, "fine")
    found = Alignment(
        "rigid", SpatialMap.identity(), SpatialMap.identity(), (), {"1": 1.5, "2": 2.5}, {"1": (good,), "2": (good,)}
    )
    return replace(found, **changes)  # type: ignore[arg-type]  # any field of the value


def assessed(which: Case, how: Alignment) -> Assessment:
    return assess(which, how, zone_surfaces(which.post), SETTINGS)


@cache
def whole() -> Assessment:
    return assessed(case(), alignment())


def lesion(found: Assessment, lesion_id: str) -> LesionAssessment:
    return next(x for x in found.lesions if x.lesion_id == lesion_id)


def test_lesions_come_in_order_each_with_its_zones_by_overlap() -> None:
    assert [(x.lesion_id, x.status, x.zones) for x in whole().lesions] == [
        ("1", "assessed", ("1",)),
        ("2", "assessed", ("1",)),
        ("3", "not_treated", ()),
    ]
    assert whole().status == "assessed"


def test_two_lesions_in_one_zone_each_have_their_own_margin_and_the_whole_zones_volume() -> None:
    for name, (centre, radius) in TUMOURS.items():
        if name == "3":
            continue
        found = lesion(whole(), name)
        truth = 12.0 - radius - float(np.linalg.norm(np.subtract(centre, ZONES["1"][0])))
        assert found.margin is not None
        assert found.margin.min_mm == pytest.approx(truth, abs=0.4)
        assert found.rigid_min_mm == pytest.approx(truth, abs=0.4)
        assert found.ablation_ml == pytest.approx(ball_ml(12.0), rel=0.03)
        assert found.tumour_ml == pytest.approx(ball_ml(radius), rel=0.05)
        assert found.max_diameter_mm == pytest.approx(2 * radius, abs=0.6)
        assert found.registration_error_mm == 1.5
        assert found.coverage is not None


def test_an_assessed_lesion_has_an_interval_that_includes_the_registration() -> None:
    margin = lesion(whole(), "1").margin
    assert margin is not None
    assert margin.min_mm is not None
    assert margin.interval is not None
    assert margin.interval.low_mm < margin.min_mm < margin.interval.high_mm
    assert margin.interval.assumed.registration_error_mm == 1.5
    assert margin.interval.variance_share["registration"] > 0.3


def test_a_tumour_that_no_zone_touches_is_not_treated_and_has_its_distance_to_every_zone() -> None:
    found = lesion(whole(), "3")
    assert found.margin is None
    assert found.coverage is None
    centre, radius = TUMOURS["3"]
    for name, (at, its) in ZONES.items():
        distance = next(d for d in found.distances if d.structure == f"ablation_{name}")
        assert distance.mm == pytest.approx(np.linalg.norm(np.subtract(centre, at)) - radius - its, abs=0.4)
        assert distance.points_lps_mm is not None
        assert np.linalg.norm(np.subtract(*distance.points_lps_mm)) == pytest.approx(distance.mm, abs=1e-6)


@pytest.mark.parametrize("lesion_id", list(TUMOURS))
def test_what_is_unknown_has_a_reason(lesion_id: str) -> None:
    found = lesion(whole(), lesion_id)
    reasons = {reason.field for reason in found.reasons}
    for name in ("margin", "ablation_ml", "registration_error_mm"):
        assert getattr(found, name) is not None or name in reasons, name
    for name in ("without_vessel_facing_mm", "capsule_facing_fraction", "min_mm"):
        assert found.margin is None or getattr(found.margin, name) is not None or f"margin.{name}" in reasons, name


@pytest.mark.parametrize("lesion_id", ["1", "2"])
def test_a_measured_lesion_says_what_its_margin_would_be_had_the_zone_changed(lesion_id: str) -> None:
    found = lesion(whole(), lesion_id)
    assert found.margin is not None
    centre, radius = TUMOURS[lesion_id]
    off = float(np.linalg.norm(np.subtract(centre, ZONES["1"][0])))
    for row, factor in zip(found.sensitivity, (0.9 ** (1 / 3), 1.1 ** (1 / 3)), strict=True):
        assert row.min_mm == pytest.approx(12.0 / factor - radius - off, abs=0.4)
        assert row.min_mm - (found.margin.min_mm or 0.0) == pytest.approx(12.0 / factor - 12.0, abs=0.05)
    assert found.tissue.surroundings_percent is None
    assert "rigid" in (found.tissue.reason or "")


def test_a_lesion_without_a_margin_has_neither_assumptions_nor_a_change_of_tissue_but_a_reason() -> None:
    found = lesion(whole(), "3")
    assert all(row.min_mm is None and row.reason for row in found.sensitivity)
    assert len(found.sensitivity) == 2
    assert found.tissue.reason


@pytest.mark.slow
def test_entered_pairs_win_over_overlap() -> None:
    found = lesion(assessed(case(pairs={"3": ("2",), "2": ("1", "2")}), alignment()), "3")
    assert (found.status, found.zones) == ("assessed", ("2",))
    assert found.margin is not None
    far = np.linalg.norm(np.subtract(TUMOURS["3"][0], ZONES["2"][0])) + TUMOURS["3"][1] - ZONES["2"][1]
    assert found.margin.min_mm == pytest.approx(-far, abs=0.4)
    assert found.coverage is not None
    truth = ball_ml(5.0) - lens_ml(5.0, 5.0, float(np.linalg.norm(np.subtract(TUMOURS["3"][0], ZONES["2"][0]))))
    assert found.coverage.residual_ml == pytest.approx(truth, rel=0.05)


@pytest.mark.parametrize("scope", ["zone", "case"])
def test_a_failed_check_leaves_a_lesion_without_a_margin_but_with_the_reason(scope: str) -> None:
    bad = Check("predicted_error", 9.0, "mm", False, "predicted registration error 9.0 mm")
    how = alignment(checks=(bad,)) if scope == "case" else alignment(zone_checks={"1": (bad,)})
    found = assessed(case(), how)
    for name in ("1", "2"):
        assert lesion(found, name).status == "not_assessable"
        assert lesion(found, name).margin is None
        assert lesion(found, name).rigid_min_mm is None
        assert lesion(found, name).coverage is None
        assert [r.text for r in lesion(found, name).reasons if r.field == "margin"] == [bad.text]


def test_a_case_whose_every_lesion_fails_is_not_assessable() -> None:
    bad = Check("predicted_error", 9.0, "mm", False, "predicted registration error 9.0 mm")
    only = study(tumour_1=case().pre.masks["tumour_1"])
    found = assessed(case(pre=only), alignment(zone_checks={"1": (bad,)}))
    assert found.status == "not_assessable"
    assert found.reasons


def test_the_tumour_is_carried_by_the_map_into_post() -> None:
    """PRE drawn 9 mm off with a map that says so: the same margin as without."""
    only = study(tumour_1=voxelised(ball((-7.0, 0, 0), 5.0), GRID, "tumour_1"))
    found = SpatialMap(rigid(shift_mm=(9.0, 0, 0)))
    margin = lesion(assessed(case(pre=only), alignment(map=found, rigid=found)), "1").margin
    assert margin is not None
    assert margin.min_mm == pytest.approx(12.0 - 5.0 - 2.0, abs=0.4)
    assert margin.at_lps_mm == pytest.approx((-21.0, 0, 0), abs=1.5)


@pytest.mark.slow
def test_neither_alignment_nor_case_is_changed_and_the_answer_is_the_same_again() -> None:
    only = case(pre=study(tumour_1=case().pre.masks["tumour_1"]))
    how = alignment()
    before = how.map.parameters_sha256, dict(how.error_at_zone_mm), how.checks
    one, two = assessed(only, how), assessed(only, how)
    assert (how.map.parameters_sha256, dict(how.error_at_zone_mm), how.checks) == before
    assert one.alignment is how
    assert one.lesions[0].margin is not None
    assert two.lesions[0].margin is not None
    assert one.lesions[0].margin.min_mm == two.lesions[0].margin.min_mm
    assert one.lesions[0].margin.interval == two.lesions[0].margin.interval


def test_the_liver_volume_is_given_unless_the_mask_reaches_the_border() -> None:
    liver = voxelised(ball((0, 0, 0), 15.0), GRID, "liver")
    cut = voxelised(below(0, 10.0), GRID, "liver")
    far = study(ablation_2=case().post.masks["ablation_2"])
    tumour = case().pre.masks["tumour_3"]
    values = []
    for mask in (liver, cut, None):
        masks = {"tumour_1": tumour} if mask is None else {"tumour_1": tumour, "liver": mask}
        found = assessed(case(pre=study(**masks), post=far), alignment()).findings
        values.append(next(finding for finding in found if finding.quantity == LIVER_ML))
    assert values[0].value == pytest.approx(ball_ml(15.0), rel=0.03)
    assert values[1].value is None
    assert "truncated" in (values[1].reason or "")
    assert values[2].value is None
    assert values[2].reason


@pytest.mark.parametrize("which", ["tumour_1", "ablation_1"])
def test_an_empty_mask_is_an_error_that_names_it(which: str) -> None:
    pre, post = dict(case().pre.masks), dict(case().post.masks)
    (pre if which in pre else post)[which] = empty(which)
    with pytest.raises(EmptyMaskError, match=which):
        require_lesions(case(pre=study(**pre), post=study(**post)))


def test_a_case_without_tumour_or_without_zone_has_nothing_to_measure() -> None:
    with pytest.raises(InputError) as caught:
        require_lesions(case(pre=study()))
    assert caught.value.code == "no-tumour"
    with pytest.raises(InputError) as caught:
        require_lesions(case(post=study()))
    assert caught.value.code == "no-ablation"


def test_aligned_masks_are_measured_without_a_registration_error() -> None:
    tumour, zone = case().pre.masks["tumour_1"], case().post.masks["ablation_1"]
    found = assess_aligned(tumour, [zone], None).lesions[0]
    assert found.registration_error_mm == 0.0
    assert found.margin is not None
    assert found.margin.interval is not None
    assert found.margin.interval.variance_share["registration"] == 0.0
    assert found.margin.min_mm == pytest.approx(5.0, abs=0.4)


def elsewhere(mask: Mask, shift_mm: float = 0.0, frame_uid: str = "") -> Mask:
    affine = np.array(mask.grid.lps_mm_from_ijk)
    affine[0, 3] += shift_mm
    return Mask(mask.voxels_kji, replace(mask.grid, lps_mm_from_ijk=affine, frame_uid=frame_uid), mask.name)


@pytest.mark.parametrize("which", ["zone", "liver"])
def test_aligned_masks_of_another_frame_of_reference_are_refused(which: str) -> None:
    tumour, zone = case().pre.masks["tumour_1"], case().post.masks["ablation_1"]
    masks = {"zone": zone, "liver": voxelised(below(0, 10.0), GRID, "liver")}
    masks[which] = elsewhere(masks[which], frame_uid="1.2.4")
    with pytest.raises(FrameMismatchError, match=masks[which].name):
        assess_aligned(elsewhere(tumour, frame_uid="1.2.3"), [masks["zone"]], masks["liver"])


def test_aligned_masks_on_lattices_that_share_no_space_are_refused() -> None:
    tumour, zone = case().pre.masks["tumour_1"], case().post.masks["ablation_1"]
    with pytest.raises(InputError) as caught:
        assess_aligned(tumour, [elsewhere(zone, 500.0)], None)
    assert caught.value.code == "no-shared-space"
    require_shared_space(tumour, elsewhere(zone, 30.0))


@pytest.mark.parametrize("which", ["tumour", "zone"])
def test_aligned_masks_that_are_empty_are_refused(which: str) -> None:
    tumour, zone = case().pre.masks["tumour_1"], case().post.masks["ablation_1"]
    with pytest.raises(EmptyMaskError):
        assess_aligned(
            empty("tumour_1") if which == "tumour" else tumour, [empty("z") if which == "zone" else zone], None
        )


def test_studies_that_share_no_space_as_aligned_are_refused() -> None:
    away = SpatialMap(rigid(shift_mm=(900.0, 0, 0)))
    with pytest.raises(InputError) as caught:
        assessed(case(), alignment(map=away, rigid=away))
    assert caught.value.code == "no-shared-space"


def test_notes_of_the_studies_are_kept_with_their_study() -> None:
    base = case()
    noted = case(
        pre=replace(study(tumour_3=base.pre.masks["tumour_3"]), notes=("empty UIDs",)),
        post=study(ablation_2=base.post.masks["ablation_2"]),
        notes=("entered",),
    )
    assert assessed(noted, alignment()).notes == ("entered", "PRE: empty UIDs")


def test_a_tumour_equal_to_its_zone_is_treated_with_a_margin_of_nothing() -> None:
    same = voxelised(ball((0, 0, 0), 7.0), lattice((14.0, 14.0, 14.0), (2.0, 1.0, 1.0)), "tumour")
    found = assess_aligned(same, [same], None).lesions[0]
    assert found.status == "assessed"
    assert found.margin is not None
    assert found.margin.min_mm == pytest.approx(0.0, abs=0.05)


def test_a_tumour_at_the_capsule_inside_the_ablated_liver_is_covered_on_lattices_of_their_own() -> None:
    """The zone ends where the liver ends: a tumour that meets the capsule there does not lie outside the zone."""
    turned = rigid((0.2, 0.1, 0.3))[:3, :3]
    inside = ball((0, -40, 0), 58.0)  # the capsule passes 18 mm to +y of the origin
    grids = [
        lattice((26.0, 26.0, 26.0), spacing, turned=axes)
        for spacing, axes in (((2.5, 0.9, 0.9), turned), ((2.0, 1.0, 1.0), None), ((2.5, 1.2, 1.2), turned.T))
    ]
    tumour = voxelised(lambda p: ball((0, 11.5, 0), 7.0)(p) & inside(p), grids[0], "tumour")
    zone = voxelised(lambda p: ball((0, 11.0, 0), 14.0)(p) & inside(p), grids[1], "ablation")
    liver = voxelised(lambda p: inside(p) & (p[:, 1] > -22), grids[2], "liver")
    margin = assess_aligned(tumour, [zone], liver).lesions[0].margin
    assert margin is not None
    assert margin.min_mm == pytest.approx(6.5, abs=0.6)


def test_one_mask_given_as_two_tumours_is_said_to_be_one() -> None:
    pre, post = case().pre.masks["tumour_1"], case().post.masks["ablation_1"]
    twice = case(pre=study(tumour_1=pre, tumour_2=pre), post=study(ablation_1=post))
    assert "tumour_1 and tumour_2 have the same mask: is one of them a copy?" in assessed(twice, alignment()).notes
    assert not any("same mask" in note for note in whole().notes)
