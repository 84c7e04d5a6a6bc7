"""Cases with several posts in a batch and in an audit: each post a row, one of them counted."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from audit_cases import document, lesion, write_case, write_outcomes
from cli_runs import MIDDLE_MM, ablation, ball, post_study, pre_study

from pipelines.audit.cases import find_cases
from pipelines.audit.cohort import cohort
from pipelines.audit.lesions import lesion_table
from pipelines.audit.outcomes import read_outcomes
from pipelines.audit.survival import survival
from pipelines.batch.key import row_key
from pipelines.batch.manifest import read_manifest
from planner.errors import AmbiguousInputError, InputError


def timing(number: int, of: int, days: float | None) -> dict:
    return {"pre_days_before_ablation": 7.0, "days_since_ablation": days, "days_between_studies": None, "flags": [],
            "post_number": number, "posts": of, "reasons": []}  # fmt: skip


def write_posts(folder: Path, case_id: str, *posts: tuple[float | None, float] | None, **changes) -> Path:
    """Write a case with several posts: days and the margin of a lesion of each, None for one without a result."""
    place = folder / case_id
    listed = []
    for number, post in enumerate(posts, start=1):
        name = f"post_{number}"
        listed.append({"post_number": number, "folder": None if post is None else name, "status": "assessed"})
        if post is None:
            continue
        days, min_mm = post
        own = document(case_id, lesion(min_mm=min_mm), patient="p", timing=timing(number, len(posts), days))
        (place / name).mkdir(parents=True)
        (place / name / "result.json").write_text(json.dumps(own))
    whole = {"schema_version": 1, "case_id": case_id, "patient_key": "p", "status": "assessed", "reasons": [],
             "order": "days_since_ablation", "posts": listed, "provenance": {}}  # fmt: skip
    (place / "result.json").write_text(json.dumps(whole | changes))
    return place


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_post_is_a_row_and_the_first_one_counts(tmp_path):
    write_posts(tmp_path, "a", (1.0, 6.0), (30.0, -2.0))
    write_case(tmp_path, document("b", lesion(min_mm=3.0), patient="q"))
    found = find_cases([tmp_path])
    table = lesion_table(found)
    assert [(x.case_id, x.min_mm, x.cells["counted"]) for x in table.lesions] == [("a", 6.0, True), ("b", 3.0, True)]
    (later,) = table.later
    assert (later.case_id, later.min_mm, later.cells["counted"]) == ("a", -2.0, False)
    assert (later.cells["post"], later.cells["posts"], later.cells["days_since_ablation"]) == (2.0, 2.0, 30.0)
    counted = cohort(found, table)
    assert (counted.cases["found"], counted.cases["assessed"]) == (2, 2)
    assert sum(sum(of.values()) for of in counted.bands.values()) == 2
    assert sum(counted.histogram.lesions) == 2
    assert {patient.patient_key: patient.worst_mm for patient in counted.patients} == {"p": 6.0, "q": 3.0}
    assert any(note.startswith("1 case has several studies after the ablation") for note in counted.notes)
    assert set(found.sha256) == {"a/post_1", "a/post_2", "b"}


def test_an_outcome_belongs_to_the_lesion_and_is_counted_once(tmp_path):
    write_posts(tmp_path / "out", "a", (1.0, 6.0), (30.0, -2.0))
    outcomes_file = write_outcomes(tmp_path / "outcomes.csv", ("a", 1, "ltp", 200))
    found = find_cases([tmp_path / "out"])
    table = lesion_table(found)
    curves = survival(cohort(found, table), table, read_outcomes(outcomes_file, found, table))
    assert [(curve.band.name, curve.lesions) for curve in curves.curves] == [("5_to_10", 1)]
    assert curves.ltp == 1
    ran = ablation("audit", tmp_path / "out", "-o", tmp_path / "audit", "--outcomes", outcomes_file)
    assert ran.code == 0, ran.stderr
    rows = csv_rows(tmp_path / "audit" / "lesions.csv")
    assert [(row["counted"], row["outcome_event"], row["outcome_excluded"]) for row in rows] == [
        ("true", "ltp", ""), ("false", "", "later_post")
    ]  # fmt: skip
    assert "the first of each with a result counts here" in (tmp_path / "audit" / "audit.html").read_text()


def test_where_the_first_post_has_no_result_the_next_one_counts(tmp_path):
    write_posts(tmp_path, "a", None, (30.0, -2.0))
    table = lesion_table(find_cases([tmp_path]))
    assert [(x.min_mm, x.cells["post"]) for x in table.lesions] == [(-2.0, 2.0)]
    assert table.later == ()


def test_a_post_is_found_through_its_case_alone(tmp_path):
    place = write_posts(tmp_path, "a", (1.0, 6.0), (30.0, -2.0))
    (place / "result.json").unlink()  # as a power cut between the posts and their common result leaves it
    with pytest.raises(InputError, match="no result"):
        find_cases([tmp_path])


def test_a_post_given_by_itself_is_refused(tmp_path):
    place = write_posts(tmp_path, "a", (1.0, 6.0), (30.0, -2.0))
    with pytest.raises(InputError, match="give the folder above it"):
        find_cases([place / "post_1"])


@pytest.mark.parametrize(
    ("posts", "said"),
    [
        ([{"folder": "../a"}], "names a folder that is none of a post"),
        ([{"folder": "post_1"}, {"folder": "post_1"}], "or one twice"),
        ([{"folder": "post_9"}], "post_9 has no result.json"),
        ([{"folder": None}], "no post has a result"),
        ({"post_1": 1}, "posts is not a list"),
    ],
)
def test_a_common_result_that_cannot_be_meant_is_refused(tmp_path, posts, said):
    write_posts(tmp_path, "a", (1.0, 6.0), (30.0, -2.0), posts=posts)
    with pytest.raises(InputError) as refused:
        find_cases([tmp_path])
    assert said in str(refused.value)


def test_a_post_of_another_case_is_refused(tmp_path):
    place = write_posts(tmp_path, "a", (1.0, 6.0), (30.0, -2.0))
    (place / "result.json").write_text((place / "result.json").read_text().replace('"case_id": "a"', '"case_id": "b"'))
    with pytest.raises(InputError, match="post_1 is of another case"):
        find_cases([tmp_path])


def test_a_case_with_posts_is_there_once(tmp_path):
    write_posts(tmp_path / "x", "a", (1.0, 6.0), (30.0, -2.0))
    write_case(tmp_path / "y", document("a", lesion()))
    with pytest.raises(AmbiguousInputError):
        find_cases([tmp_path])
    assert len(find_cases([tmp_path / "x", tmp_path / "x" / "a"]).documents) == 1


def manifest(folder: Path, post: str):
    (folder / "m.csv").write_text(f'case_id,pre,post\nc,pre,"{post}"\n')
    return folder / "m.csv"


def test_a_cell_of_a_manifest_holds_several_posts(tmp_path):
    for name in ("pre", "one", "two", "both; of them"):
        (tmp_path / name).mkdir()
    (row,) = read_manifest(manifest(tmp_path, "one; two"))
    assert [path.name for path in row.posts] == ["one", "two"]
    (row,) = read_manifest(manifest(tmp_path, "both; of them"))
    assert [path.name for path in row.posts] == ["both; of them"]
    (row,) = read_manifest(manifest(tmp_path, "one"))
    assert row.more_posts == ()


@pytest.mark.parametrize(
    ("cell", "said"), [("one;gone", "post: no such file or folder"), ("one;;two", "post holds an empty path")]
)
def test_a_post_that_is_not_there_is_a_fault_of_the_manifest(tmp_path, cell, said):
    for name in ("pre", "one", "two"):
        (tmp_path / name).mkdir()
    with pytest.raises(InputError) as refused:
        read_manifest(manifest(tmp_path, cell))
    assert said in str(refused.value)


def test_a_case_is_done_again_where_any_of_its_posts_changes(tmp_path):
    for name in ("pre", "one", "two", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "image").write_text(name)
    (row,) = read_manifest(manifest(tmp_path, "one;two"))
    before = row_key(row, "1", "s")
    assert before == row_key(row, "1", "s")
    (tmp_path / "two" / "image").write_text("other, longer")
    assert before != row_key(row, "1", "s")
    (tmp_path / "case.toml").write_text('[[post]]\n[[post]]\npath = "three"\n')
    (tmp_path / "m.csv").write_text("case_id,pre,post,case\nc,pre,one,case.toml\n")
    (row,) = read_manifest(tmp_path / "m.csv")
    before = row_key(row, "1", "s")
    (tmp_path / "three" / "image").write_text("other, longer")
    assert before != row_key(row, "1", "s")


@pytest.mark.slow
def test_a_batch_of_a_case_with_two_posts_and_of_one_whose_second_cannot_be_read(tmp_path):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    post_study(tmp_path / "later", ablation=ball(MIDDLE_MM, 11.0))
    (tmp_path / "broken").mkdir()
    (tmp_path / "days.toml").write_text("[[post]]\ndays_since_ablation = 30\n[[post]]\ndays_since_ablation = 1\n")
    rows = ["case_id,pre,post,case", "good,pre,later;post,days.toml", "half,pre,post;broken,", "one,pre,post,"]
    (tmp_path / "m.csv").write_text("\n".join(rows) + "\n")
    out = tmp_path / "out"
    call = ("batch", tmp_path / "m.csv", "-o", out, "--registration", "identity", "--jobs", 1, "--quiet")
    ran = ablation(*call)
    assert ran.code == 0, ran.stdout + ran.stderr
    assert "3 cases: 3 finished now, 0 finished before, 0 failed" in ran.stdout
    assert "1 x post-failed: half" in ran.stdout
    assert {p.name for p in (out / "good").iterdir()} == {
        "batch.json", "result.json", "report.html", "log.txt", "post_1", "post_2"
    }  # fmt: skip
    assert "0 finished now, 3 finished before, 0 failed" in ablation(*call).stdout
    ran = ablation("audit", out, "-o", tmp_path / "audit")
    assert ran.code == 0, ran.stderr
    assert "3 cases: 3 assessed" in ran.stdout
    assert "3 lesions of 3 patients" in ran.stdout
    rows = csv_rows(tmp_path / "audit" / "lesions.csv")
    shown = ("case_id", "post", "posts", "days_since_ablation", "counted")
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("good", "1.0", "2.0", "1.0", "true"), ("half", "1.0", "2.0", "", "true"), ("one", "1.0", "1.0", "", "true"),
        ("good", "2.0", "2.0", "30.0", "false"),
    ]  # fmt: skip
