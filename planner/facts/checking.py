"""Entered facts checked against the registry: names, values, days, and what contradicts what."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from datetime import date

from planner.errors import InputError, quoted
from planner.evidence.population import Setting
from planner.facts.contradictions import contradictions
from planner.facts.disease import PRIMARY
from planner.facts.fact import Fact, FactValue
from planner.facts.imaging import POST_SCAN_DATE
from planner.facts.registry import FACTS
from planner.facts.treatment import ABLATION_DATE, DAYS_SINCE_ABLATION, MODALITY


def checked_facts(entered: Mapping[str, object]) -> dict[str, FactValue]:
    """Return the facts that were entered; empty ones ("" or an empty list) are unknown and left out.

    Raises
    ------
    InputError
        Names are not registered (the nearest are named), a value is not one the fact may have, or facts contradict
        each other: days and dates, dates out of order, or what rules the other out.
    """
    unknown = {n: name for n, name in enumerate(entered, start=1) if name not in FACTS}
    if unknown:
        said = "; ".join(f"fact number {n} is not known{_nearest_fact(name)}" for n, name in unknown.items())
        where = ", ".join(f"fact {quoted(name)}" for name in unknown.values())
        raise InputError(said, code="unknown-fact", where=where)
    known = {name: _checked(FACTS[name], value) for name, value in entered.items() if value not in ("", [], None)}
    scan_days(known)
    if found := tuple(contradictions(known)):
        raise InputError("; ".join(found), code="bad-fact")
    return known


def scan_days(facts: Mapping[str, FactValue]) -> float | None:
    """Return the days from ablation to POST as entered, directly or by both dates; None where they were not.

    Raises
    ------
    InputError
        The days contradict the dates, or POST lies before the ablation.
    """
    days, start, end = (facts.get(fact.name) for fact in (DAYS_SINCE_ABLATION, ABLATION_DATE, POST_SCAN_DATE))
    stated = float(days) if isinstance(days, (int, float)) else None
    if not (isinstance(start, date) and isinstance(end, date)):
        return stated
    between = float((end - start).days)
    if between < 0:
        raise InputError("post_scan_date lies before ablation_date, expected it on that day or later", code="bad-fact")
    if stated is not None and stated != between:
        raise InputError(
            f"days_since_ablation is {stated:g}, the entered dates are {between:g} days apart", code="bad-fact"
        )
    return between


def days_since_ablation(kept: Mapping[str, object]) -> float | None:
    """Return the days from ablation to POST among the facts that an assessment keeps; None where not known."""
    days = kept.get(DAYS_SINCE_ABLATION.name)
    return float(days) if isinstance(days, (int, float)) else None


def setting_of(entered: Mapping[str, object]) -> Setting:
    """Return the entered facts that tell whether a published relation speaks of a case.

    Raises
    ------
    InputError
        A fact is malformed, or the days contradict the dates.
    """
    facts = checked_facts(entered)
    primary, modality = facts.get(PRIMARY.name), facts.get(MODALITY.name)
    return Setting(
        None if primary is None else str(primary), None if modality is None else str(modality), scan_days(facts)
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ", did you mean '...'?" with the nearest known name, or a list of them where none is near."""
    names = sorted(known)
    close = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=1)
    if close:
        return f", did you mean '{next(n for n in names if n.lower() == close[0])}'?"
    return f", known: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"


def _nearest_fact(name: str) -> str:
    """Return a suggestion for a mistyped fact, by the registered names and what else people call them."""
    called = {other: fact.name for fact in FACTS.values() for other in (fact.name, *fact.also)}
    close = difflib.get_close_matches(name.lower(), called, n=1)
    return nearest(called[close[0]] if close else name, FACTS)


def _checked(fact: Fact, value: object) -> FactValue:
    match fact.kind, value:
        case "choice", str() if value in fact.choices:
            return value
        case "yes_no", bool():
            return value
        case "number", int() | float() if not isinstance(value, bool) and _in_range(fact, value):
            return float(value)
        case "several_of", list() | tuple() if all(word in fact.choices for word in value):
            return tuple(word for word in fact.choices if word in value)
        case "date", date():
            return date(value.year, value.month, value.day)
        case "date", str():
            return _day(fact, value)
    raise _bad(fact, value)


def _in_range(fact: Fact, value: float) -> bool:
    within = math.isfinite(value) and fact.at_least <= value <= (math.inf if fact.at_most is None else fact.at_most)
    return within and not (fact.whole and value % 1.0)


def _day(fact: Fact, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _bad(fact, text) from None


def _bad(fact: Fact, value: object) -> InputError:
    # A date belongs to a person: it is not repeated.
    found = "" if fact.kind == "date" else f" {_shown(value)},"
    wrong = next((word for word in value if word not in fact.choices), "") if isinstance(value, list) else value
    hint = nearest(wrong, fact.choices) if fact.choices and isinstance(wrong, str) else ""
    hint = hint if "did you mean" in hint else ""
    return InputError(f"fact '{fact.name}':{found} expected {fact.expected}{hint}", code="bad-fact")


def _shown(value: object) -> str:
    return "found a date" if isinstance(value, date) else f"found {value!r:.60}"
