"""The audit as a researcher calls it. All outcomes here are synthetic."""

from __future__ import annotations

import json
import re

import pytest
from audit_cases import document, lesion, write_case, write_failure, write_outcomes
from cli_runs import ablation, post_study, pre_study, python
from test_report_html import Outline

from pipelines.audit.columns import PLANNED

FILES = {"lesions.csv", "lesions.parquet", "data_dictionary.csv", "audit.html", "audit.json"}
LOADED = """
import sys
from pipelines.cli.__main__ import main
try:
    main(sys.argv[1:], prog_name="ablation")
except SystemExit as end:
    assert not end.code, end.code
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture
def out(tmp_path):
    for number, margin in enumerate((-1.0, 2.0, 6.0, 11.0)):
        write_case(
            tmp_path / "out", document(f"c{number}", lesion("1", margin), lesion("2", margin + 1), patient="p<b>")
        )
    write_failure(tmp_path / "out", "f")
    return tmp_path / "out"


@pytest.fixture
def outcomes(tmp_path):
    rows = [(f"c{n}", m, event, 100 * (n + m), "yes") for n in range(4) for m, event in ((1, "ltp"), (2, "none"))]
    return write_outcomes(tmp_path / "outcomes.csv", *rows, header="case_id,lesion_id,event,days,synthetic")


def test_an_audit_leaves_its_files_and_says_the_counts(out, tmp_path):
    ran = ablation("audit", out, "-o", tmp_path / "audit")
    assert ran.code == 0
    assert {path.name for path in (tmp_path / "audit").iterdir()} == FILES
    assert "5 cases: 4 assessed, 0 not assessable, 1 failed, 0 unfinished" in ran.stdout
    assert "8 lesions of 1 patient: " in ran.stdout
    assert json.loads((tmp_path / "audit" / "audit.json").read_text())["survival"] is None


def test_with_outcomes_the_page_holds_curves_flow_and_caution(out, outcomes, tmp_path):
    ran = ablation("audit", out, "-o", tmp_path / "audit", "--outcomes", outcomes)
    assert ran.code == 0
    assert "4 LTP events, fewer than about 100: this cohort cannot confirm" in ran.stdout
    found = json.loads((tmp_path / "audit" / "audit.json").read_text())["survival"]
    assert found["synthetic"] is True
    assert [curve["band"] for curve in found["curves"]] == ["below_0", "0_to_5", "5_to_10", "from_10"]
    page = (tmp_path / "audit" / "audit.html").read_text(encoding="utf-8")
    for words in ("Synthetic outcomes.", "cannot confirm", "Death is counted as an event", "cases failed: killed"):
        assert words in page
    assert "outcome_event" in (tmp_path / "audit" / "lesions.csv").read_text()


def test_one_of_a_kind_is_said_in_the_singular(tmp_path):
    write_case(tmp_path / "out", document("a", lesion("1", 6.0)))
    outcomes = write_outcomes(tmp_path / "outcomes.csv", ("a", 1, "death", 4))
    ran = ablation("audit", tmp_path / "out", "-o", tmp_path / "audit", "--outcomes", outcomes)
    assert "] 1 case read\n" in ran.stderr
    said = ran.stdout
    for words in ("1 case: 1 assessed", "1 lesion of 1 patient: ", "1 lesion analysed, 0 LTP, 1 death\n"):
        assert words in said
    page = (tmp_path / "audit" / "audit.html").read_text(encoding="utf-8")
    assert not re.search(r"\b1 (cases|lesions|patients|deaths|faults|events|rows)\b", page + said + ran.stderr)


def test_cases_without_a_result_are_named_with_their_reason(out, tmp_path):
    write_failure(out, "g<i>", "timeout")
    ablation("audit", out, "-o", tmp_path / "audit")
    page = (tmp_path / "audit" / "audit.html").read_text(encoding="utf-8")
    assert '<tr><th scope="row"><bdi>f</bdi></th><td>killed</td><td>why</td></tr>' in page
    assert '<tr><th scope="row"><bdi>g&lt;i&gt;</bdi></th><td>timeout</td><td>why</td></tr>' in page


def test_the_page_reaches_for_nothing_and_says_what_it_is_not(out, outcomes, tmp_path):
    ablation("audit", out, "-o", tmp_path / "audit", "--outcomes", outcomes)
    page = (tmp_path / "audit" / "audit.html").read_text(encoding="utf-8")
    outline = Outline(page)
    assert outline.open == []
    assert not [tag for tag, _ in outline.tags if tag in {"script", "link", "iframe", "object"}]
    sources = [attributes["src"] for tag, attributes in outline.tags if tag == "img"]
    assert len(sources) == 2
    assert all(source.startswith("data:image/svg+xml,") for source in sources)
    assert all(attributes.get("alt") for tag, attributes in outline.tags if tag == "img")
    assert not re.search(r"https?://", re.sub(r"base64,[^\"]*", "", page))
    assert page.count("Not a medical device. For research and audit only.") == 2
    assert "p<b>" not in page
    assert "p&lt;b&gt;" in page


def test_the_same_results_give_the_same_bytes(out, outcomes, tmp_path):
    for name in ("one", "two"):
        assert ablation("audit", out, "-o", tmp_path / name, "--outcomes", outcomes).code == 0
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_faulty_outcomes_are_code_3_and_nothing_is_written(out, tmp_path):
    bad = write_outcomes(tmp_path / "bad.csv", ("c0", 1, "ltp", 0), ("c9", 1, "none", "x"))
    ran = ablation("audit", out, "-o", tmp_path / "audit", "--outcomes", bad, "--quiet")
    assert ran.code == 3
    *said, where = ran.stderr.splitlines()
    assert (len(said), where) == (4, "  where: bad.csv")
    assert not (tmp_path / "audit").exists()


def test_duplicate_cases_are_code_3(out, tmp_path):
    write_case(tmp_path / "more", document("c0", lesion()))
    ran = ablation("audit", out, tmp_path / "more", "-o", tmp_path / "audit", "--quiet")
    assert ran.code == 3
    assert ran.stderr.splitlines() == [
        "error [duplicate-case]: 1 case id is there more than once:", "  c0: in 2 folders",
        "  where: c0: .../out/c0, .../more/c0",
    ]  # fmt: skip


def test_the_outcomes_file_has_no_name_in_what_is_written(out, outcomes, tmp_path):
    named = outcomes.rename(tmp_path / "zebedee.csv")
    ran = ablation("audit", out, "-o", tmp_path / "audit", "--outcomes", named)
    assert ran.code == 0
    written = b"".join(path.read_bytes() for path in (tmp_path / "audit").iterdir())
    assert b"zebedee" not in written.lower()
    assert "zebedee" not in ran.stdout + ran.stderr.lower()
    page = (tmp_path / "audit" / "audit.html").read_text(encoding="utf-8")
    assert '<th scope="row">the outcomes file</th><td>sha256 ' in page


def test_an_audit_folder_that_cannot_be_written_is_code_5(out, tmp_path):
    (tmp_path / "file").write_text("")
    ran = ablation("audit", out, "-o", tmp_path / "file", "--quiet")
    assert (ran.code, len(ran.stderr.splitlines())) == (5, 1)


@pytest.mark.parametrize("call", [["audit", "--help"], ["batch", "--help"], ["--help"]])
def test_help_imports_no_heavy_library(call):
    ran = python("-c", LOADED, *call)
    assert ran.code == 0, ran.stderr
    loaded = set(ran.stdout.rpartition("loaded:")[2].split())
    assert not loaded & {"lifelines", "pandas", "pyarrow", "matplotlib", "numpy", "SimpleITK", "jinja2"}


def test_only_outcomes_need_lifelines_and_pyplot_is_never_needed(out, outcomes, tmp_path):
    ran = python("-c", LOADED, "audit", out, "-o", tmp_path / "audit")
    assert ran.code == 0, ran.stderr
    assert "lifelines" not in ran.stdout.rpartition("loaded:")[2].split()
    code = LOADED.replace('{name.partition(".")[0] for name in sys.modules}', "sys.modules")
    ran = python("-c", code, "audit", out, "-o", tmp_path / "two", "--outcomes", outcomes)
    assert ran.code == 0, ran.stderr
    loaded = ran.stdout.rpartition("loaded:")[2].split()
    assert "lifelines" in loaded
    assert "matplotlib.pyplot" not in loaded


@pytest.mark.slow
def test_a_real_review_is_audited(tmp_path):
    pre, post = pre_study(tmp_path / "pre"), post_study(tmp_path / "post")
    days = "[pre]\nscanned_on = 2024-02-27\n[facts]\nablation_date = 2024-03-01\npost_scan_date = 2024-03-02\n"
    (tmp_path / "case.toml").write_text(days)
    call = ("review", pre, post, "-o", tmp_path / "out" / "real", "--registration", "identity", "--quiet")
    assert ablation(*call, "--case", tmp_path / "case.toml").code == 0
    assert ablation("audit", tmp_path / "out", "-o", tmp_path / "audit").code == 0
    result = json.loads((tmp_path / "out" / "real" / "result.json").read_text())
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(tmp_path / "audit" / "lesions.parquet").to_pylist()
    assert len(table) == len(result["lesions"]) == 1
    margin = result["lesions"][0]["margin"]
    assert table[0]["margin_min_mm"] == margin["min_mm"]
    assert table[0]["margin_ci95_high_mm"] == margin["ci95_mm"][1]
    assert (table[0]["days_since_ablation"], table[0]["pre_days_before_ablation"], table[0]["counted"]) == (
        1.0,
        3.0,
        True,
    )
    assert table[0]["software_version"] == result["provenance"]["software_version"]
    # Every column that a whole review can fill is filled: a misspelt key would leave one empty.
    empty = {name for name, value in table[0].items() if value is None}
    explained = {reason["field"] for reason in result["lesions"][0]["reasons"]}
    planned = {column.name for column in PLANNED}
    assert planned <= empty
    assert "planned" in explained  # tests/test_cli_plan_outcome.py fills them
    assert {name for name in empty - planned if not name.startswith("ltp_")} <= {
        "reason_codes", *(f"margin_{field.removeprefix('margin.')}" for field in explained if field),
    }  # fmt: skip
