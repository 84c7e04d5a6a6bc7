"""Rules on size take the longest axial diameter; where the one in 3D says another word, the verdict is borderline."""

from __future__ import annotations

import pytest

from pipelines.catalogue import packaged_catalogue
from planner.guideline.judge import judge_case
from planner.guideline.loading import load_file
from planner.guideline.measured import Measured
from planner.guideline.words import reads

CRC = {"primary": "colorectal"}
AXIAL, IN_3D = "lesion.max_axial_diameter_mm", "lesion.max_diameter_mm"
LARGEST, LARGEST_3D = "patient.max_axial_diameter_mm", "patient.max_diameter_mm"

TEXT = """
schema_version = 1
[sources.trial]
label = "a trial"
title = "A trial"
authors = "A"
year = 2024
published = "J"
section = "Criteria"
kind = "rct"
status = "current"
scheme = "trial criterion"

[[rule]]
id = "ZZ-01"
source = "trial"
title = "at most 30 mm"
statement = "Tumours measured at most 30 mm."
question = "size_and_number"
phase = ["eligibility"]
about = "ablation"
scope = { primary = ["colorectal"], treatment = "thermal_ablation" }
level = { grade = "trial criterion", stated_in_source = true }
per = "PER"
quantity = "QUANTITY"
unit = "mm"
measured = ["QUANTITY"]
entered = ["primary"]
if_missing = "not_evaluable"
bands = [ { verdict = "pass", le = 30.0 }, { verdict = "fail", gt = 30.0 } ]
edges_from_source = [30.0]

[[rule.example]]
measured = { "QUANTITY" = 30.0 }
facts = { primary = "colorectal" }
verdict = "pass"

[[rule.example]]
measured = { "QUANTITY" = 30.1 }
facts = { primary = "colorectal" }
verdict = "fail"
"""


def rules(per: str, quantity: str):
    text = TEXT.replace("PER", per).replace("QUANTITY", quantity)
    return load_file(text, "trial.toml", packaged_catalogue().conflicts)[0]


def mm(value: float, ci95: tuple[float, float] | None = None) -> Measured:
    return Measured(value, "mm", ci95)


@pytest.mark.parametrize(
    ("axial_mm", "in_3d_mm", "word", "borderline"),
    [
        (29.0, 29.9, "pass", False),
        (29.0, 30.0, "pass", False),
        (29.0, 30.1, "pass", True),
        (30.1, 34.0, "fail", False),
    ],
)
def test_the_axial_diameter_decides_and_the_one_in_3d_across_an_edge_makes_it_borderline(
    axial_mm, in_3d_mm, word, borderline
):
    (judged,) = judge_case(rules("lesion", AXIAL), {"1": {AXIAL: mm(axial_mm), IN_3D: mm(in_3d_mm)}}, {}, CRC, "plan")
    for verdict in judged.verdicts:
        assert (verdict.word, verdict.borderline, verdict.value) == (word, borderline, axial_mm)


def test_a_borderline_diameter_names_the_one_in_3d_and_what_it_would_say():
    (judged,) = judge_case(rules("lesion", AXIAL), {"1": {AXIAL: mm(29.0), IN_3D: mm(31.26)}}, {}, CRC, "plan")
    said = "meets; borderline: by the longest diameter in 3D, 31.3 mm: outside this source's criterion"
    assert reads(judged.case) == said


def test_both_doubts_of_a_diameter_are_printed():
    measured = {AXIAL: mm(29.0, (27.0, 31.0)), IN_3D: mm(31.0)}
    (judged,) = judge_case(rules("lesion", AXIAL), {"1": measured}, {}, CRC, "plan")
    assert "84 % below and 16 % above 30 mm; by the longest diameter in 3D" in reads(judged.case)


def test_the_largest_tumour_of_a_patient_is_judged_by_both_diameters_too():
    (judged,) = judge_case(rules("patient", LARGEST), {}, {LARGEST: mm(28.0), LARGEST_3D: mm(33.0)}, CRC, "plan")
    assert (judged.case.word, judged.case.borderline) == ("pass", True)


def test_without_a_diameter_in_3d_the_axial_one_stands_alone():
    (judged,) = judge_case(rules("lesion", AXIAL), {"1": {AXIAL: mm(29.0)}}, {}, CRC, "plan")
    assert not judged.case.borderline
