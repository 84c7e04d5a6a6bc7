"""What a clinician enters: each fact's name, the values it may have, and its definition. A missing fact is unknown."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal

from planner.errors import InputError, quoted
from planner.evidence.population import Setting

FactKind = Literal["choice", "yes_no", "number", "date"]
FactValue = str | bool | float | date


@dataclass(frozen=True, slots=True)
class Fact:
    """A registered fact: what an entry of that name means.

    Parameters
    ----------
    name
        As in `[facts]` of the case file.
    kind
        A word of `choices`, true or false, a number of at least 0, or a date (2024-12-31).
    definition
        A sentence for whoever fills it in.
    choices
        The words of a choice.
    unit
        Of a number.
    also
        What else people call it: for the message that suggests the name.
    """

    name: str
    kind: FactKind
    definition: str
    choices: tuple[str, ...] = ()
    unit: str = ""
    also: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str | bool, ...]:
        """Return every value the fact may have; empty where they cannot be counted."""
        return (True, False) if self.kind == "yes_no" else self.choices

    @property
    def expected(self) -> str:
        """Return in words what may be entered."""
        return {
            "choice": f"one of {', '.join(self.choices)}",
            "yes_no": "true or false",
            "number": f"a number of {self.unit}, at least 0",
            "date": "a date like 2024-12-31",
        }[self.kind]


PRIMARY = Fact(
    "primary", "choice", "Where the liver tumours came from, or the primary liver tumour itself.",
    ("colorectal", "neuroendocrine", "gastric", "gist", "biliary", "ovarian", "pancreatic", "breast", "hepatocellular",
     "other"),
    also=("primary_tumour", "tumour_type", "histology", "diagnosis", "origin"),
)  # fmt: skip
MODALITY = Fact(
    "modality", "choice", "What the tissue was destroyed with.",
    ("radiofrequency", "microwave", "cryoablation", "laser", "irreversible_electroporation", "other"),
    also=("ablation_modality", "technique", "energy", "device"),
)  # fmt: skip
APPROACH = Fact(
    "approach", "choice", "The way the applicators took to the liver.", ("percutaneous", "laparoscopic", "open"),
    also=("access", "route"),
)  # fmt: skip
DISPLACEMENT = Fact(
    "displacement", "yes_no",
    "Whether bowel or stomach was (or will be) moved away by gas or fluid (pneumo- or hydrodissection).",
    also=("bowel_displacement", "hydrodissection", "pneumodissection"),
)  # fmt: skip
ONE_SESSION = Fact(
    "one_session", "yes_no", "Whether every ablation zone of POST was made in one session.",
    also=("single_session", "sessions"),
)  # fmt: skip
DAYS_SINCE_ABLATION = Fact(
    "days_since_ablation", "number", "Days from the ablation to the POST scan.", unit="days",
    also=("scan_days", "post_scan_days", "days_after_ablation", "interval_days"),
)  # fmt: skip
ABLATION_DATE = Fact(
    "ablation_date", "date", "Day of the ablation; with post_scan_date instead of days_since_ablation.",
    also=("date_of_ablation", "treatment_date"),
)  # fmt: skip
POST_SCAN_DATE = Fact("post_scan_date", "date", "Day of the POST scan.", also=("scan_date", "post_date"))

FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        fact.name: fact
        for fact in (
            PRIMARY, MODALITY, APPROACH, DISPLACEMENT, ONE_SESSION, DAYS_SINCE_ABLATION, ABLATION_DATE, POST_SCAN_DATE,
        )
    }
)  # fmt: skip
"""Every registered fact by name."""

SETTING_FACTS = (PRIMARY, MODALITY, DAYS_SINCE_ABLATION, ABLATION_DATE, POST_SCAN_DATE)
"""The facts that tell whether a published relation speaks of a case; both dates may stand for the days."""


def checked_facts(entered: Mapping[str, object]) -> dict[str, FactValue]:
    """Return the facts that were entered; empty ones ("" or an empty list) are unknown and left out.

    Raises
    ------
    InputError
        Names are not registered (the nearest are named), a value is not one the fact may have, or the days contradict
        the dates.
    """
    unknown = {n: name for n, name in enumerate(entered, start=1) if name not in FACTS}
    if unknown:
        said = "; ".join(f"fact number {n} is not known{_nearest_fact(name)}" for n, name in unknown.items())
        where = ", ".join(f"fact {quoted(name)}" for name in unknown.values())
        raise InputError(said, code="unknown-fact", where=where)
    known = {name: _checked(FACTS[name], value) for name, value in entered.items() if value not in ("", [], None)}
    scan_days(known)
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
        case "number", int() | float() if not isinstance(value, bool) and math.isfinite(value) and value >= 0:
            return float(value)
        case "date", date():
            return date(value.year, value.month, value.day)
        case "date", str():
            return _day(fact, value)
    raise _bad(fact, value)


def _day(fact: Fact, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _bad(fact, text) from None


def _bad(fact: Fact, value: object) -> InputError:
    # A date belongs to a person: it is not repeated.
    found = "" if fact.kind == "date" else f" {_shown(value)},"
    hint = nearest(value, fact.choices) if fact.kind == "choice" and isinstance(value, str) else ""
    hint = hint if "did you mean" in hint else ""
    return InputError(f"fact '{fact.name}':{found} expected {fact.expected}{hint}", code="bad-fact")


def _shown(value: object) -> str:
    return "found a date" if isinstance(value, date) else f"found {value!r:.60}"
