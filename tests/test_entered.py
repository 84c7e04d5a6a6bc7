"""One case with everything entered and with nothing: what is entered judges numbers, it makes and takes away none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from analytic import ball, voxelised
from entered import EVERYTHING
from test_assess import GRID, TUMOURS, ZONES, alignment, assessed, case, study

from pipelines.bundled import templates, text
from pipelines.catalogue import packaged_catalogue, packaged_hazards
from pipelines.store.result import assessment_document
from planner.assessment import Assessment
from planner.consult import Evidence, consulted
from planner.facts import FACTS
from planner.findings import REMNANT_OF_STANDARD_PERCENT
from planner.guideline.phases import judged_by
from planner.guideline.words import fact_words
from planner.report.content import report_content
from planner.report.html import render_html
from planner.report.table import table_text

EVIDENCE = Evidence(packaged_hazards(), packaged_catalogue().rules)
BALLS = {
    "pre": {**{f"tumour_{name}": b for name, b in TUMOURS.items()}, "stomach": ((0.0, 17.0, 0.0), 3.0),
            "small_bowel": ((12.0, 17.0, 0.0), 3.0), "colon": ((0.0, -17.0, 0.0), 3.0),
            "common_bile_duct": ((10.0, 2.0, 0.0), 2.5)},
    "post": {f"ablation_{name}": b for name, b in ZONES.items()},
}  # fmt: skip
JUDGES = ("guidelines", "unlocking_facts", "ltp")
"""What facts are for."""

ENTERED = ("tissue_change.days_since_ablation", REMNANT_OF_STANDARD_PERCENT.name)
"""Numbers that somebody enters, or a share of one."""


def html_of(assessment: Assessment) -> str:
    content = report_content(assessment, (), {}, {})
    return render_html(content, templates=templates(), css=text("report.css"))


@cache
def found(*, everything: bool) -> Assessment:
    masks = {name: {n: voxelised(ball(*b), GRID, n) for n, b in balls.items()} for name, balls in BALLS.items()}
    facts = EVERYTHING if everything else {}
    whole = case(pre=study(**masks["pre"]), post=study(**masks["post"]), facts=facts)
    return consulted(assessed(whole, alignment()), facts, EVIDENCE)


def numbers(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield each number below a value with the names that lead to it; findings by name and lesion."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in JUDGES:
                yield from numbers(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            name = f"{part['name']} of {part.get('lesion_id')}" if isinstance(part, dict) and "name" in part else place
            yield from numbers(part, f"{path}[{name}]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, float(value)


def document(*, everything: bool) -> dict:
    return assessment_document(found(everything=everything), {}, {})


def measured(*, everything: bool) -> dict[str, float]:
    every = dict(numbers(document(everything=everything)))
    return {path: value for path, value in every.items() if not any(name in path for name in ENTERED)}


def test_with_nothing_entered_no_number_that_was_measured_is_lost_or_changed() -> None:
    assert measured(everything=False) == measured(everything=True)
    assert len(measured(everything=False)) > 300
    names = " ".join(measured(everything=False))
    for name in ("margin.min_mm", "ci95_mm", "distances", "dist.tumour_to_bowel_mm of 1", "liver", "tumour_ml"):
        assert name in names


def test_with_nothing_entered_every_fact_is_null_and_what_waits_for_one_says_which() -> None:
    nothing = found(everything=False)
    assert set(nothing.facts) == set(FACTS) - {"ablation_date", "post_scan_date"}  # kept as days between them
    assert set(nothing.facts.values()) == {None}
    waiting = {name for entry in document(everything=False)["guidelines"] for name in entry["missing"]}
    assert {"primary", "approach", "displacement", "one_session"} <= waiting
    ours = [rule for rule in packaged_catalogue().rules if judged_by("review", rule)]
    assert waiting <= {name for rule in ours for name in rule.entered}
    unlocking = [entry["fact"] for entry in document(everything=False)["unlocking_facts"]]
    assert (len(unlocking), unlocking[0]) == (3, "primary")
    assert document(everything=True)["unlocking_facts"] == []
    assert not any(entry["missing"] for entry in document(everything=True)["guidelines"])


def test_a_rule_that_waits_for_a_fact_is_judged_where_everything_is_entered() -> None:
    for entry, other in zip(*(document(everything=e)["guidelines"] for e in (False, True)), strict=True):
        assert (entry["rule"], entry["lesion_id"]) == (other["rule"], other["lesion_id"])
        if entry["verdict"] != "not_evaluable":
            assert (entry["verdict"], entry["value"]) == (other["verdict"], other["value"])
        elif other["verdict"] == "not_evaluable":
            assert other["missing"] == []
            # What was not measured; the worst lesion of a case, of which it speaks, may be another.
            assert set(entry["reasons"]) <= set(other["reasons"]) != set()
            assert entry["reasons"] or entry["lesion_id"] is None
        else:
            assert entry["missing"]


def test_the_report_says_what_is_unknown() -> None:
    page = html_of(found(everything=False))
    for name in ("primary", "approach", "displacement", "one_session"):
        assert f'<th scope="row">{fact_words(name)}</th><td>not entered</td>' in page
    assert "Not entered, and would let most rules be judged: primary tumour (" in page
    (others,) = re.findall(r"not asked for by what is printed here</summary>\s*<p>(.*?)\.</p>", page)
    assert "performance status" in others.split(", ")
    whole = html_of(found(everything=True))
    assert "would let most rules" not in whole
    assert "not asked for by what is printed here" not in whole
    assert "<td>not entered</td>" not in whole
    assert "2024-" not in whole


def test_the_table_at_the_terminal_names_the_facts_that_would_unlock_most() -> None:
    assert "Not entered, and would let most rules be judged: primary tumour (" in table_text(found(everything=False))
    assert "would let most rules" not in table_text(found(everything=True))
    silent = replace(found(everything=False), unlocking=())
    assert "would let most rules" not in table_text(silent)
