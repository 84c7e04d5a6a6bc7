"""What is still told of a lesion that no zone treats, or whose margin cannot be measured; and what is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import ball, below, both, lattice, voxelised

from pipelines.catalogue import packaged_catalogue
from planner.assess import AssessSettings, assess
from planner.case import Case, Study
from planner.consult import Evidence, consulted
from planner.register.alignment import Alignment, Check
from planner.scene import zone_surfaces
from planner.volume import Volume

GRID = lattice((40.0, 26.0, 26.0), (1.2, 1.0, 1.0))
FACTS = {"primary": "colorectal", "approach": "percutaneous", "displacement": False}
FAILED = Check("predicted_error", 9.0, "mm", False, "predicted registration error 9.0 mm")


def assessed(tumours, zones, around, alignment=None):
    image = Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID)
    pre = {f"tumour_{n}": voxelised(body, GRID) for n, body in enumerate(tumours, 1)}
    post = {f"ablation_{n}": voxelised(body, GRID) for n, body in enumerate(zones, 1)}
    post |= {role: voxelised(body, GRID) for role, body in around.items()}
    case = Case("c", "c", Study(image, pre), Study(image, post))
    found = assess(case, alignment or Alignment.as_given("aligned"), zone_surfaces(case.post), AssessSettings())
    return consulted(found, FACTS, Evidence((), packaged_catalogue().rules))


def verdicts(found, rule):
    judged = next(one for one in found.judged if one.rule.id == rule)
    return judged.case, {verdict.lesion_id: verdict for verdict in judged.lesions}


def finding(found, name, lesion_id=None):
    return next(f for f in found.findings if f.quantity.name == name and f.lesion_id == lesion_id)


AROUND = {
    "common_bile_duct": ball((-22, 0, 0), 3.0), "left_hepatic_duct": ball((-22, 12, 0), 2.0),
    "right_hepatic_duct": ball((-22, -12, 0), 2.0), "colon": ball((0, 20, 0), 4.0), "stomach": ball((30, 18, 0), 4.0),
    "small_bowel": ball((36, -18, 0), 4.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def one_untreated():
    return assessed((ball((20, 0, 0), 5.0), ball((-14, 0, 0), 4.0)), (ball((20, 0, 0), 9.0),), AROUND)


def test_an_untreated_tumour_keeps_its_distances_to_structures_of_the_other_study(one_untreated):
    to = {d.structure: d.mm for d in one_untreated.lesions[1].distances if d.from_ == "tumour"}
    assert to["common_bile_duct"] == pytest.approx(8.0 - 4.0 - 3.0, abs=0.4)
    assert to["colon"] == pytest.approx(np.hypot(14, 20) - 8.0, abs=0.4)


def test_a_duct_too_near_to_an_untreated_tumour_decides_the_case(one_untreated):
    case, lesions = verdicts(one_untreated, "CO-05")
    assert lesions["2"].value == pytest.approx(1.0, abs=0.4)
    assert (case.word, case.value) == ("fail", lesions["2"].value)


def test_a_rule_about_zones_does_not_speak_of_a_tumour_without_one_and_is_not_hidden_by_it(one_untreated):
    case, lesions = verdicts(one_untreated, "PS-03")
    assert lesions["2"].word == "not_applicable"
    assert lesions["2"].reasons == ("no ablation zone treats this tumour",)
    assert case.word == lesions["1"].word != "not_evaluable"


def test_without_a_zone_its_distances_say_so_and_name_no_mask(one_untreated):
    for name in ("dist.zone_to_major_duct_mm", "dist.zone_to_vessel_mm", "vessel.contact_mm"):
        assert finding(one_untreated, name, "2").reason == "no ablation zone treats this tumour"


def test_where_the_registration_failed_zones_keep_the_distances_of_their_own_study_and_tumours_say_why():
    alignment = Alignment.as_given("aligned")
    found = assessed((ball((20, 0, 0), 5.0),), (ball((20, 0, 0), 9.0),), AROUND,
                     replace(alignment, zone_checks={"1": (FAILED,)}))  # fmt: skip
    (lesion,) = found.lesions
    assert lesion.status == "not_assessable"
    mm = {(d.structure, d.from_): d.mm for d in lesion.distances}
    assert mm["colon", "ablation"] == pytest.approx(np.hypot(20, 20) - 13.0, abs=0.4)
    assert mm["colon", "tumour"] is None
    reason = finding(found, "dist.tumour_to_major_duct_mm", "1").reason
    assert "the registration cannot be used" in reason
    assert "common bile duct: no mask" not in reason


def test_a_tumour_that_its_scan_cuts_has_no_size_and_says_why():
    cut = both(ball((0, 0, 24), 9.0), below(2, 100.0))
    found = assessed((cut, ball((0, 0, -10), 5.0)), (ball((0, 0, 20), 12.0), ball((0, 0, -10), 8.0)), {})
    lesion = found.lesions[0]
    assert (lesion.max_axial_diameter_mm, lesion.tumour_ml, lesion.sizes) == (None, None, None)
    size = finding(found, "lesion.max_axial_diameter_mm", "1")
    assert size.value is None
    assert size.reason == "PRE ends in tumour_1: how large it is beyond is not known"
    largest, smallest = (finding(found, f"patient.{end}_axial_diameter_mm") for end in ("max", "min"))
    assert (largest.bound, smallest.bound) == ("at_least", "at_most")
    assert largest.value == pytest.approx(10.0, abs=0.3)
