from __future__ import annotations

import re
from pathlib import Path

import pytest

import planner.register
from planner.register.alignment import Check
from planner.report.checks import NAMES, check_name, check_result, check_value


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
