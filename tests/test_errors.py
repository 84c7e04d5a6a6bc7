from __future__ import annotations

import re

import pytest

from planner import errors
from planner.errors import EmptyMaskError, InputError, OutputError, PlannerError, located, quoted

CLASSES = {
    name: value for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, PlannerError)
}
DRAWN = dict(re.findall(r"(\w+Error) +(\d)", errors.__doc__ or ""))


def test_the_drawn_tree_names_every_error_with_its_exit_code() -> None:
    declared = {name: str(value.exit_code) for name, value in CLASSES.items() if value is not PlannerError}
    assert declared == DRAWN


def test_the_drawn_tree_is_the_tree() -> None:
    drawn_above = {"InputError": PlannerError}
    for line in (errors.__doc__ or "").splitlines():
        name = re.search(r"(\w+Error)", line)
        if name and line.startswith("    │"):
            assert CLASSES[name[1]].__base__ is InputError, line
        elif name and line.startswith(("    ├", "    └")):
            drawn_above[name[1]] = PlannerError
    assert all(base in CLASSES[name].__bases__ for name, base in drawn_above.items())


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"PlannerError", "OutputError"}))
def test_what_the_caller_gave_wrongly_is_a_value_error_too(name: str) -> None:
    assert issubclass(CLASSES[name], ValueError)


def test_a_failed_write_is_an_os_error_and_reads_as_its_message() -> None:
    assert issubclass(OutputError, OSError)
    assert str(OutputError("OUT: not writable")) == "OUT: not writable"


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [value.code for value in CLASSES.values()]
    assert len(set(codes)) == len(codes)


def test_a_code_given_with_the_message_replaces_the_class_code_for_that_error_only() -> None:
    assert InputError("x", code="bad-shape").code == "bad-shape"
    assert InputError("x").code == "unreadable"
    assert str(EmptyMaskError("tumour: empty")) == "tumour: empty"


def test_a_quoted_name_is_printable_on_one_line_and_of_bounded_length() -> None:
    assert quoted("Ä b") == "'Ä b'"
    assert quoted("a\x1b[31m\n\u202eb") == "'a?[31m??b'"
    assert len(quoted("x" * 1000)) == 42


def test_where_is_kept_beside_the_message_and_the_nearest_place_wins() -> None:
    with pytest.raises(InputError) as caught, located("the folder"), located("the file"):
        raise InputError("slice 3: truncated")
    assert (str(caught.value), caught.value.where) == ("slice 3: truncated", "the file")
    assert InputError("x").where == ""


def test_a_message_is_one_printable_line():
    error = InputError("space is left\x00-\x1b[31mred\nerror [ok]: forged\u202e")
    assert str(error) == "space is left?-?[31mred?error [ok]: forged?"
