"""How each kind of statement is explained, on small texts of our own."""

from __future__ import annotations

import json

import pytest

from planner.guideline.catalogue import load_catalogue
from planner.guideline.drawn import drawn, spans
from planner.guideline.explain import explained
from planner.guideline.explain_entry import explained_conflict, explained_entry, explained_omitted
from planner.guideline.listing import listed
from planner.guideline.phases import JUDGES, TO_COME
from planner.guideline.plain import advisory_document, omitted_document, reference_document, rule_document
from planner.guideline.rule import Edge, Scale
from planner.guideline.selection import Wanted
from planner.guideline.speaks import primary_words, source_words

TEXT = """
schema_version = 1

[sources.series]
label = "Small series"
title = "A series that this test made up"
year = 1999
section = "Table 1"
kind = "cohort"
status = "superseded"
scheme = "none"

[[rule]]
id = "TT-01"
source = "series"
title = "days that pass"
statement = "It asks for a scan within a week and for a word."
question = "context"
phase = ["procedure"]
about = "resection"
scope = { primary = ["neuroendocrine"], treatment = "any", facts = { grade = ["g1", "g2"] } }
level = { grade = "none", stated_in_source = false }
per = "patient"
measured = []
entered = ["primary", "grade", "ablation_date", "post_scan_date", "ki67_percent", "one_session"]
if_missing = "caution"
any_of = [
  { days = ["ablation_date", "post_scan_date"], unit = "days", bands = [
    { verdict = "caution", lt = 0.0 }, { verdict = "pass", ge = 0.0, le = 7.0 }, { verdict = "caution", gt = 7.0 } ] },
  { fact = "ki67_percent", unit = "percent", bands = [
    { verdict = "pass", le = 20.0 }, { verdict = "fail", gt = 20.0 } ] },
  { case = [
    { when = { one_session = true }, verdict = "info", note = "One sitting." }, { verdict = "not_applicable" } ] },
]
edges_from_source = [7.0, 20.0]
conflicts = ["X1"]
superseded_by = ["TT-02"]
exceptions = "None that it names."

[[rule.example]]
own = true
verdict = "info"
[rule.example.facts]
primary = "neuroendocrine"
grade = "g1"
ki67_percent = 3.0
ablation_date = 2024-01-31
post_scan_date = 2024-02-01
one_session = true

[[reference]]
id = "TT-02"
source = "series"
title = "recurrence by margin"
statement = "Recurrence is listed by margin."
question = "margin"
phase = ["follow_up"]
about = "ablation"
primary = ["colorectal", "neuroendocrine", "gastric", "gist", "biliary", "ovarian", "pancreatic", "breast", "other"]
level = { grade = "cohort", stated_in_source = true }
population = "38 patients"
endpoint = "local recurrence, no horizon"
disputed = true
measured = ["margin.min_mm"]
entered = ["modality"]
conflicts = ["X1"]
figures = [
  { what = "local recurrence", stratum = "none", value = 41.0, unit = "%", ci95 = [30.0, 52.5], n = 38, p = "0.057" },
  { what = "local recurrence", stratum = "some", range = [5.0, 9.0], unit = "%" },
  { what = "trend", text = "falls with the margin" },
]
[reference.strata]
quantity = "margin.min_mm"
unit = "mm"
bands = [
  { label = "none", le = 0.0 }, { label = "some", gt = 0.0, lt = 10.0 },
  { label = "ten", ge = 10.0, le = 10.0 }, { label = "more", gt = 10.0 },
]

[[advisory]]
id = "TT-03"
source = "series"
title = "talk about it"
statement = "It advises to talk."
question = "context"
phase = ["board", "procedure"]
about = "organisation"
level = { grade = "advice", stated_in_source = true }
note = "Ours to add."
"""
CONFLICTS = (
    '[[conflict]]\nid = "X1"\ntitle = "Days or millimetres"\npositions = "One says days, one says millimetres."\n'
)
OMITTED = '[[omitted]]\nid = "TT-09"\nsource = "Small series"\nreason = "Its page was empty."\n'
CATALOGUE = load_catalogue({"series.toml": TEXT}, CONFLICTS, OMITTED)
RULE, REFERENCE, ADVISORY = CATALOGUE.rules[0], CATALOGUE.references[0], CATALOGUE.advisories[0]


def flat(text):
    return " ".join(text.split())


def test_a_rule_of_days_numbers_and_facts_is_explained_whole():
    text = explained(RULE, CATALOGUE)
    said = flat(text)
    assert text.startswith("TT-01  Days that pass (check)\nIt asks for a scan within a week")
    assert "(none) The strength is in our words: the source states no level here." in said
    assert "About: resection. Phase: procedure. It speaks about resection: it never judges an ablation case." in said
    assert "primary tumour neuroendocrine; where grade = g1 or g2. One verdict per patient." in said
    assert "Where the value is not known: short of the preferred band" in said
    assert "One that speaks is enough; of several the worse." in said
    assert "1. Days from ablation date to date of the post-ablation scan" in said
    assert "3. Entered facts where all zones in one session = yes for information One sitting. otherwise" in said
    assert "Exceptions: None that it names." in said
    assert "Later statements, to be read beside it see TT-02 (the same source; cohort)" in said
    assert "X1 Days or millimetres. One says days, one says millimetres. see TT-02 (the same source; cohort)" in said
    assert "ablation date = 2024-01-31" in said
    assert "-> for information, for a case of its own treatment" in said


def test_published_numbers_are_explained_as_a_table_by_row():
    text = explained_entry(REFERENCE, CATALOGUE)
    said = flat(text)
    assert text.startswith("TT-02  Recurrence by margin (figures)\n")
    assert "Shown, never judged, by `ablation review`: it speaks of follow-up." in said
    assert "primary tumour any but hepatocellular" in said
    assert "Belongs beside: minimal margin, ablation modality (entered as modality)." in said
    assert "Population: 38 patients. Endpoint: local recurrence, no horizon." in said
    assert "Disputed: the source contradicts itself here." in said
    assert "none (up to 0 mm); some (above 0 below 10 mm); ten (exactly 10 mm); more (above 10 mm)" in said
    lines = [flat(line) for line in text.splitlines()]
    assert "Row What Figure 95 % interval n p" in lines
    assert "none local recurrence 41 % 30 to 52.5 38 0.057" in lines
    assert "some local recurrence 5 to 9 %" in lines
    assert "all trend falls with the margin" in lines


def test_advice_is_its_text_with_source_and_note():
    said = flat(explained_entry(ADVISORY, CATALOGUE))
    assert said.startswith("TT-03 Talk about it (advice) It advises to talk. Source: A series that this test made up.")
    assert "About: how care is organised. Phase: board, procedure. Shown, never judged, by `ablation plan`" in said
    assert "`ablation plan`: it speaks of the tumour board and the procedure." in said
    assert said.endswith("Note: Ours to add.")


def test_what_is_left_out_and_a_conflict_are_explained():
    assert explained_omitted(CATALOGUE.omitted[0]) == "TT-09  Left out. Small series: Its page was empty.\n"
    said = flat(explained_conflict(CATALOGUE.conflicts["X1"], CATALOGUE))
    assert "TT-01 Days that pass (check). Small series (1999; none)" in said
    assert "TT-02 Recurrence by margin (figures). Small series (1999; cohort)" in said
    assert "TT-03" not in said


def test_the_list_counts_kinds_and_names_the_standing_of_a_source():
    said = listed(CATALOGUE.statements, Wanted())
    assert said.startswith("3 statements of 1 source: 1 to check, 1 with figures, 1 of advice\n")
    assert "Small series, 1999 (cohort, superseded): --source series" in said
    assert source_words(RULE.source) in said
    assert "any but hepatocellular" in said


def test_each_kind_is_plain_values_that_json_holds():
    documents = [rule_document(RULE, CATALOGUE), reference_document(REFERENCE, CATALOGUE)]
    documents += [advisory_document(ADVISORY, CATALOGUE), omitted_document(CATALOGUE.omitted[0])]
    rule, reference, advisory, omitted = json.loads(json.dumps(documents, allow_nan=False))
    assert rule["where"] == {"grade": ["g1", "g2"]}
    assert (rule["combine"], rule["if_missing"], rule["superseded_by"]) == ("any", "caution", ["TT-02"])
    assert rule["commands"] == []
    assert reference["figures"][1] == {
        "what": "local recurrence", "value": None, "range": [5.0, 9.0], "text": "", "unit": "%", "ci95": None,
        "n": None, "p": "", "stratum": "some",
    }  # fmt: skip
    assert reference["strata"]["bands"][1] == {"label": "some", "gt": 0.0, "lt": 10.0}
    assert reference["commands"] == ["review"]
    assert advisory["see"] == []
    assert omitted == {"id": "TT-09", "source": "Small series", "reason": "Its page was empty."}


def test_a_command_that_statements_wait_for_is_told_apart_from_those_that_there_are():
    from pipelines.cli.__main__ import COMMANDS

    assert set(JUDGES) - set(COMMANDS) == TO_COME


@pytest.mark.parametrize(
    ("primary", "said"),
    [
        ((), "any"),
        (("gist",), "gist"),
        (("gist", "gastric"), "gist or gastric"),
        (("colorectal", "neuroendocrine", "gastric", "gist", "biliary", "ovarian", "pancreatic", "breast"),
         "any but hepatocellular or other"),
    ],
)  # fmt: skip
def test_primary_tumours_are_named_or_those_left_out(primary, said):
    assert primary_words(primary) == said


def test_bands_that_are_too_many_for_a_line_stand_below_one_another():
    edges = tuple(Edge(float(at), "above", from_source=at != 3) for at in range(1, 7))
    scale = Scale(("fail", "caution", "fail", "caution", "fail", "caution", "pass"), edges)
    lines = drawn(scale, "mm")
    assert lines[0] == "below 1 mm: outside this source's criterion"
    assert lines[1] == "from 1 below 2 mm: short of the preferred band"
    assert lines[-2:] == ["from 6 mm: meets", "* this line is ours: the source does not print it"]
    assert spans((), "mm") == ["any value, in mm"]


def test_an_edge_that_is_a_band_of_its_own_is_named_once():
    scale = Scale(("pass", "caution", "pass"), (Edge(5.0, "above", True), Edge(5.0, "below", True)))
    assert drawn(scale, "lesion")[-1] == "(5 lesion itself: short of the preferred band)"
