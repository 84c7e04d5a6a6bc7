"""Which missing facts keep rules from being judged: held against every combination of what may be entered."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from entered import ABLATED, EVERYTHING

from pipelines.catalogue import packaged_catalogue
from planner.errors import InputError
from planner.facts import FACTS
from planner.findings import QUANTITIES
from planner.guideline.judge import judge
from planner.guideline.measured import Measured
from planner.guideline.rule import ASIDE
from planner.guideline.unlock import JUDGED, unlocking_facts

RULES = packaged_catalogue().rules
OURS = [rule for rule in RULES if rule.about not in ASIDE]
"""Rules that may judge an ablation; no fact unlocks the others."""
SEVEN = [r for r in RULES if r.id in ("PP-13", "CO-02", "CO-05", "CO-06", "PS-01", "PS-02", "PS-03")]
TOLD_ONLY = {"mdt_discussed", "parenchyma", "portal_hypertension", "her2", "hormone_receptors", "diffusion_mri"}
"""Facts that some rule asks for to add a note: its word is the same whatever is entered."""


def tried(rule, name):
    """Return values of a fact that stand for all it may have, as a rule tells them apart."""
    fact = FACTS[name]
    if fact.kind == "date":
        return [ABLATED + timedelta(days=days) for days in (-200, -85, -75, -30, 0, 40, 60, 150)]
    if fact.kind == "number":
        edges = [e.at for part in rule.parts if name in part.needs for b in part.branches for e in b.scale.edges]
        return [value for edge in edges for value in (edge - 1.0, edge, edge + 1.0) if value >= fact.at_least]
    if name == "primary" and rule.primary:
        return [*rule.primary, next(value for value in fact.values if value not in rule.primary)]
    return list(fact.values)


def values(**by_quantity: float) -> dict[str, Measured]:
    named = {name.replace("__", "."): value for name, value in by_quantity.items()}
    return {name: Measured(value, QUANTITIES[name].unit) for name, value in named.items()}


NEAR = values(
    margin__min_mm=7.0, dist__tumour_to_major_duct_mm=20.0, dist__zone_to_major_duct_mm=11.0,
    dist__tumour_to_bowel_mm=12.0, dist__zone_to_bowel_mm=3.0,
)  # fmt: skip
FAR = NEAR | values(dist__tumour_to_bowel_mm=60.0, dist__zone_to_bowel_mm=50.0)
LITTLE = values(ablation__fraction_of_liver_percent=5.0)
MUCH = values(ablation__fraction_of_liver_percent=35.0)
CASES = {
    "near": ({"1": NEAR}, MUCH),
    "far": ({"1": FAR}, LITTLE),
    "one of two not measured": ({"1": NEAR, "2": {}}, LITTLE),
    "nothing measured": ({"1": {}}, {}),
    "no lesion": ({}, MUCH),
}


def brute(lesions, case, known):
    """Return fact -> (rules it unlocks, those it unlocks alone), by trying every value of every fact of a rule."""
    found = {}
    for rule in OURS:
        for measured in [{**case, **x} for x in lesions.values()] if rule.per == "lesion" else [case]:
            for name, alone in keys(rule, measured, known):
                rules, by_itself = found.setdefault(name, (set(), set()))
                rules.add(rule.id)
                by_itself |= {rule.id} if alone else set()
    return found


def keys(rule, measured, known):
    """Yield each fact that unlocks a verdict, and whether alone, once for each combination of values that does."""

    def judged(facts):
        try:
            return judge(rule, measured, {**known, **facts}).word in JUDGED
        except InputError:
            return False

    if judge(rule, measured, known).word != "not_evaluable":
        return
    open_names = [name for name in rule.entered if name not in known]
    for chosen in product(*(tried(rule, name) for name in open_names)):
        full = dict(zip(open_names, chosen, strict=True))
        for name in open_names if judged(full) else ():
            if not judged({other: value for other, value in full.items() if other != name}):
                yield name, judged({name: full[name]})


@pytest.mark.parametrize("which", CASES)
@pytest.mark.parametrize(
    "known",
    [{}, {"primary": "colorectal"}, {"primary": "breast"}, {"primary": "colorectal", "approach": "percutaneous"},
     {"primary": "colorectal", "displacement": False}, {"displacement": True}, {"one_session": True},
     {"modality": "irreversible_electroporation"}],
    ids=str,
)  # fmt: skip
def test_the_facts_that_unlock_rules_are_those_that_trying_everything_finds(which, known):
    lesions, case = CASES[which]
    found = unlocking_facts(RULES, lesions, case, known)
    assert {u.fact: (set(u.rules), set(u.alone)) for u in found} == brute(lesions, case, known)
    assert [len(u.rules) for u in found] == sorted((len(u.rules) for u in found), reverse=True)


def test_the_primary_tumour_comes_first_where_nothing_is_entered():
    first, *others = unlocking_facts(SEVEN, *CASES["near"], {})
    assert (first.fact, first.rules, first.alone) == (
        "primary", ("PP-13", "CO-02", "CO-05", "CO-06"), ("PP-13", "CO-02", "CO-05"),
    )  # fmt: skip
    assert [(u.fact, u.rules, u.alone) for u in others] == [
        ("one_session", ("PS-02",), ("PS-02",)), ("approach", ("CO-06",), ()), ("displacement", ("CO-06",), ()),
    ]  # fmt: skip
    assert unlocking_facts(RULES, *CASES["near"], {})[0].fact == "primary"


def test_where_everything_is_entered_no_fact_unlocks_anything():
    assert unlocking_facts(RULES, *CASES["one of two not measured"], EVERYTHING) == ()


def test_what_waits_for_a_measurement_is_unlocked_by_no_fact():
    assert unlocking_facts(SEVEN, *CASES["nothing measured"], {}) == ()


@pytest.mark.parametrize("name", FACTS)
def test_a_missing_fact_makes_exactly_the_rules_that_need_it_not_evaluable(name):
    everything = {**EVERYTHING, "displacement": False, "separation_achieved": False}
    for rule in RULES:
        # Facts that a rule does not ask for may contradict what is tried.
        known = {other: value for other, value in everything.items() if other in (*rule.entered, "modality")}
        without = {other: value for other, value in known.items() if other != name}
        measured = {**MUCH, **NEAR}
        whole = judge(rule, measured, known, own=True).word
        found = judge(rule, measured, without, own=True).word
        needed = name in rule.entered and needs(rule, measured, known, name)
        assert found == ("not_evaluable" if needed else whole), rule.id


def needs(rule, measured, known, name):
    """Return whether the verdict depends on what is entered for a fact."""
    found = set()
    for value in tried(rule, name):
        try:
            found.add(judge(rule, measured, {**known, name: value}, own=True).word)
        except InputError:
            continue
    return len(found) > 1


def test_every_fact_that_a_rule_asks_for_is_missing_in_an_example():
    missing = {name for rule in RULES for example in rule.examples for name in example.missing or ()}
    assert missing >= {name for rule in RULES for name in rule.entered} - TOLD_ONLY


def test_facts_that_contradict_each_other_are_refused():
    with pytest.raises(InputError):
        unlocking_facts(RULES, *CASES["near"], {"mdt_discussed": False, "mdt_date": "2024-01-01"})
