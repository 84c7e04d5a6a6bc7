"""Liver, functioning liver, remnant and ablated share: against analytic truth, and where they are not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from analytic import Inside, ball, ball_ml, box, lattice, lens_ml, rigid, voxelised, without
from ball_source import script

from pipelines.catalogue import packaged_catalogue, packaged_standard_volume
from planner.assess import AssessSettings, assess
from planner.assessment import Assessment
from planner.case import Case, Study
from planner.consult import Evidence, consulted
from planner.errors import EvidenceError
from planner.evidence.standard_volume import load_standard_volume
from planner.findings import ABLATED_ML, ABLATED_PERCENT, LIVER_ML, Finding
from planner.grid import Grid
from planner.guideline.loading import load_file
from planner.register.alignment import Alignment, Check, SpatialMap
from planner.remnant import is_truncated, liver_findings
from planner.scene import make_scene, zone_surfaces
from planner.volume import Mask, Volume

SPACING = (2.0, 1.5, 1.5)
GRID = lattice(52.0, SPACING)
LIVER = ball((0, 0, 0), 44.0)
TUMOUR = ball((10, 5, 0), 8.0)
ZONE = ball((12, 5, 0), 14.0)
GIVEN = Alignment.as_given("the masks came aligned")


def drawn(bodies: Mapping[str, Inside], grid: Grid = GRID) -> dict[str, Mask]:
    return {role: voxelised(body, grid, role) for role, body in bodies.items()}


def study(bodies: Mapping[str, Inside], grid: Grid = GRID, **masks: Mask) -> Study:
    return Study(Volume(np.zeros(grid.shape_kji, dtype=np.float32), grid), {**drawn(bodies, grid), **masks})


def case(pre: Mapping[str, Inside] | None = None, post: Mapping[str, Inside] | None = None, grid: Grid = GRID) -> Case:
    before = {"tumour_1": TUMOUR, "liver": LIVER} if pre is None else pre
    return Case("a", "a", study(before, grid), study({"ablation_1": ZONE} if post is None else post, grid))


def found_of(one: Case, alignment: Alignment = GIVEN) -> dict[str, Finding]:
    scene = make_scene(one, alignment, zone_surfaces(one.post))
    return {finding.quantity.name: finding for finding in liver_findings(one, scene, alignment)}


REMNANT, OF_FUNCTIONING = "flr.volume_ml", "flr.of_functioning_liver_percent"
OF_STANDARD = "flr.of_standard_volume_percent"
FUNCTIONING, SHARE = "liver.functioning_ml", ABLATED_PERCENT.name


@pytest.mark.parametrize(("spacing", "percent"), [((1.0, 0.8, 0.8), 0.1), ((5.0, 0.8, 0.8), 0.5)], ids=["1 mm", "5 mm"])
@pytest.mark.parametrize("family", ["ball", "ellipsoid", "union"])
def test_remnant_and_ablated_share_are_those_of_the_analytic_liver(family: str, spacing, percent: float) -> None:
    """At random sub-voxel offsets, the zones carried by a known motion; the bench's own patients, another seed."""
    bench = script("bench_volumes")
    rng = np.random.default_rng([77, bench.FAMILIES.index(family)])
    patient = bench.make_patient(family, rng)
    found = bench.ours(*bench.make_case(patient, spacing, rng))
    for name, truth in patient.truth.items():
        assert found[name] == pytest.approx(truth, rel=percent / 100.0), name


def test_every_volume_is_the_balls() -> None:
    found = found_of(case())
    held_ml = ball_ml(14) - lens_ml(14, 8, 2)
    assert found[LIVER_ML.name].value == pytest.approx(ball_ml(44), rel=0.002)
    assert found[FUNCTIONING].value == pytest.approx(ball_ml(44) - ball_ml(8), rel=0.002)
    assert found[REMNANT].value == pytest.approx(ball_ml(44) - ball_ml(8) - held_ml, rel=0.002)
    assert found[OF_FUNCTIONING].value == pytest.approx(100 - 100 * held_ml / (ball_ml(44) - ball_ml(8)), abs=0.2)
    assert found[SHARE].value == pytest.approx(100 * ball_ml(14) / ball_ml(44), rel=0.005)
    assert all(finding.bound == "exact" for finding in found.values())


def test_a_liver_mask_that_leaves_out_the_tumour_gives_the_same() -> None:
    left_out = found_of(case({"tumour_1": TUMOUR, "liver": without(LIVER, TUMOUR)}))
    for name, finding in found_of(case()).items():
        assert left_out[name].value == (None if finding.value is None else pytest.approx(finding.value, rel=1e-3))


def test_a_tumour_at_the_capsule_belongs_to_the_liver_and_one_outside_does_not() -> None:
    beyond, away = ball((46, 0, 0), 8.0), ball((-42, -42, 42), 5.0)
    found = found_of(case({"tumour_1": TUMOUR, "tumour_2": beyond, "tumour_3": away, "liver": without(LIVER, beyond)}))
    whole_ml = ball_ml(44) + ball_ml(8) - lens_ml(44, 8, 46)
    assert found[LIVER_ML.name].value == pytest.approx(whole_ml, rel=0.002)
    assert found[FUNCTIONING].value == pytest.approx(whole_ml - 2 * ball_ml(8), rel=0.002)


def test_a_vein_left_out_of_the_liver_mask_is_liver_within_it_and_not_beyond() -> None:
    channel = box((-70, -4, -4), (-20, 4, 4))  # opens through the capsule
    vein = box((-52, -4, -4), (-20, 4, 4))
    hollow = case({"tumour_1": TUMOUR, "liver": without(LIVER, channel)})
    filled = case({"tumour_1": TUMOUR, "liver": without(LIVER, channel), "hepatic_vein": vein})
    missing_ml = 24.0 * 8.0 * 8.0 / 1000.0
    assert found_of(hollow)[LIVER_ML.name].value == pytest.approx(ball_ml(44) - missing_ml, rel=0.002)
    assert found_of(filled)[LIVER_ML.name].value == pytest.approx(ball_ml(44), rel=0.002)
    beside = case({"tumour_1": TUMOUR, "liver": LIVER, "ivc": box((-8, 46, -40), (8, 51, 40))})
    assert found_of(beside)[LIVER_ML.name].value == found_of(case())[LIVER_ML.name].value


def test_what_of_a_zone_lies_beyond_the_liver_takes_nothing_from_the_remnant_but_counts_as_ablated() -> None:
    zone = ball((40, 0, 0), 10.0)
    found = found_of(case({"tumour_1": ball((-20, 0, 0), 5.0), "liver": LIVER}, {"ablation_1": zone}))
    assert found[FUNCTIONING].value - found[REMNANT].value == pytest.approx(lens_ml(44, 10, 40), rel=0.02)
    assert found[ABLATED_ML.name].value == pytest.approx(ball_ml(10), rel=0.015)
    assert found[SHARE].value == pytest.approx(100 * ball_ml(10) / ball_ml(44), rel=0.015)


def test_overlapping_zones_count_once() -> None:
    zones = {"ablation_1": ball((-5, 0, 0), 12.0), "ablation_2": ball((8, 0, 0), 12.0)}
    found = found_of(case({"tumour_1": ball((0, 30, 0), 5.0), "liver": LIVER}, zones))
    both_ml = 2 * ball_ml(12) - lens_ml(12, 12, 13)
    assert found[ABLATED_ML.name].value == pytest.approx(both_ml, rel=0.01)
    assert found[FUNCTIONING].value - found[REMNANT].value == pytest.approx(both_ml, rel=0.01)


def test_zones_are_carried_to_the_liver_by_the_registration() -> None:
    """POST lies 30 mm away from PRE: without the map the zone would lie outside the liver."""
    there = lattice(52.0, SPACING, shift_mm=(30.1, -0.3, 0.2))
    moved = study({"ablation_1": ball((42, 5, 0), 14.0)}, there)
    known = SpatialMap(rigid(shift_mm=(-30.0, 0.0, 0.0)))
    found = found_of(Case("a", "a", case().pre, moved), Alignment("rigid", known, known))
    assert found[REMNANT].value == pytest.approx(found_of(case())[REMNANT].value, rel=0.001)


FAILED = (
    replace(GIVEN, checks=(Check("shared_view", 0.1, "", False, "too little"),)),
    replace(GIVEN, zone_checks={"1": (Check("predicted_error", 9.0, "mm", False, "too far off"),)}),
)


@pytest.mark.parametrize("alignment", FAILED, ids=["of the case", "at a zone"])
def test_where_the_registration_failed_the_remnant_is_at_least_what_the_whole_zones_would_leave(alignment) -> None:
    found = found_of(case(), alignment)
    assert found[REMNANT].bound == "at_least"
    assert found[REMNANT].value == pytest.approx(ball_ml(44) - ball_ml(8) - ball_ml(14), rel=0.002)
    assert found[OF_FUNCTIONING].bound == "at_least"
    assert "registration failed" in str(found[REMNANT].reason)
    assert found[SHARE].bound == "exact"


def cut_below(zone_z: float) -> tuple[Case, Case]:
    """POST ends below a plane that cuts the zone; and the same where it does not."""
    grids = [lattice((52.0, 52.0, half), SPACING) for half in (8.0, 30.0)]
    return tuple(Case("a", "a", case().pre, study({"ablation_1": ball((12, 5, zone_z), 14.0)}, grid)) for grid in grids)


def test_a_zone_that_the_scan_cuts_is_at_least_as_large_and_leaves_at_most_as_much() -> None:
    cut, whole = (found_of(one) for one in cut_below(0.0))
    assert (cut[ABLATED_ML.name].bound, cut[SHARE].bound) == ("at_least", "at_least")
    assert (cut[REMNANT].bound, cut[OF_FUNCTIONING].bound) == ("at_most", "at_most")
    assert cut[ABLATED_ML.name].value < whole[ABLATED_ML.name].value
    assert cut[REMNANT].value > whole[REMNANT].value
    assert "POST ends in ablation_1" in str(cut[SHARE].reason)
    assert found_of(cut_below(0.0)[0], FAILED[0])[REMNANT].value is None


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_liver_that_reaches_any_border_of_the_scan_is_truncated(axis: int, side: int) -> None:
    centre = np.zeros(3)
    centre[axis] = side * 12.0
    found = found_of(case({"tumour_1": TUMOUR, "liver": ball(centre, 44.0)}))
    for name in (LIVER_ML.name, FUNCTIONING, REMNANT, OF_FUNCTIONING, OF_STANDARD, SHARE):
        assert found[name].value is None
        assert "truncated" in str(found[name].reason)
    assert found[ABLATED_ML.name].value == pytest.approx(ball_ml(14), rel=0.005)


def test_a_mask_on_a_lattice_cut_to_it_is_whole_unless_it_reaches_the_scans_border() -> None:
    whole = voxelised(LIVER, GRID, "liver")
    tight, partly = whole.cropped(0), whole.cropped(3)
    image = Study(Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID), {})
    assert not is_truncated(image, whole)
    assert not is_truncated(image, tight)
    assert not is_truncated(image, partly)
    k, j, i = tight.grid.shape_kji
    top = Mask(tight.voxels_kji[: k // 2], tight.grid.cropped((0, 0, 0), (k // 2, j, i)), "liver")
    assert not is_truncated(image, top)  # nothing tells it from one that was drawn so and cut to its box
    cut = Mask(partly.voxels_kji[: k // 2], partly.grid.cropped((0, 0, 0), (k // 2, j + 6, i + 6)), "liver")
    assert is_truncated(image, cut)
    reaching = voxelised(ball((0, 0, 14), 44.0), GRID, "liver").cropped(0)
    assert is_truncated(image, reaching)


def test_without_a_liver_in_pre_only_the_ablated_volume_is_known() -> None:
    found = found_of(case({"tumour_1": TUMOUR}, {"ablation_1": ZONE, "liver": LIVER}))
    assert [name for name, finding in found.items() if finding.value is not None] == [ABLATED_ML.name]
    assert found[LIVER_ML.name].reason == "PRE has no liver mask"


FLR = """
schema_version = 1
[sources.trial]
label = "a trial"
title = "A trial"
section = "Criteria"
year = 2024
kind = "rct"
status = "current"
scheme = "trial criterion"

[[rule]]
id = "ZZ-01"
source = "trial"
title = "a remnant above 20 %"
statement = "The trial asked for a remnant above 20 %."
question = "remnant"
phase = ["post_procedure"]
about = "either"
scope = { treatment = "ablation" }
level = { grade = "trial criterion", stated_in_source = true }
per = "patient"
quantity = "NAME"
unit = "percent"
measured = ["NAME"]
entered = []
if_missing = "not_evaluable"
bands = [ { verdict = "pass", gt = 20.0 }, { verdict = "fail", le = 20.0 } ]
edges_from_source = [20.0]

[[rule.example]]
measured = { "NAME" = 20.1 }
verdict = "pass"

[[rule.example]]
measured = { "NAME" = 20.0 }
verdict = "fail"
"""
FLR_RULES = tuple(
    rule
    for name, rule_id in ((OF_FUNCTIONING, "ZZ-01"), (OF_STANDARD, "ZZ-02"))
    for rule in load_file(
        FLR.replace("NAME", name).replace("ZZ-01", rule_id), "trial.toml", packaged_catalogue().conflicts
    )[0]
)


@cache
def measured(*, cut: bool = False, failed: bool = False) -> Assessment:
    one = case({"tumour_1": TUMOUR, "liver": ball((0, 0, 12), 44.0)}) if cut else case()
    return assess(one, FAILED[0] if failed else GIVEN, zone_surfaces(one.post), AssessSettings())


def judged(facts: Mapping[str, object], **which: bool) -> Assessment:
    rules = (*packaged_catalogue().rules, *FLR_RULES)
    evidence = Evidence(rules=rules, standard_volume=packaged_standard_volume())
    return consulted(measured(**which), facts, evidence)


def verdicts(found: Assessment) -> dict[str, list[str]]:
    return {one.rule.id: [verdict.word for verdict in one.verdicts] for one in found.judged}


FACTS = {
    "primary": "colorectal", "one_session": True, "standard_liver_volume_ml": 1400.0, "post_chemotherapy": False,
    "parenchyma": "healthy",
}  # fmt: skip


def test_a_truncated_liver_leaves_exactly_the_rules_that_need_it_unjudged() -> None:
    whole = verdicts(judged(FACTS))
    cut = verdicts(judged(FACTS, cut=True))
    unjudged = ("PS-02", "CO-03", "ZZ-01", "ZZ-02")
    assert {rule for rule, words in cut.items() if words != whole[rule]} == {*unjudged, "MG-04"}
    assert {word for rule in unjudged for word in whole[rule]} == {"pass"}
    assert {word for rule in unjudged for word in cut[rule]} == {"not_evaluable"}
    # A statement about resection has nothing to say of a remnant that is not known.
    assert (whole["MG-04"], cut["MG-04"]) == (["info"], ["not_applicable"])


def test_a_bound_judges_where_it_suffices() -> None:
    """A registration that failed leaves a least remnant: far above 20 %, so the rule is met."""
    found = verdicts(judged(FACTS, failed=True))
    assert found["ZZ-01"] == ["pass"]


def value_of(found: Assessment, name: str) -> Finding:
    return next(finding for finding in found.findings if finding.quantity.name == name)


@pytest.mark.parametrize("entered", [{"resection_type": "major"}, {"resection_type": "none", "resected_lesions": 1}])
def test_beside_a_resection_the_remnant_is_at_most_what_the_zones_leave_and_meets_nothing(entered) -> None:
    """What a resection removes is in no mask: a remnant far above 20 % may be below it."""
    alone, beside = judged({**FACTS, "resection_type": "none", "resected_lesions": 0}), judged({**FACTS, **entered})
    for name in (REMNANT, OF_FUNCTIONING, OF_STANDARD):
        known, bound = value_of(alone, name), value_of(beside, name)
        assert (bound.value, bound.bound) == (known.value, "at_most")
        assert "a resection of the liver was entered" in str(bound.reason)
    assert {verdicts(alone)[rule][0] for rule in ("CO-03", "ZZ-01", "ZZ-02")} == {"pass"}
    assert {verdicts(beside)[rule][0] for rule in ("CO-03", "ZZ-01", "ZZ-02")} == {"not_evaluable"}
    assert verdicts(beside)["PS-02"] == verdicts(alone)["PS-02"] == ["pass"]


def test_a_least_remnant_is_not_known_beside_a_resection() -> None:
    share = value_of(judged({**FACTS, "resection_type": "major"}, failed=True), OF_FUNCTIONING)
    assert share.value is None
    assert "registration failed" in str(share.reason)
    assert "resection" in str(share.reason)


def test_the_remnants_share_of_the_entered_standard_volume() -> None:
    found = judged({**FACTS, "body_surface_area_m2": 1.9})
    share = value_of(found, OF_STANDARD)
    assert share.value == pytest.approx(100.0 * value_of(found, REMNANT).value / 1400.0)
    assert share.reason == "of 1400 ml as entered"


def test_without_it_the_standard_volume_follows_from_the_body_surface_area_and_says_by_which_formula() -> None:
    found = judged({"body_surface_area_m2": 2.0})
    share = value_of(found, OF_STANDARD)
    assert share.value == pytest.approx(100.0 * value_of(found, REMNANT).value / (706.2 * 2.0 + 2.4))
    assert "Urata 1995" in str(share.reason)
    assert "none of the source documents" in str(share.reason)


def test_with_neither_entered_the_share_of_the_standard_volume_is_unknown() -> None:
    share = value_of(judged({}), OF_STANDARD)
    assert share.value is None
    assert "was entered" in str(share.reason)


def test_a_malformed_formula_is_refused() -> None:
    with pytest.raises(EvidenceError, match=r"site\.toml"):
        load_standard_volume("schema_version = 1", "site.toml")
