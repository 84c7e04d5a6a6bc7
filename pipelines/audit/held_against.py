"""Columns of what a lesion was held against: each rule's verdict, and the nearest bile duct and bowel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.audit.columns import APART_SIGN, Cell, Column
from planner.guideline.rule import WORST_FIRST

Json = Mapping[str, Any]

_STARTS = {"tumour": "the tumour", "ablation": "its ablation zones"}
_GROUPS = {
    "bile_duct": ("bile duct", ("bile_duct", "common_bile_duct", "left_hepatic_duct", "right_hepatic_duct")),
    "bowel": ("part of stomach or bowel", ("stomach", "duodenum", "small_bowel", "colon")),
}


def verdict_columns(cases: Iterable[Json]) -> tuple[Column, ...]:
    """Return a column for each rule that some case was held against, by its id."""
    rules = {str(entry.get("rule")): entry for case in cases for entry in case.get("guidelines") or ()}
    return tuple(Column(_rule_name(rule), "text", "", _rule_words(rule, rules[rule])) for rule in sorted(rules))


def verdict_cells(case: Json, lesion_id: str) -> Iterator[tuple[str, Cell]]:
    """Yield each rule's verdict on a lesion; that on the case where a rule speaks of no lesion."""
    # The case's come first, so that the lesion's own replaces it.
    entries = [entry for entry in case.get("guidelines") or () if entry.get("lesion_id") in (None, lesion_id)]
    for entry in sorted(entries, key=lambda entry: entry.get("lesion_id") is not None):
        yield _rule_name(str(entry.get("rule"))), entry.get("verdict")


def nearest_columns(cases: Iterable[Json]) -> tuple[Column, ...]:
    """Return columns of the least distance to each group of structures that some lesion has, and of its interval."""
    lesions = [lesion for case in cases for lesion in case["lesions"]]
    return tuple(
        column
        for start in _STARTS
        for group in _GROUPS
        if any(_known(lesion, start, group) for lesion in lesions)
        for column in _nearest_columns(start, group)
    )


def nearest_cells(lesion: Json) -> Iterator[tuple[str, Cell]]:
    """Yield the least distance to each group of structures and its interval; none where an interval is unknown."""
    for start in _STARTS:
        for group in _GROUPS:
            known = _known(lesion, start, group)
            if not known:
                continue
            ends = [distance.get("ci95_mm") or [None, None] for distance in known]
            values = [[distance["mm"] for distance in known], *([end[n] for end in ends] for n in (0, 1))]
            for column, of_all in zip(_nearest_columns(start, group), values, strict=True):
                yield column.name, None if None in of_all else min(of_all)


def _rule_name(rule: str) -> str:
    return f"rule_{re.sub(r'[^a-z0-9]+', '_', rule.lower())}_verdict"


def _rule_words(rule: str, entry: Json) -> str:
    year = entry.get("year") or "undated"
    site = "site policy: " if entry.get("site_policy") else ""
    stands = f", in place of {entry['overrides']}" if entry.get("overrides") else ""
    return (
        f"Rule {rule} of {site}{entry.get('source')} ({year}; {entry.get('strength')}){stands}, by this source alone:"
        f" {', '.join(WORST_FIRST)}; of the case where the rule speaks of no lesion"
    )


def _nearest_columns(start: str, group: str) -> tuple[Column, ...]:
    what = f"from {_STARTS[start]} to the nearest {_GROUPS[group][0]} that has a mask"
    name = f"nearest_{group}_from_{start}"
    return (
        Column(f"{name}_mm", "number", "mm", f"Least distance {what}", (), APART_SIGN),
        Column(f"{name}_ci95_low_mm", "number", "mm", f"Lower end of the 95 % interval {what}", (), APART_SIGN),
        Column(f"{name}_ci95_high_mm", "number", "mm", f"Upper end of the 95 % interval {what}", (), APART_SIGN),
    )


def _known(lesion: Json, start: str, group: str) -> list[Json]:
    return [
        distance
        for distance in lesion.get("distances") or ()
        if distance.get("from") == start
        and distance.get("structure") in _GROUPS[group][1]
        and distance.get("mm") is not None
    ]
