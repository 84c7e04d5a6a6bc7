"""The tables of boundary values of the evidence, each column held against the packaged catalogue."""

from __future__ import annotations

import pytest

from pipelines.catalogue import packaged_catalogue, packaged_hazards
from planner.findings import QUANTITIES
from planner.guideline.judge import judge
from planner.guideline.measured import Measured
from planner.guideline.rule import WORST_FIRST

CATALOGUE = packaged_catalogue()
WORST_MARGINS = next(reference for reference in CATALOGUE.references if reference.id == "CL-03")
WANG = next(hazard for hazard in packaged_hazards() if hazard.id == "WA-01")

COLORECTAL = {
    "primary": "colorectal", "count_complete": True, "well_located": True, "resectability": "resectable",
    "ablatable": True, "extrahepatic_disease": "none", "modality": "radiofrequency", "displacement": False,
    "metastases_timing": "metachronous", "primary_node_positive": False, "markers_elevated": False,
}  # fmt: skip
NEUROENDOCRINE = {"primary": "neuroendocrine", "count_complete": True, "oligometastatic": True}

SIZE, LARGEST = "lesion.max_axial_diameter_mm", "patient.max_axial_diameter_mm"
COUNT = "patient.n_lesions"
MARGIN = "margin.min_mm"
TUMOUR_TO_DUCT, ZONE_TO_DUCT = "dist.tumour_to_major_duct_mm", "dist.zone_to_major_duct_mm"
TUMOUR_TO_BOWEL, ZONE_TO_BOWEL = "dist.tumour_to_bowel_mm", "dist.zone_to_bowel_mm"
TUMOUR_TO_VULNERABLE = "dist.tumour_to_vulnerable_mm"
REMNANT, OF_STANDARD = "flr.of_functioning_liver_percent", "flr.of_standard_volume_percent"
ABLATED = "ablation.fraction_of_liver_percent"


def word(rule_id, measured, facts=COLORECTAL, own=False):
    """Return the word of one rule, of values in the units of their quantities."""
    values = {name: Measured(float(value), QUANTITIES[name].unit) for name, value in measured.items()}
    return judge(CATALOGUE.rule(rule_id), values, facts, own=own).word


def worst(rule_ids, measured):
    """Return the worst word of rules that are the bands of one statement."""
    return min((word(rule_id, measured) for rule_id in rule_ids), key=WORST_FIRST.index)


def solitary(diameter_mm):
    return {SIZE: diameter_mm, LARGEST: diameter_mm, COUNT: 1}


def small(lesions):
    return {COUNT: lesions, LARGEST: 10, SIZE: 10}


@pytest.mark.parametrize(
    ("diameter_mm", "iosf", "collision", "nccn_net", "summary", "jshbps_3_cm", "jshbps_2_cm"),
    [
        (20.0, "pass", "pass", "pass", "pass", True, True),
        (20.1, "pass", "pass", "pass", "pass", True, False),
        (29.9, "pass", "pass", "pass", "pass", True, False),
        (30.0, "caution", "pass", "caution", "pass", True, False),
        (30.1, "caution", "fail", "caution", "pass", False, False),
        (40.0, "caution", "fail", "caution", "pass", False, False),
        (40.1, "caution", "fail", "caution", "fail", False, False),
        (49.9, "caution", "fail", "caution", "fail", False, False),
        (50.0, "fail", "fail", "caution", "fail", False, False),
    ],
)
def test_diameter_of_a_solitary_tumour(diameter_mm, iosf, collision, nccn_net, summary, jshbps_3_cm, jshbps_2_cm):
    measured = solitary(diameter_mm)
    assert worst(("PP-01", "PP-02"), measured) == iosf
    assert word("CO-01", measured) == collision
    assert word("NN-01", measured, NEUROENDOCRINE) == nccn_net
    assert word("MG-21", measured) == summary
    for rule_id, in_scope in (("JS-29", jshbps_3_cm), ("JS-25", jshbps_2_cm)):
        assert word(rule_id, measured) in (("info", "caution") if in_scope else ("not_applicable",))


@pytest.mark.parametrize(
    ("lesions", "iosf", "best", "collision", "summary", "nccn_net", "low_burden", "chemotherapy_first"),
    [
        (1, "pass", True, "pass", "pass", "pass", True, False),
        (3, "pass", True, "pass", "pass", "pass", True, False),
        (4, "pass", False, "pass", "pass", "pass", False, False),
        (5, "caution", False, "pass", "pass", "caution", False, False),
        (6, "caution", False, "pass", "pass", "caution", False, True),
        (9, "caution", False, "pass", "pass", "caution", False, True),
        (10, "fail", False, "pass", "fail", "caution", False, True),
        (11, "fail", False, "fail", "fail", "caution", False, True),
    ],
)
def test_number_of_tumours(lesions, iosf, best, collision, summary, nccn_net, low_burden, chemotherapy_first):
    measured = small(lesions)
    assert worst(("PP-03", "PP-04", "PP-05"), measured) == iosf
    assert word("PP-03", measured) == ("pass" if best else "not_applicable")
    assert word("CO-07", measured) == collision
    assert word("MG-21", measured) == summary
    assert word("NN-01", measured, NEUROENDOCRINE) == nccn_net
    assert word("CO-08", measured) == ("info" if low_burden else "not_applicable")
    assert (word("MG-11", measured, own=True) in ("info", "caution")) is chemotherapy_first
    assert word("MG-11", measured) == ("info" if chemotherapy_first else "not_applicable")


@pytest.mark.parametrize("rule_id", ["PP-03", "PP-04", "PP-05", "CO-07", "CO-08", "MG-21"])
def test_a_number_that_is_not_known_to_be_complete_meets_nothing(rule_id):
    for lesions in range(1, 13):
        unknown = {name: value for name, value in COLORECTAL.items() if name != "count_complete"}
        for facts in (unknown, {**COLORECTAL, "count_complete": False}):
            assert word(rule_id, small(lesions), facts) not in ("pass", "info")


@pytest.mark.parametrize(
    ("margin_mm", "strict", "goal", "stratum", "against_0_mm"),
    [
        (-1.0, "fail", "fail", "no margin", None),
        (0.0, "fail", "fail", "no margin", 1.0),
        (0.1, "caution", "caution", "less than 1 cm", 0.9878),
        (5.0, "caution", "caution", "less than 1 cm", 0.54),
        (9.9, "caution", "caution", "less than 1 cm", 0.2952),
        (10.0, "caution", "pass", "1 cm or more", 0.2916),
        (10.1, "pass", "pass", "1 cm or more", 0.2880),
        (15.0, "pass", "pass", "1 cm or more", 0.1575),
    ],
)
def test_minimal_margin(margin_mm, strict, goal, stratum, against_0_mm):
    assert word("PP-13", {MARGIN: margin_mm}) == strict
    assert word("CO-02", {MARGIN: margin_mm}) == strict
    assert word("PS-01", {MARGIN: margin_mm}) == goal
    assert WORST_MARGINS.stratum({MARGIN: Measured(margin_mm, "mm")}) == stratum
    relative = WANG.relative(margin_mm)
    assert (relative is None) is (against_0_mm is None)
    if relative is not None:
        assert relative / WANG.relative(0.0) == pytest.approx(against_0_mm, abs=5e-5)


@pytest.mark.parametrize(
    ("distance_mm", "from_tumour", "from_zone"),
    [
        (9.9, "fail", "caution"),
        (10.0, "fail", "caution"),
        (10.1, "fail", "pass"),
        (14.9, "fail", "pass"),
        (15.0, "pass", "pass"),
    ],
)
def test_distance_to_a_major_duct(distance_mm, from_tumour, from_zone):
    assert word("CO-05", {TUMOUR_TO_DUCT: distance_mm}) == from_tumour
    assert word("PS-03", {ZONE_TO_DUCT: distance_mm}) == from_zone


@pytest.mark.parametrize(
    ("distance_mm", "collision", "iosf"),
    [
        (9.9, "fail", "fail"),
        (10.0, "fail", "fail"),
        (10.1, "fail", "pass"),
        (14.9, "fail", "pass"),
        (15.0, "pass", "pass"),
    ],
)
def test_distance_to_an_organ_through_the_skin_without_displacement(distance_mm, collision, iosf):
    facts = {**COLORECTAL, "approach": "percutaneous"}
    assert word("CO-06", {TUMOUR_TO_BOWEL: distance_mm, ZONE_TO_BOWEL: distance_mm}, facts) == collision
    assert word("PP-09", {TUMOUR_TO_VULNERABLE: distance_mm}, facts) == iosf


@pytest.mark.parametrize(
    ("remnant_percent", "healthy", "after_chemotherapy", "of_standard_volume"),
    [
        (20.0, "fail", "fail", "fail"),
        (20.1, "pass", "fail", "fail"),
        (30.0, "pass", "fail", "pass"),
        (30.1, "pass", "pass", "pass"),
    ],
)
def test_liver_that_remains(remnant_percent, healthy, after_chemotherapy, of_standard_volume):
    liver = {**COLORECTAL, "parenchyma": "healthy"}
    before, after = ({**liver, "post_chemotherapy": given} for given in (False, True))
    assert word("CO-03", {REMNANT: remnant_percent}, before) == healthy
    assert word("CO-04", {REMNANT: remnant_percent}, after) == after_chemotherapy
    assert word("CO-03", {REMNANT: remnant_percent}, after) == "not_applicable"
    assert word("CO-04", {REMNANT: remnant_percent}, before) == "not_applicable"
    assert word("MG-04", {OF_STANDARD: remnant_percent}, own=True) == of_standard_volume
    assert word("MG-04", {OF_STANDARD: remnant_percent}) == "info"


@pytest.mark.parametrize(
    ("ablated_percent", "expected"), [(20.0, "pass"), (20.1, "fail"), (5.0, "pass"), (35.0, "fail")]
)
def test_liver_ablated_in_one_session(ablated_percent, expected):
    assert word("PS-02", {ABLATED: ablated_percent}, {"one_session": True}) == expected
