"""Outcomes files as people get them wrong. All outcomes here are synthetic."""

from __future__ import annotations

import pytest
from audit_cases import document, lesion, write_case, write_failure, write_outcomes

from pipelines.audit.cases import find_cases
from pipelines.audit.lesions import lesion_table
from pipelines.audit.outcomes import Outcome, read_outcomes
from planner.errors import InputError


@pytest.fixture
def folder(tmp_path):
    write_case(tmp_path / "out", document("a", lesion("1"), lesion("2")))
    write_case(tmp_path / "out", document("b", lesion("1")))
    write_failure(tmp_path / "out", "f")
    return tmp_path


def read(folder, *rows, **options):
    found = find_cases([folder / "out"])
    return read_outcomes(write_outcomes(folder / "outcomes.csv", *rows, **options), found, lesion_table(found))


def refusal(folder, *rows, **options) -> str:
    with pytest.raises(InputError) as refused:
        read(folder, *rows, **options)
    assert (refused.value.exit_code, refused.value.where) == (3, "outcomes.csv")
    assert "outcomes.csv" not in str(refused.value)
    return str(refused.value)


def test_outcomes_are_read_with_more_columns_and_events_in_any_case(folder):
    rows = [("a", 1, "none", 400, "x"), ("a", 2, "LTP", 90.5, "y"), ("b", 1, "Death", 0, "z")]
    outcomes = read(folder, *rows, header="case_id,lesion_id,event,days,centre")
    assert outcomes.by_lesion == {
        ("a", "1"): Outcome("none", 400.0), ("a", "2"): Outcome("ltp", 90.5), ("b", "1"): Outcome("death", 0.0),
    }  # fmt: skip
    assert not outcomes.synthetic


def test_outcomes_may_say_that_they_are_made_up(folder):
    assert read(folder, ("a", 1, "none", 4, "yes"), header="case_id,lesion_id,event,days,synthetic").synthetic


def test_outcomes_of_failed_cases_are_left_out_and_counted(folder):
    outcomes = read(folder, ("a", 1, "none", 4), ("f", 1, "ltp", 4))
    assert list(outcomes.by_lesion) == [("a", "1")]
    assert outcomes.of_failed_cases == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("z", 1, "none", 4), "no such case among the results"),
        (("a", 3, "none", 4), "no such lesion in that case"),
        (("a", "1.0", "none", 4), "no such lesion in that case"),
        (("a", 1, "relapse", 4), "event is not one of none, ltp, death"),
        (("a", 1, "", 4), "event is not one of none, ltp, death"),
        (("a", 1, "ltp", 0), "progression on or before the day of ablation"),
        (("a", 1, "ltp", -7), "progression on or before the day of ablation"),
        (("a", 1, "death", -7), "days is negative"),
        (("a", 1, "none", "12 months"), "days is not a plain number"),
        (("a", 1, "none", "nan"), "days is not a plain number"),
        (("a", 1, "none", "1e3"), "days is not a plain number"),
        (("a", 1, "none", ""), "days is empty"),
        (("a", 1, "none", 20240131), "days is more than a hundred years: is it a date?"),
        (("a", 1, "none", "4", "5"), "5 cells, expected 4"),
    ],
)
def test_a_faulty_row_is_refused_with_its_line(folder, row, said):
    assert f"\n  line 3: {said}" in refusal(folder, ("b", 1, "none", 30), row)


def test_all_faults_come_in_one_list(folder):
    said = refusal(
        folder, ("z", 1, "none", 4), ("a", 1, "ltp", -1), ("a", 2, "none", "soon"), ("b", 1, "none", 4),
        ("b", 1, "ltp", 9), ("a", 9, "cured", "x"),
    )  # fmt: skip
    assert said.splitlines() == [
        "outcomes file: 7 faults, nothing was analysed:",
        "  line 2: no such case among the results",
        "  line 3: progression on or before the day of ablation (days must be above 0)",
        "  line 4: days is not a plain number of days (such as 365 or 90.5)",
        "  line 6: the same lesion as line 5",
        "  line 7: event is not one of none, ltp, death",
        "  line 7: days is not a plain number of days (such as 365 or 90.5)",
        "  line 7: no such lesion in that case",
    ]


def test_nothing_of_a_faulty_cell_is_quoted(folder):
    said = refusal(folder, ("Jane Doe", "Jane Doe", "Jane Doe", "Jane Doe"))
    assert "Jane" not in said


def test_missing_columns_are_named(folder):
    said = refusal(folder, ("a", 1), header="case_id,lesion_id")
    assert "column 'event' is missing; column 'days' is missing" in said


def test_a_name_that_two_further_columns_share_is_not_repeated(folder):
    with pytest.raises(InputError) as refused:
        read(folder, ("a", 1, "none", 4, "", ""), header="case_id,lesion_id,event,days,Jane,Jane")
    assert "columns 5, 6 have one and the same name" in str(refused.value)
    assert "Jane" not in str(refused.value)
    assert refused.value.where == "outcomes.csv: column 5 'Jane', column 6 'Jane'"


def test_an_outcomes_file_that_is_not_there(folder):
    found = find_cases([folder / "out"])
    with pytest.raises(InputError) as refused:
        read_outcomes(folder / "Jane Doe.csv", found, lesion_table(found))
    assert (str(refused.value), refused.value.code) == ("outcomes file: No such file or directory", "missing")
    assert refused.value.where == "Jane Doe.csv"


def test_a_file_without_rows_is_refused(folder):
    assert "no rows" in refusal(folder)


def test_one_fault_is_one(folder):
    assert "outcomes file: 1 fault, nothing" in refusal(folder, ("z", 1, "none", 4))


ADVICE = (
    "enter the death for every lesion of the patient that was free of LTP until then, with the days from that lesion's"
    " own ablation"
)


def test_nothing_goes_on_after_a_death_of_the_same_patient(folder):
    write_case(folder / "out", document("c", *(lesion(str(n)) for n in range(1, 6))))
    said = refusal(
        folder, ("c", 1, "Death", 300), ("c", 2, "ltp", 410), ("c", 3, "none", 900), ("c", 4, "death", 301),
        ("c", 5, "ltp", 300), ("b", 1, "cured", 4),
    )  # fmt: skip
    assert said.splitlines() == [
        "outcomes file: 4 faults, nothing was analysed:",
        "  line 3: progression after the same patient's death on line 2",
        "  line 4: follow-up after the same patient's death on line 2; " + ADVICE,
        "  line 5: a second death, after the same patient's death on line 2",
        "  line 7: event is not one of none, ltp, death",
    ]


@pytest.fixture
def two_cases(folder):
    """Cases c and d of one patient: their days may count from ablations that lie apart."""
    for case_id in ("c", "d"):
        write_case(folder / "out", document(case_id, lesion("1"), lesion("2"), patient="p"))
    return folder


def test_a_patient_is_not_followed_beyond_a_death_in_another_case(two_cases):
    said = refusal(two_cases, ("d", 1, "none", 301), ("c", 1, "death", 300))
    # Day 301 of one ablation may come before day 300 of a later one: only that the death is missing here is sure.
    assert said.splitlines()[1:] == ["  line 2: 'none' at a patient whose death is on line 3 (case c); " + ADVICE]
    # Other patients live on.
    assert read(two_cases, ("b", 1, "none", 301), ("c", 1, "death", 300)).cautions == ()


def test_deaths_of_two_cases_count_from_their_own_ablations(two_cases):
    rows = [("c", 1, "death", 300), ("c", 2, "ltp", 200), ("d", 1, "death", 700), ("d", 2, "ltp", 600)]
    assert read(two_cases, *rows).cautions == ()
    (said,) = read(two_cases, rows[0], rows[3]).cautions
    assert said.startswith("1 lesion progressed on a later day than the death in another case")


def test_lesions_that_end_before_a_known_death_are_a_caution(two_cases):
    (said,) = read(two_cases, ("c", 1, "death", 300), ("c", 2, "none", 300), ("d", 1, "none", 90)).cautions
    assert said.startswith("1 patient has a death at some lesions and 'none' at others")
