"""A site's own rules: proved, refused whole, in force where asked for, and labelled wherever they stand."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from batch_child import fake
from cli_runs import ablation, ball, post_study, pre_study
from test_batch_runner import a_manifest

from pipelines.audit.held_against import verdict_columns
from pipelines.batch.child import review_command
from pipelines.catalogue import packaged_catalogue
from pipelines.cli.site_rules import site_lines
from pipelines.settings import Settings, with_registration
from pipelines.site_rules import MOST_BYTES, MOST_FILES, site_example, site_examples, site_rules
from planner.errors import EvidenceError
from planner.guideline.catalogue import with_site
from planner.guideline.explain import explained
from planner.guideline.judge import judge, judge_case
from planner.guideline.measured import Measured

ACCLAIM = site_example("site_acclaim_2025")
OVERRIDE = ACCLAIM.replace('conflicts   = ["X1"]', 'overrides   = "CO-02"', 1)
RULES = packaged_catalogue().ids


def write(folder, **texts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", site_examples())
def test_each_packaged_example_holds_and_is_off_by_default(name, tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(ablation("rules", "--site-example", name).stdout, encoding="utf-8")
    ran = ablation("rules", "--check", path)
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == "1 rule holds\n"
    assert not any(rule.source.of_site for rule in packaged_catalogue().rules)


def test_the_acclaim_example_says_that_no_source_document_holds_it(tmp_path):
    held = site_rules(write(tmp_path / "site", acclaim=ACCLAIM))
    (rule,) = [rule for rule in held.catalogue.rules if rule.source.of_site]
    assert "Not in the source documents" in rule.note
    assert [edge.at for edge in rule.parts[0].branches[0].scale.edges] == [5.0, 10.0]
    assert rule.source.citation.doi == "10.1186/s13063-025-09006-2"
    place = held.catalogue.rules.index(rule)
    assert not any(before.source.unsigned for before in held.catalogue.rules[:place])
    assert all(after.source.unsigned for after in held.catalogue.rules[place + 1 :])
    assert tuple(name for name in held.catalogue.ids if name != rule.id) == RULES
    assert held.sha256 == (hashlib.sha256(ACCLAIM.encode()).hexdigest(),)


def test_several_files_are_counted_together_and_hidden_and_other_files_left_alone(tmp_path):
    second = ACCLAIM.replace("ACCLAIM-01", "ACCLAIM-02")
    folder = write(tmp_path / "site", a=ACCLAIM, b=second, **{".hidden": "no TOML at all"})
    (folder / "README.md").write_text("why", encoding="utf-8")
    assert ablation("rules", "--check", folder).stdout == "2 rules hold\n"
    sums = sorted(hashlib.sha256(text.encode()).hexdigest() for text in (ACCLAIM, second))
    assert site_rules(folder).sha256 == tuple(sums)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "site.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ACCLAIM.encode())
    assert ablation("rules", "--check", path).stdout == "1 rule holds\n"


BANDS = ACCLAIM[ACCLAIM.index("bands       = [") : ACCLAIM.index("edges_from_source")]
WRONG = {
    "a quantity that is not registered": ('"margin.min_mm"', '"margin.mim_mm"', "did you mean 'margin.min_mm'"),
    "bands that overlap": ("lt = 10.0", "lt = 11.0", "bands overlap at 10"),
    "a gap": ("lt = 10.0", "lt = 9.0", "gap between 9 and 10"),
    "a point in no band": ("ge = 10.0", "gt = 10.0", "no band holds 10"),
    "a unit that does not fit": ('unit        = "mm"', 'unit = "cm"', "unit cm of margin.min_mm, expected mm"),
    "an id that is taken": ("ACCLAIM-01", "CO-02", "this id is given to two entries, here and in the catalogue"),
    "an override of nothing": ('conflicts   = ["X1"]', 'overrides = "CO-99"', "overrides CO-99, which is no rule"),
    "a source of another kind": ('kind      = "site"', 'kind = "guideline"', "must be of kind site"),
    "an example that does not come out": ('verdict  = "pass"', 'verdict = "fail"', "example 1 gives pass, states fail"),
    "a word that is none": ('verdict = "pass",    ge', 'verdict = "good", ge', "Input should be 'pass'"),
    "no bands": (BANDS, "bands = []\n", "at least 1 item"),
    "no quantity": ('quantity    = "margin.min_mm"', "quantity = []", "quantity"),
    "a conflict that is not described": ('["X1"]', '["X99"]', "conflict X99 is not described"),
    "a fact that is not registered": ('entered     = ["primary"]', 'entered = ["primry"]', "lists primry"),
    "a later statement that is not there": ('conflicts   = ["X1"]', 'superseded_by = ["CO-99"]', "which is no entry"),
    "an unknown key": ("title       =", "titel       =", "titel: unknown key"),
    "a value that is not finite": ("ge = 10.0", "ge = nan", "finite number"),
}


@pytest.mark.parametrize(("found", "put", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_with_file_id_and_reason(found, put, said, tmp_path):
    assert found in ACCLAIM
    path = tmp_path / "our_margin.toml"
    path.write_text(ACCLAIM.replace(found, put, 1), encoding="utf-8")
    ran = ablation("rules", "--check", path)
    assert (ran.code, ran.stdout) == (3, "")
    assert ran.stderr.count("\n") == 1
    rule_id = "CO-02" if put == "CO-02" else "ACCLAIM-01"
    assert ran.stderr.startswith("error [evidence]: our_margin.toml: ")
    assert rule_id in ran.stderr
    assert said in ran.stderr


NO_TABLE = {
    "bad TOML": (b"schema_version = ", "evidence", "not TOML: Invalid value"),
    "not UTF-8": (ACCLAIM.encode().replace(b"margin", b"m\xe4rgin", 1), "evidence", "not TOML: not UTF-8 text"),
    "10 MB": (b"#" * 10_000_000, "too-large", "larger than 1 MB"),
    "one byte too many": (b"#" * (MOST_BYTES + 1), "too-large", "larger than 1 MB"),
    "nested deep": (b"a = " + b"[" * 100_000, "evidence", "not TOML: nested too deep"),
    "a number of 5000 digits": (b"a = " + b"9" * 5000, "evidence", "not TOML: Exceeds the limit"),
    "empty": (b"", "evidence", "Field required"),
    "zeros": (b"\0" * 1000, "evidence", "not TOML"),
}


@pytest.mark.parametrize(("content", "code", "said"), NO_TABLE.values(), ids=NO_TABLE)
def test_what_is_no_rule_file_is_refused_in_one_line(content, code, said, tmp_path):
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    ran = ablation("rules", "--check", path)
    assert (ran.code, ran.stdout) == (3, "")
    assert ran.stderr.startswith(f"error [{code}]: odd.toml: ")
    assert ran.stderr.count("\n") == 1
    assert said in ran.stderr


def test_cases_that_ask_for_more_facts_than_can_be_proved_are_refused_at_once(tmp_path):
    names = [name for name, fact in json_facts().items() if fact["kind"] == "yes_no"][:24]
    when = ", ".join(f"{name} = true" for name in names)
    cases = f'[[rule.case]]\nwhen = {{ {when} }}\nverdict = "pass"\n[[rule.case]]\nverdict = "info"\n'
    head, tail = ACCLAIM.split("[[rule.example]]", 1)
    head = head.replace(BANDS, "").replace("edges_from_source = [5.0, 10.0]\n", "")
    head = head.replace('quantity    = "margin.min_mm"\nunit        = "mm"\n', "")
    path = tmp_path / "wide.toml"
    path.write_text(f"{head}\n{cases}\n[[rule.example]]{tail}", encoding="utf-8")
    ran = ablation("rules", "--check", path)
    assert ran.code == 3
    assert "wide.toml: ACCLAIM-01: the cases ask for too many facts at once to be proved" in ran.stderr


def json_facts():
    return {fact["name"]: fact for fact in json.loads(ablation("rules", "--json").stdout)["facts"]}


def make_symlink(path):
    real = path.with_suffix(".txt")
    real.write_text(ACCLAIM, encoding="utf-8")
    path.symlink_to(real)


ODD = {
    "a symbolic link": (make_symlink, "a symbolic link, expected a regular file"),
    "a pipe": (os.mkfifo, "a pipe or device, expected a regular file"),
    "a folder": (lambda path: path.mkdir(), "a folder, expected a regular file"),
    "a link to nothing": (lambda path: path.symlink_to("gone"), "a symbolic link, expected a regular file"),
}


@pytest.mark.parametrize(("make", "said"), ODD.values(), ids=ODD)
def test_what_is_no_regular_file_is_refused_and_never_waited_for(make, said, tmp_path):
    folder = write(tmp_path / "site", a=ACCLAIM)
    make(folder / "b.toml")
    ran = ablation("rules", "--check", folder)
    assert (ran.code, ran.stdout) == (3, "")
    assert f"error [not-a-file]: b.toml: {said}" in ran.stderr


@pytest.mark.parametrize("what", ["review", "batch"])
@pytest.mark.parametrize("wrong", ["missing", "empty", "crowded", "faulty"])
def test_rules_that_do_not_hold_stop_a_run_before_anything_is_read(what, wrong, tmp_path):
    folder, said = tmp_path / "Smith_John", "error [missing]: folder of site rules: not found, or not a folder"
    if wrong == "empty":
        folder, said = write(folder), "error [missing]: folder of site rules: holds no *.toml file"
    if wrong == "crowded":
        files = {f"n{number}": ACCLAIM for number in range(MOST_FILES + 1)}
        folder, said = write(folder, **files), f"error [too-large]: folder of site rules: {MOST_FILES + 1} files"
    if wrong == "faulty":
        files = {"a": ACCLAIM, "Smith_rules": ACCLAIM.replace("ACCLAIM-01", "ACCLAIM-02").replace("lt = 10", "lt = 9")}
        folder, said = write(folder, **files), "error [evidence]: site file 1 of 2: ACCLAIM-02: margin.min_mm: gap"
    given = ["gone", "gone"] if what == "review" else ["gone.csv"]
    ran = ablation(what, *given, "-o", tmp_path / "out", "--rules", folder, "--quiet")
    assert (ran.code, ran.stdout) == (3, "")
    line, where = ran.stderr.splitlines()
    assert line.startswith(said)
    assert "Smith" not in line
    assert "Smith" in where
    assert not (tmp_path / "out").exists()


def test_an_override_stands_in_place_of_the_rule_and_is_explained_as_site_policy(tmp_path):
    held = site_rules(write(tmp_path / "site", own=OVERRIDE)).catalogue
    assert "CO-02" not in held.ids
    assert set(held.ids) == set(RULES) - {"CO-02"} | {"ACCLAIM-01"}
    said = " ".join(explained(held.rule("ACCLAIM-01"), held).split())
    assert "Overrides CO-02: it stands in its place, by site policy." in said
    assert "Source: site policy: Sofocleous et al." in said
    again = {"a": OVERRIDE, "b": OVERRIDE.replace("ACCLAIM-01", "ACCLAIM-02")}
    ran = ablation("rules", "--check", write(tmp_path / "twice", **again))
    assert ran.code == 3
    assert "overrides CO-02" in ran.stderr


def test_the_files_are_a_setting_that_the_hash_follows():
    named = with_registration("deformable", site_rules_sha256=("ab",))
    assert named.document()["site_rules_sha256"] == ["ab"]
    assert Settings().document()["site_rules_sha256"] == []
    assert named.sha256() != Settings().sha256()
    assert Settings.model_validate(named.document()) == named


def test_a_batch_tells_every_case_and_does_finished_ones_again_when_a_file_changes(tmp_path, monkeypatch):
    calls = []

    def noted(row, folder, **told):
        calls.append(review_command(row, folder, **told))
        return fake(tmp_path / "starts")(row, folder)

    monkeypatch.setattr("pipelines.batch.child.review_command", noted)
    folder = write(tmp_path / "site", own=ACCLAIM)
    call = ["batch", a_manifest(tmp_path, a="ok"), "-o", tmp_path / "out"]
    for more in ((), ("--rules", folder), ("--rules", folder)):
        assert ablation(*call, *more).code == 0
    write(folder, own=ACCLAIM + "# changed\n")
    assert ablation(*call, "--rules", folder).code == 0
    assert [f"--rules={folder}" in said for said in calls] == [False, True, True]


def test_a_site_rule_judges_as_its_examples_say():
    rule = with_site(packaged_catalogue(), {"site.toml": ACCLAIM}).rule("ACCLAIM-01")
    for example in rule.examples:
        found = judge(replace(rule, examples=()), example.measured, example.facts)
        assert (found.word, found.borderline) == (example.verdict, example.borderline)


def test_a_rule_that_names_an_overridden_one_as_later_is_explained_with_the_site_rule_in_its_place(tmp_path):
    (older,) = [rule for rule in packaged_catalogue().rules if rule.id == "PP-25"]
    assert older.superseded_by == ("CO-28",)
    held = site_rules(write(tmp_path / "site", own=OVERRIDE.replace('"CO-02"', '"CO-28"'))).catalogue
    assert "see ACCLAIM-01 (site policy: ACCLAIM margin" in " ".join(explained(older, held).split())


def test_a_site_file_holds_rules_and_no_figures_or_advice(tmp_path):
    advice = """
[[advisory]]
id = "ACCLAIM-02"
source = "site_acclaim_2025"
title = "talk"
statement = "Talk about it."
question = "context"
phase = ["board"]
about = "organisation"
level = { grade = "none", stated_in_source = false }
"""
    ran = ablation("rules", "--check", write(tmp_path / "site", own=ACCLAIM + advice))
    assert ran.code == 3
    assert "own.toml: ACCLAIM-02: a site's file holds rules only" in ran.stderr


def test_an_example_that_is_not_there_is_wrong_usage_that_names_those_that_are():
    ran = ablation("rules", "--site-example", "acclaim")
    assert (ran.code, ran.stdout) == (2, "")
    assert "example 'acclaim' is not known" in ran.stderr
    assert all(name in ran.stderr for name in site_examples())


def test_a_folder_or_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    folder = write(tmp_path / "site", own=ACCLAIM)

    def denied(*_arguments, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", denied)
    assert (
        "error [unreadable]: own.toml: cannot be read (Permission denied)"
        in ablation("rules", "--check", folder).stderr
    )
    monkeypatch.undo()
    monkeypatch.setattr("pathlib.Path.iterdir", denied)
    ran = ablation("rules", "--check", folder)
    assert ran.code == 3
    assert "folder of site rules: cannot be read (Permission denied)" in ran.stderr


def test_what_site_rules_say_is_a_line_each_labelled_whatever_they_say():
    texts = {"a.toml": OVERRIDE, "b.toml": ACCLAIM.replace("ACCLAIM-01", "ACCLAIM-02")}
    texts["b.toml"] = texts["b.toml"].replace('phase       = ["post_procedure"]', 'phase = ["eligibility"]')
    texts["b.toml"] = texts["b.toml"].replace('"margin.min_mm"', '"patient.n_lesions"').replace('"mm"', '"lesions"')
    texts["b.toml"] = texts["b.toml"].replace('per         = "lesion"', 'per = "patient"')
    texts["b.toml"] = texts["b.toml"].replace('label     = "ACCLAIM margin"', 'label = "ACCLAIM\\nmargin"')
    rules = with_site(packaged_catalogue(), texts).rules
    judged = judge_case(rules, {"1": {}, "2": {"margin.min_mm": Measured(6.0, "mm")}}, {}, {"primary": "colorectal"})
    first, second = site_lines(SimpleNamespace(judged=judged))
    assert first.startswith("ACCLAIM-01, in place of CO-02, site policy: ACCLAIM margin (2025; ")
    assert first.endswith("lesion 1 could not be judged (minimal margin: not measured);"
                          " lesion 2 short of the preferred band")  # fmt: skip
    assert second.startswith("ACCLAIM-02, site policy: ACCLAIM margin (2025; ")
    assert "not judged here, speaks of eligibility" in second


def test_an_audit_describes_the_column_of_a_site_rule_as_site_policy():
    entry = {"rule": "ACCLAIM-01", "source": "ACCLAIM margin", "year": 2025, "strength": "ours", "site_policy": True}
    (column,) = verdict_columns([{"guidelines": [entry]}])
    assert "Rule ACCLAIM-01 of site policy: ACCLAIM margin (2025; ours)" in column.definition
    (other,) = verdict_columns([{"guidelines": [entry | {"site_policy": False}]}])
    assert "site policy" not in other.definition


ODD_VALUES = (
    "-1", "0", "1e308", "nan", "true", '""', "[]", "{}", "[1]", '["x"]', "2024-01-31", "12:00:00", '"primary"', "{a=1}",
    '"ablation_date"', '["margin.min_mm", "margin.min_mm"]', '"not_applicable"', "{ primary = [] }", "9" * 30,
)  # fmt: skip
ODD_LETTERS = tuple("\0\x1b\"'[]{}=\u2028\U0001f600")


def with_slips(text: str, seed: int) -> str:
    """Return a text with one to three slips of the pen."""
    draw = np.random.default_rng(seed)
    lines = text.splitlines()
    for _ in range(draw.integers(1, 4)):
        at, other = draw.integers(len(lines), size=2)
        slip = draw.choice(["drop", "repeat", "swap", "value", "value", "letter"])
        if slip == "drop":
            del lines[at]
        elif slip == "repeat":
            lines.insert(at, lines[other])
        elif slip == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        elif slip == "value" and "=" in lines[at]:
            lines[at] = f"{lines[at].split('=')[0]}= {draw.choice(ODD_VALUES)}"
        elif lines[at]:
            place = draw.integers(len(lines[at]))
            lines[at] = lines[at][:place] + draw.choice(ODD_LETTERS) + lines[at][place + 1 :]
    return "\n".join(lines)


def refusal(text: str) -> str:
    """Return why a text is refused; empty where it holds."""
    try:
        with_site(packaged_catalogue(), {"slip.toml": text})
    except EvidenceError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("seed", range(200))
def test_a_file_with_slips_of_the_pen_holds_or_is_refused_in_one_line(seed):
    said = refusal(with_slips(ACCLAIM, seed))
    assert not said or said.startswith("slip.toml: ")
    assert "\n" not in said


@pytest.mark.slow
def test_a_review_labels_a_site_rule_in_table_report_and_result(tmp_path):
    pre, post = pre_study(tmp_path / "pre"), post_study(tmp_path / "post", ablation=ball((58.5, 58.5, 62.0), 16.0))
    (tmp_path / "case.toml").write_text('[facts]\nprimary = "colorectal"\n', encoding="utf-8")
    folder = write(tmp_path / "site", Smith_John=OVERRIDE)
    call = ["review", pre, post, "--registration", "identity", "--quiet", "--case", tmp_path / "case.toml"]
    ran = ablation(*call, "-o", tmp_path / "own", "--rules", folder)
    assert ran.code == 0
    assert ablation(*call, "-o", tmp_path / "without").code == 0
    own, without = (json.loads((tmp_path / x / "result.json").read_text()) for x in ("own", "without"))
    rules = [{entry["rule"] for entry in document["guidelines"]} for document in (own, without)]
    assert rules[0] == rules[1] - {"CO-02"} | {"ACCLAIM-01"}
    assert all(entry["site_policy"] == (entry["rule"] == "ACCLAIM-01") for entry in own["guidelines"])
    sha256 = hashlib.sha256(OVERRIDE.encode()).hexdigest()
    assert own["provenance"]["settings"]["site_rules_sha256"] == [sha256]
    (line,) = [line for line in ran.stdout.splitlines() if "site policy" in line]
    assert line.startswith("ACCLAIM-01, in place of CO-02, site policy: ACCLAIM margin (2025; required for technical")
    assert "lesion 1 short of the preferred band" in line
    report = (tmp_path / "own" / "report.html").read_text(encoding="utf-8")
    assert "site policy: ACCLAIM margin (2025; " in report
    assert "site policy" not in (tmp_path / "without" / "report.html").read_text(encoding="utf-8")
    for path in (tmp_path / "own").rglob("*"):
        assert not path.is_file() or b"Smith" not in path.read_bytes()
