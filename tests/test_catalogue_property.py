"""Random cases against the whole catalogue: one verdict each, never an exception, and what is missing never passes."""

from __future__ import annotations

import pytest
from test_bench_scripts import script

from planner.errors import InputError
from planner.facts import FACTS, checked_facts
from planner.guideline.judge import judge, judge_case
from planner.guideline.rule import ASIDE, WORST_FIRST

random_cases = script("random_cases")
RULES, Draw, a_case = random_cases.RULES, random_cases.Draw, random_cases.a_case

CASES, SEED = 5_000, 20_261_127


def completed(draw, facts: dict[str, object]) -> dict[str, object]:
    """Return the facts with every other one entered as well, but for what would contradict."""
    found = dict(facts)
    for name in FACTS:
        more = {**found, name: random_cases.a_fact(draw, name)}
        if name not in found and random_cases.consistent(draw, dict(more)) == more:
            found = more
    return found


@pytest.mark.parametrize("tenth", range(10))
def test_every_rule_gives_one_verdict_of_every_lesion_and_never_an_exception(tenth):
    draw = Draw(SEED + tenth)
    for _ in range(CASES // 10):
        facts, lesions, case = a_case(draw)
        # A plan judges most rules; every fourth case is a review.
        judged = judge_case(RULES, lesions, case, facts, draw.choice(("review", "plan", "plan", "plan")))
        assert [one.rule.id for one in judged] == [rule.id for rule in RULES]
        for one in judged:
            of_lesions = one.here and one.rule.per == "lesion"
            assert [v.lesion_id for v in one.lesions] == (list(lesions) if of_lesions else [])
            assert all(v.word in WORST_FIRST for v in one.verdicts)
            assert all(v.missing or v.reasons for v in one.verdicts if v.word == "not_evaluable")
            assert all(v.reasons for v in one.verdicts if v.word == "not_applicable")
            if one.rule.about in ASIDE:
                assert {v.word for v in one.verdicts} <= {"info", "not_applicable", "not_evaluable"}


def test_what_is_missing_never_becomes_a_pass():
    """A verdict with facts missing stays whatever they turn out to be, or the rule turns out not to apply."""
    draw = Draw(SEED - 1)
    tried = 0
    for _ in range(60):
        facts, lesions, case = a_case(draw)
        measured = {**case, **next(iter(lesions.values()), {})}
        before = {rule.id: judge(rule, measured, facts, own=True) for rule in RULES}
        for _ in range(3):
            after = completed(draw, facts)
            for rule in RULES:
                word = before[rule.id].word
                if word in ("pass", "caution", "fail", "info"):
                    tried += word == "pass"
                    assert judge(rule, measured, after, own=True).word in (word, "not_applicable"), (rule.id, facts)
    assert tried > 100


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_an_example_says_stays_whatever_else_is_entered(rule):
    draw = Draw(SEED)
    for example in rule.examples:
        known = dict(checked_facts(example.facts))
        for _ in range(12):
            more = {name: random_cases.a_fact(draw, name) for name in rule.entered if name not in known}
            try:
                found = judge(rule, example.measured, {**more, **known}, own=True).word
            except InputError:
                continue
            before = judge(rule, example.measured, known, own=True).word
            if before in ("pass", "caution", "fail", "info"):
                assert found in (before, "not_applicable"), (known, more)


def test_without_any_measurement_no_rule_about_one_passes():
    draw = Draw(SEED - 2)
    for _ in range(50):
        facts, _, _ = a_case(draw)
        for rule in RULES:
            found = judge(rule, {}, facts, own=True)
            if found.word == "pass":
                assert found.deciding is not None
                assert all(r.value is not None or not _waits(rule, r, facts) for r in found.readings), rule.id


def _waits(rule, reading, facts) -> bool:
    """Return whether a part of a rule needs a value in the branch that these facts choose."""
    known = checked_facts(facts)
    return any(
        branch.needs_value
        for part in rule.parts
        if part.quantity == reading.quantity
        for branch in part.branches
        if branch.holds(known) and (branch.when or len(part.branches) == 1)
    )
