"""The headline numbers of the evidence: each stands in the entry that it belongs to."""

from __future__ import annotations

import re

import pytest

from pipelines.catalogue import packaged_catalogue, packaged_hazards
from planner.guideline.entry import Reference

STATEMENTS = {stated.id: stated for stated in packaged_catalogue().statements}
WANG = next(hazard for hazard in packaged_hazards() if hazard.id == "WA-01")

HEADLINES = {
    "LR-01": [28], "LR-02": [5], "LR-03": [13], "LR-04": [12], "LR-06": [48, 41, 70],
    "CO-21": [2.1, 0.0], "CO-22": [2.1, 0.7], "CO-23": [56, 19, 20, 7],
    "CO-24": [0.131, 0.016, 1.064, 0.057], "CO-25": [0.092, 0.011, 0.735, 0.024], "CO-26": [7, 1, 8, 1, 148, 304, 349],
    "CL-03": [13, 33, 5, 56],
    "AB-02": [2.79, 2.14, 1.30], "AB-03": [2.60, 1.73, 1.50],
    "CA-01": [92, 298, 31], "CA-02": [40, 11], "CA-03": [34], "CA-04": [7],
    "CA-05": [2.12, 2.11, 1.26, 5.00], "CA-06": [0.43, 0.96],
    "NI-01": [74.4, 80.3, 81.4, 66.2], "NI-02": [60.2, 47.3, 89.0, 86.7],
    "JS-09": [47.1, 27.7], "JS-12": [1292, 60, 142, 560, 1388, 98, 324, 342], "JS-14": [78, 85, 35, 41],
    "JS-15": [6, 11, 31, 33], "JS-32": [9, 43], "JS-37": [50, 91], "JS-40": [17], "JS-43": [39, 50],
    "JS-45": [5.9, 14.5], "JS-51": [74.7, 34.3, 93.4, 75],
    "EN-01": [54, 92], "EN-02": [14, 27], "EN-03": [63, 87],
    "PP-16": [30, 17, 51], "PP-20": [3, 5, 25, 30],
    "MG-08": [20], "MG-10": [7, 8], "MG-26": [60, 90, 2], "MG-27": [20],
}  # fmt: skip


def numbers(entry_id):
    """Return every number of an entry: of its figures, its statement and its note."""
    stated = STATEMENTS[entry_id]
    texts = [stated.statement, stated.note]
    found = set()
    for figure in stated.figures if isinstance(stated, Reference) else ():
        known = (figure.value, figure.n, *(figure.ends or ()), *(figure.ci95 or ()))
        found |= {float(number) for number in known if number is not None}
        texts += [figure.what, figure.text, figure.p]
    return found | {float(number) for number in re.findall(r"\d+(?:\.\d+)?", " ".join(texts))}


def figures(entry_id):
    return {figure.what: figure.value for figure in STATEMENTS[entry_id].figures}


@pytest.mark.parametrize("entry_id", HEADLINES)
def test_the_headline_numbers_stand_in_their_entry(entry_id):
    assert {float(number) for number in HEADLINES[entry_id]} <= numbers(entry_id)


def test_the_worst_margins_of_the_trial_add_up_to_its_patients():
    found = figures("CL-03")
    for group, patients in (("all", 56.0), ("ablation only", 30.0), ("ablation and resection", 26.0)):
        assert sum(value for what, value in found.items() if what.startswith(f"{group}, ")) == patients


@pytest.mark.parametrize(("entry_id", "ratio"), [("AB-02", 1.30), ("AB-03", 1.50)])
def test_the_third_hazard_ratio_of_the_cohort_is_that_of_the_first_two(entry_id, ratio):
    found = figures(entry_id)
    quotient = found["ablation against resection"] / found["ablation and resection against resection"]
    assert quotient == pytest.approx(ratio, abs=5e-3)
    assert found["ablation against ablation and resection"] == ratio


@pytest.mark.parametrize("group", ["resection arm", "ablation arm"])
def test_the_burden_classes_of_the_trial_add_up_to_its_arms(group):
    found = figures("CO-16")
    low_percent = found[f"low burden, {group}"]
    others = sum(found[f"{name} burden, {group}"] for name in ("intermediate", "high"))
    assert low_percent == pytest.approx(100.0 * (148 - others) / 148, abs=0.05)


def test_what_cannot_be_right_is_left_out_and_marked():
    assert figures("LR-05") == {"all tumours, through the skin": 26.0}
    assert STATEMENTS["LR-05"].strata is None
    assert {entry_id for entry_id in ("LR-05", "CO-16") if STATEMENTS[entry_id].disputed} == {"LR-05", "CO-16"}


@pytest.mark.parametrize(
    ("entry_id", "diameter_mm", "label"),
    [
        ("LR-01", 29.9, "below 3 cm"), ("LR-01", 30.0, "not assigned"), ("LR-01", 30.1, "above 3 cm"),
        ("LR-02", 30.0, "3 to 5 cm"), ("LR-02", 50.0, "3 to 5 cm"), ("LR-03", 50.1, "above 5 cm"),
        ("LR-04", 19.9, "below 2 cm"), ("LR-04", 20.0, "2 to 3 cm"), ("LR-04", 30.0, "not assigned"),
        ("LR-06", 24.9, "below 2.5 cm"), ("LR-06", 25.0, "2.5 cm or more"),
    ],
)  # fmt: skip
def test_a_diameter_falls_into_its_row(entry_id, diameter_mm, label):
    strata = STATEMENTS[entry_id].strata
    assert strata.label(diameter_mm) == label
    rows = {figure.stratum for figure in STATEMENTS[entry_id].figures} - {""}
    assert rows == set(strata.labels) - {"not assigned"}


@pytest.mark.parametrize(("margin_mm", "against_0_mm"), [(1.0, 0.8841), (5.0, 0.54), (10.0, 0.2916), (15.0, 0.1575)])
def test_the_relation_to_the_margin_per_millimetre_and_per_step(margin_mm, against_0_mm):
    assert WANG.relative(margin_mm) / WANG.relative(0.0) == pytest.approx(against_0_mm, abs=5e-5)


def test_the_relation_gives_nothing_below_0_mm():
    assert WANG.relative(-5.0) is None
