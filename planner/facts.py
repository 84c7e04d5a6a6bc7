"""What a clinician enters: each fact's name, the values it may have, and its definition. A missing fact is unknown."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal

from planner.errors import InputError
from planner.evidence.hazard import Setting

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
    """

    name: str
    kind: FactKind
    definition: str
    choices: tuple[str, ...] = ()
    unit: str = ""

    @property
    def values(self) -> tuple[str | bool, ...]:
        """Return every value the fact may have; empty where they cannot be counted."""
        return (True, False) if self.kind == "yes_no" else self.choices


PRIMARY = Fact(
    "primary", "choice", "Where the liver tumours came from, or the primary liver tumour itself.",
    ("colorectal", "neuroendocrine", "gastric", "gist", "biliary", "ovarian", "pancreatic", "breast", "hepatocellular",
     "other"),
)  # fmt: skip
MODALITY = Fact(
    "modality", "choice", "What the tissue was destroyed with.",
    ("radiofrequency", "microwave", "cryoablation", "laser", "irreversible_electroporation", "other"),
)  # fmt: skip
APPROACH = Fact(
    "approach", "choice", "The way the applicators took to the liver.", ("percutaneous", "laparoscopic", "open")
)
DISPLACEMENT = Fact(
    "displacement", "yes_no",
    "Whether bowel or stomach was (or will be) moved away by gas or fluid (pneumo- or hydrodissection).",
)  # fmt: skip
ONE_SESSION = Fact("one_session", "yes_no", "Whether every ablation zone of POST was made in one session.")
DAYS_SINCE_ABLATION = Fact("days_since_ablation", "number", "Days from the ablation to the POST scan.", unit="days")
ABLATION_DATE = Fact(
    "ablation_date", "date", "Day of the ablation; with post_scan_date instead of days_since_ablation."
)
POST_SCAN_DATE = Fact("post_scan_date", "date", "Day of the POST scan.")

FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        fact.name: fact
        for fact in (
            PRIMARY, MODALITY, APPROACH, DISPLACEMENT, ONE_SESSION, DAYS_SINCE_ABLATION, ABLATION_DATE, POST_SCAN_DATE,
        )
    }
)  # fmt: skip
"""Every registered fact by name."""


def checked_facts(entered: Mapping[str, object]) -> dict[str, FactValue]:
    """Return the facts that were entered; empty ones ("" or an empty list) are unknown and left out.

    Raises
    ------
    InputError
        A name is not registered (the nearest one is named) or a value is not one the fact may have.
    """
    known: dict[str, FactValue] = {}
    for name, value in entered.items():
        if name not in FACTS:
            raise InputError(f"fact '{name}' is not known{nearest(name, FACTS)}", code="unknown-fact")
        if value not in ("", [], None):
            known[name] = _checked(FACTS[name], value)
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
    expected = {
        "choice": f"one of {', '.join(fact.choices)}",
        "yes_no": "true or false",
        "number": f"a number of {fact.unit}, at least 0",
        "date": "a date like 2024-12-31",
    }[fact.kind]
    # A date belongs to a person: it is not repeated.
    found = "" if fact.kind == "date" else f" {_shown(value)},"
    hint = nearest(value, fact.choices) if fact.kind == "choice" and isinstance(value, str) else ""
    hint = hint if "did you mean" in hint else ""
    return InputError(f"fact '{fact.name}':{found} expected {expected}{hint}", code="bad-fact")


def _shown(value: object) -> str:
    return f"found {value!r:.60}"
