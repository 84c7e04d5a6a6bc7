from __future__ import annotations

from dataclasses import replace
from itertools import product
from statistics import NormalDist

import pytest
from entered import EVERYTHING
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalogue import packaged_catalogue
from planner.errors import InputError, UsageError
from planner.facts import APPROACH, DISPLACEMENT, FACTS, MODALITY, ONE_SESSION, PRIMARY
from planner.findings import QUANTITIES
from planner.guideline import words
from planner.guideline.judge import judge, judge_case, worst_of
from planner.guideline.measured import Measured, nearest_of
from planner.guideline.words import READS, attribution, percent, reads, why

CATALOGUE = packaged_catalogue()
CRC = {"primary": "colorectal"}
MARGIN, GEOMETRIC = "margin.min_mm", "margin.geometric_min_mm"
TUMOUR_DUCT, ZONE_DUCT = "dist.tumour_to_major_duct_mm", "dist.zone_to_major_duct_mm"
TUMOUR_BOWEL, ZONE_BOWEL = "dist.tumour_to_bowel_mm", "dist.zone_to_bowel_mm"
ABLATED = "ablation.fraction_of_liver_percent"


def mm(value, ci95=None, **more):
    return Measured(value, "mm", ci95, **more)


def word(rule_id, measured, facts=CRC):
    values = {n: v if isinstance(v, Measured) else Measured(v, QUANTITIES[n].unit) for n, v in measured.items()}
    return judge(CATALOGUE.rule(rule_id), values, facts).word


@pytest.mark.parametrize(
    ("margin_mm", "strict", "goal"),
    [
        (-1.0, "fail", "fail"), (0.0, "fail", "fail"), (0.1, "caution", "caution"), (5.0, "caution", "caution"),
        (9.9, "caution", "caution"), (10.0, "caution", "pass"), (10.1, "pass", "pass"), (15.0, "pass", "pass"),
    ],
)  # fmt: skip
def test_boundary_vectors_of_the_margin(margin_mm, strict, goal):
    assert word("PP-13", {MARGIN: margin_mm}) == strict
    assert word("CO-02", {MARGIN: margin_mm}) == strict
    assert word("PS-01", {MARGIN: margin_mm}) == goal


@pytest.mark.parametrize(
    ("distance_mm", "from_tumour", "from_zone"),
    [
        (9.9, "fail", "caution"), (10.0, "fail", "caution"), (10.1, "fail", "pass"), (14.9, "fail", "pass"),
        (15.0, "pass", "pass"),
    ],
)  # fmt: skip
def test_boundary_vectors_of_the_duct(distance_mm, from_tumour, from_zone):
    assert word("CO-05", {TUMOUR_DUCT: distance_mm, ZONE_DUCT: 50}) == from_tumour
    assert word("PS-03", {ZONE_DUCT: distance_mm, TUMOUR_DUCT: 50}, {}) == from_zone


@pytest.mark.parametrize(
    ("distance_mm", "expected"), [(9.9, "fail"), (10.0, "fail"), (10.1, "fail"), (14.9, "fail"), (15.0, "pass")]
)
@pytest.mark.parametrize("nearer", [TUMOUR_BOWEL, ZONE_BOWEL])
def test_boundary_vectors_of_the_bowel_by_tumour_or_zone_whichever_is_worse(nearer, distance_mm, expected):
    facts = {**CRC, "approach": "percutaneous", "displacement": False}
    assert word("CO-06", {TUMOUR_BOWEL: 40, ZONE_BOWEL: 40, nearer: distance_mm}, facts) == expected


@pytest.mark.parametrize(("percent_", "expected"), [(20.0, "pass"), (20.1, "fail"), (5.0, "pass"), (35.0, "fail")])
def test_boundary_vectors_of_the_ablated_share(percent_, expected):
    assert word("PS-02", {ABLATED: percent_}, {"one_session": True}) == expected


@pytest.mark.parametrize(
    ("facts", "expected", "missing"),
    [
        ({"approach": "open", "displacement": False}, "caution", ()),
        ({"approach": "laparoscopic", "displacement": False}, "caution", ()),
        ({"displacement": True}, "info", ()),
        ({"approach": "open"}, "not_evaluable", ("displacement",)),
        ({"displacement": False}, "not_evaluable", ("approach",)),
        ({}, "not_evaluable", ("displacement", "approach")),
    ],
)
def test_near_bowel_the_approach_and_displacement_decide_or_are_named(facts, expected, missing):
    verdict = judge(CATALOGUE.rule("CO-06"), {TUMOUR_BOWEL: mm(12), ZONE_BOWEL: mm(5)}, {**CRC, **facts})
    assert (verdict.word, verdict.missing) == (expected, missing)


def test_a_fact_that_changes_nothing_does_not_block():
    assert word("CO-06", {TUMOUR_BOWEL: 40, ZONE_BOWEL: 30}) == "pass"
    assert word("PS-02", {ABLATED: 15.0}, {}) == "pass"
    assert word("PS-02", {ABLATED: 25.0}, {}) == "not_evaluable"


def test_a_failing_part_decides_though_the_other_is_unknown():
    facts = {**CRC, "approach": "percutaneous", "displacement": False}
    assert word("CO-06", {ZONE_BOWEL: 3.0}, facts) == "fail"
    assert word("CO-06", {ZONE_BOWEL: 30.0}, facts) == "not_evaluable"


def scoped():
    return [rule for rule in CATALOGUE.rules if rule.primary]


@pytest.mark.parametrize("rule", scoped(), ids=lambda rule: rule.id)
@pytest.mark.parametrize("value", [-3.0, 5.0, 12.0, 80.0])
def test_a_primary_that_is_not_entered_is_named_and_one_that_differs_puts_the_rule_out_of_scope(rule, value):
    measured = {name: Measured(value, QUANTITIES[name].unit) for name in rule.measured}
    unknown = judge(rule, measured, {})
    if unknown.word == "not_applicable":  # out of scope by what was measured, whatever the primary tumour
        assert {judge(rule, measured, {"primary": primary}).word for primary in PRIMARY.choices} == {"not_applicable"}
        return
    assert unknown.word == "not_evaluable"
    assert "primary" in unknown.missing
    for primary in PRIMARY.choices:
        if primary not in rule.primary:
            found = judge(rule, measured, {"primary": primary})
            assert (found.word, found.missing) == ("not_applicable", ())
            assert f"entered: {primary}" in found.reasons[0]


def test_a_modality_is_out_of_scope_only_where_a_different_one_is_entered():
    assert word("CO-02", {MARGIN: 12}) == "pass"
    assert word("CO-02", {MARGIN: 12}, {**CRC, "modality": "microwave"}) == "pass"
    assert word("CO-02", {MARGIN: 12}, {**CRC, "modality": "irreversible_electroporation"}) == "not_applicable"


def all_facts():
    """Every combination of what may be entered of the facts that rules ask for, and left out."""
    facts = (PRIMARY, MODALITY, APPROACH, DISPLACEMENT, ONE_SESSION)
    for values in product(*((None, *FACTS[fact.name].values) for fact in facts)):
        yield {fact.name: value for fact, value in zip(facts, values, strict=True) if value is not None}


COMPLETE = [facts for facts in all_facts() if len(facts) == 5]


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_with_an_empty_case_no_rule_passes_for_want_of_a_fact(rule):
    passed = 0
    for value in (-5.0, 0.0, 5.0, 10.0, 10.1, 15.0, 20.0, 20.1, 90.0):
        measured = {name: Measured(value, QUANTITIES[name].unit) for name in rule.measured}
        if judge(rule, measured, {}).word == "pass":
            passed += 1
            assert not rule.primary
            assert {judge(rule, measured, facts).word for facts in COMPLETE} <= {"pass", "not_applicable"}
        expected = "info" if rule.id == "QA-03" else "not_evaluable"  # shown whatever was entered
        assert judge(rule, {}, {}).word == expected
    assert passed == 0 or not rule.primary


@given(st.sampled_from(CATALOGUE.rules), st.data())
def test_every_rule_gives_one_verdict_and_what_is_missing_never_becomes_a_pass(rule, data):
    edges = sorted({e.at for part in rule.parts for branch in part.branches for e in branch.scale.edges})
    near = [value for edge in edges for value in (edge - 0.01, edge, edge + 0.01)]
    numbers = st.sampled_from([*near, 0.0]) | st.floats(-50, 120)
    measured = {}
    for name in rule.measured:
        value = data.draw(st.none() | numbers, label=name)
        ci95 = data.draw(st.none() | st.tuples(numbers, numbers).map(lambda pair: tuple(sorted(pair))))
        if value is not None:
            measured[name] = Measured(value, QUANTITIES[name].unit, ci95)
    names = ("primary", "modality", "approach", "displacement", "one_session")
    facts = {name: data.draw(st.none() | st.sampled_from(FACTS[name].values), label=name) for name in names}
    verdict = judge(rule, measured, facts)
    assert verdict.word in READS
    waits = rule.combine == "all" and rule.if_missing == "not_evaluable"
    waits = waits and all(branch.needs_value for part in rule.parts for branch in part.branches)
    if (waits and set(rule.measured) - set(measured)) or (rule.primary and facts["primary"] is None):
        assert verdict.word in ("fail", "not_evaluable", "not_applicable")
    assert (verdict.word == "not_evaluable") >= bool(verdict.missing)
    for side in verdict.sides:
        assert side.p_below + side.p_above == pytest.approx(1)
    assert reads(verdict).startswith(READS[verdict.word])


def test_an_interval_across_an_edge_is_borderline_with_the_probability_of_each_side():
    verdict = judge(CATALOGUE.rule("CO-02"), {MARGIN: mm(10.5, (8.5, 12.5))}, CRC)
    expected = NormalDist(10.5, 2.0 / 1.959964).cdf(10.0)
    assert verdict.word == "pass"
    (side,) = verdict.sides
    assert (side.edge, side.below, side.above, side.from_source) == (10.0, "caution", "pass", True)
    assert side.p_below == pytest.approx(expected, abs=1e-6)
    assert reads(verdict) == "meets; borderline: 31 % below and 69 % above 10 mm"


def test_a_probability_that_is_given_is_used_instead_of_the_normal_one():
    given_ = mm(10.5, (8.5, 12.5), p_at_least={10.0: 0.6})
    assert judge(CATALOGUE.rule("CO-02"), {MARGIN: given_}, CRC).sides[0].p_above == 0.6


def test_an_interval_within_a_band_is_not_borderline_and_an_edge_of_ours_is_marked():
    assert not judge(CATALOGUE.rule("CO-02"), {MARGIN: mm(12, (10.1, 14))}, CRC).borderline
    across = judge(CATALOGUE.rule("CO-02"), {MARGIN: mm(1, (-1, 3))}, CRC)
    assert [side.from_source for side in across.sides] == [False]
    assert "our line, not the source" in reads(across)


def test_an_interval_that_leaves_its_own_value_across_an_edge_is_borderline_too():
    assert judge(CATALOGUE.rule("CO-02"), {MARGIN: mm(10.2, (6.0, 9.9))}, CRC).borderline


def test_the_word_itself_is_of_the_value_unrounded():
    assert word("PS-01", {MARGIN: 9.999999}) == "caution"
    assert word("CO-05", {TUMOUR_DUCT: 14.999999}) == "fail"


@pytest.mark.parametrize(("value", "expected"), [(14.9, "fail"), (30.0, "not_evaluable")])
def test_an_upper_bound_decides_only_where_anything_lower_would_say_the_same(value, expected):
    bounded = mm(value, bound="at_most", reason="left hepatic duct: no mask")
    verdict = judge(CATALOGUE.rule("CO-05"), {TUMOUR_DUCT: bounded}, CRC)
    assert verdict.word == expected
    assert ("left hepatic duct: no mask" in why(verdict)) == (expected == "not_evaluable")


def test_the_nearest_of_several_structures_is_a_bound_while_one_of_them_is_unknown():
    ducts = ("common_bile_duct", "left_hepatic_duct", "right_hepatic_duct")
    known = {name: mm(v, (v - 1, v + 1)) for name, v in zip(ducts, (40, 22, 31), strict=True)}
    assert nearest_of(known, ducts) == mm(22, (21, 23))
    partly = nearest_of({name: m for name, m in known.items() if name != "right_hepatic_duct"}, ducts)
    assert (partly.value, partly.bound, partly.reason) == (22, "at_most", "right hepatic duct: no mask")
    assert nearest_of({}, ducts).value is None
    assert nearest_of({"stomach": mm(5)}, ("stomach",), ("duodenum",)).bound == "exact"


def test_a_case_has_the_worst_verdict_of_its_lesions_per_rule_and_a_borderline_one_among_equals():
    lesions = {"1": {MARGIN: mm(14)}, "2": {MARGIN: mm(10.5, (8, 13))}, "3": {MARGIN: mm(12)}}
    judged = {j.rule.id: j for j in judge_case(CATALOGUE.rules, lesions, {}, CRC)}
    target = judged["CO-02"]
    assert [v.lesion_id for v in target.lesions] == ["1", "2", "3"]
    assert (target.case.word, target.case.lesion_id, target.case.borderline, target.case.value) == (
        "pass",
        None,
        True,
        10.5,
    )
    assert judged["PS-02"].lesions == ()
    assert judged["PS-02"].case.word == "not_evaluable"


def test_worst_of_runs_from_fail_over_not_evaluable_and_caution_to_pass():
    rule = CATALOGUE.rule("PS-01")
    by_word = {v.word: v for v in (judge(rule, {MARGIN: mm(m)}, {}) for m in (-1, 5, 12))}
    unknown = judge(rule, {}, {})
    assert worst_of([by_word["pass"], by_word["caution"]]).word == "caution"
    assert worst_of([by_word["caution"], unknown]).word == "not_evaluable"
    assert worst_of([unknown, by_word["fail"], by_word["pass"]]).word == "fail"


def test_a_case_carries_the_worst_value_whatever_the_order_of_its_lesions():
    for margins, worst in (((2.0, -4.4, 9.0), -4.4), ((-1.0, -4.4), -4.4), ((8.0, 2.0), 2.0), ((3.0, None), None)):
        lesions = {str(n): {MARGIN: mm(m, reason="why" if m is None else None)} for n, m in enumerate(margins)}
        for facts in ({}, CRC):  # without the primary CO-02 cannot be judged
            judged = {j.rule.id: j.case for j in judge_case(CATALOGUE.rules, lesions, {}, facts)}
            assert (judged["CO-02"].word == "not_evaluable") == (not facts or None in margins)
            assert judged["CO-02"].value == worst
            assert judged["PS-01"].value == worst


def test_a_lesion_that_fails_for_sure_decides_before_one_that_may_not():
    lesions = {"1": {MARGIN: mm(-0.5, (-1.5, 0.5))}, "2": {MARGIN: mm(-4.4, (-5.4, -3.4))}}
    case = next(j.case for j in judge_case(CATALOGUE.rules, lesions, {}, CRC) if j.rule.id == "CO-02")
    assert (case.word, case.value, case.borderline) == ("fail", -4.4, False)


def test_a_case_without_lesions_is_not_judged():
    assert all(j.case.word != "pass" for j in judge_case(CATALOGUE.rules, {}, {}, CRC))


@pytest.mark.parametrize("command", ["review", "plan"])
def test_no_source_judges_a_hepatocellular_carcinoma_and_only_the_tumour_kind_is_asked_for(command):
    measured = {name: Measured(3.0, quantity.unit) for name, quantity in QUANTITIES.items()}
    facts = {**EVERYTHING, "primary": "hepatocellular"}
    judged = {j.rule.id: j.case for j in judge_case(CATALOGUE.rules, {"1": measured}, measured, facts, command)}
    assert {name for name, verdict in judged.items() if verdict.word != "not_applicable"} <= {"TA-04"}
    if command == "review":
        assert judged["PS-01"].reasons == ("speaks of metastases, entered: hepatocellular carcinoma",)


def test_a_sites_own_rule_may_judge_a_hepatocellular_carcinoma():
    rule = CATALOGUE.rule("PS-01")
    own = replace(rule, source=replace(rule.source, kind="site"))
    assert judge(own, {MARGIN: mm(3.0)}, {"primary": "hepatocellular"}).word == "caution"


def test_the_geometric_margin_is_shown_where_it_gives_another_verdict():
    lesions = {"1": {MARGIN: mm(12), GEOMETRIC: mm(-1)}, "2": {MARGIN: mm(12), GEOMETRIC: mm(11)}}
    judged = next(j for j in judge_case(CATALOGUE.rules, lesions, {}, CRC) if j.rule.id == "CO-02")
    assert judged.lesions[0].word == "pass"
    assert judged.lesions[0].geometric.word == "fail"
    assert judged.lesions[1].geometric is None


def test_a_measurement_that_is_missing_says_why():
    verdict = judge(CATALOGUE.rule("PS-01"), {MARGIN: mm(None, reason="no ablation zone touches this tumour")}, {})
    assert why(verdict) == "minimal margin: no ablation zone touches this tumour"
    both = judge(CATALOGUE.rule("CO-05"), {}, {})
    assert why(both) == "not entered: primary tumour; tumour to major bile duct: not measured"


def test_every_registered_quantity_and_fact_has_words():
    assert set(words.QUANTITIES) == set(QUANTITIES)
    assert set(words.FACTS) == set(FACTS)
    for said in (*words.QUANTITIES.values(), *words.FACTS.values()):
        assert not set("_.") & set(said)
    assert words.fact_words("modality") == "ablation modality"


def test_a_wrong_unit_or_fact_is_refused():
    with pytest.raises(UsageError, match="unit percent, expected mm"):
        judge(CATALOGUE.rule("PS-01"), {MARGIN: Measured(3.0, "percent")}, {})
    with pytest.raises(InputError, match="did you mean 'colorectal'"):
        judge(CATALOGUE.rule("PS-01"), {}, {"primary": "colorectall"})


@pytest.mark.parametrize(
    "wrong",
    [{"value": float("nan")}, {"value": 1.0, "ci95": (2.0, 1.0)}, {"value": None}, {"value": 1.0, "bound": "at_most"}],
)
def test_a_measured_value_is_a_number_or_has_a_reason(wrong):
    with pytest.raises(UsageError):
        Measured(unit="mm", **wrong)


def test_words_never_say_pass_or_fail_and_unsigned_sources_say_so():
    for text in READS.values():
        assert not {"pass", "fail", "treat"} & set(text.lower().split())
    assert attribution(CATALOGUE.rule("PS-01")).startswith("unattributed: ")
    assert "(2024; trial criterion)" in attribution(CATALOGUE.rule("CO-05"))


@pytest.mark.parametrize(("share", "said"), [(0.0, "< 1 %"), (0.5, "50 %"), (0.999, "> 99 %")])
def test_a_probability_is_never_printed_as_certainty(share, said):
    assert percent(share) == said


@pytest.mark.parametrize(("tumour_mm", "zone_mm"), [(-1.2, -10.9), (-10.9, -1.2), (40.0, 30.0), (30.0, 40.0)])
def test_among_parts_of_one_word_the_worse_value_stands(tumour_mm: float, zone_mm: float) -> None:
    verdict = judge(
        CATALOGUE.rule("CO-06"), {TUMOUR_BOWEL: mm(tumour_mm), ZONE_BOWEL: mm(zone_mm)}, {**CRC, "displacement": False}
    )
    assert verdict.value == min(tumour_mm, zone_mm)
