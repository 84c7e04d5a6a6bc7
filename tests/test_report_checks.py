from __future__ import annotations

import re
from pathlib import Path

import pytest

import planner.register
from planner.register.alignment import Alignment, Check, SpatialMap
from planner.report.checks import NAMES, check_name, check_result, check_value
from planner.report.words import alignment_sentence


def test_every_check_of_a_registration_has_words() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(planner.register.__path__[0]).glob("*.py"))
    made = set(re.findall(r'(?:Check|_shown)\(\s*"(\w+)"', source))
    assert made == set(NAMES)
    assert not any("_" in words for words in NAMES.values())


def test_a_check_without_words_of_its_own_has_no_underscores() -> None:
    assert check_name(Check("of_another_day", 1.0, "mm", None, "")) == "of another day"


@pytest.mark.parametrize(
    ("value", "unit", "printed"),
    [(1.0, "fraction", "100 %"), (0.8, "fraction", "80 %"), (0.999, "fraction", ">99 %"), (1.37, "mm", "1.4 mm"),
     (4.99, "mm", "4.99 mm"), (0.9712, "ratio", "0.97 of 1"),
     (0.9444, "times", "0.94 times"), (0.4, "", "0.4"), (None, "mm", "-")],
)  # fmt: skip
def test_values_are_printed_with_units_of_a_reader(value: float | None, unit: str, printed: str) -> None:
    assert check_value(Check("x", value, unit, None, "")) == printed


def test_a_check_passed_failed_or_decides_nothing() -> None:
    said = [check_result(Check("x", 1.0, "mm", passed, "")) for passed in (True, False, None)]
    assert said == ["check passed", "check failed", "shown only"]


def test_a_reader_meets_beside_the_alignment_how_two_contrasts_were_brought_together_and_what_warns() -> None:
    proof = Check("proof", None, "", None, "between contrasts: rigid map in use")
    warned = Check("predicted_error", 3.4, "mm", True, "high", warned=True)
    found = Alignment(
        "rigid", SpatialMap.identity(), SpatialMap.identity(), (proof,), {"1": 3.4}, {"1": (warned,), "2": ()}
    )
    said = alignment_sentence(found)
    assert "No check failed, with a warning for zone 1." in said
    assert said.endswith(" Between contrasts: rigid map in use.")
