"""A registered fact: what an entry of that name means, and what it may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

FactKind = Literal["choice", "yes_no", "number", "date", "several_of"]
FactValue = str | bool | float | date | tuple[str, ...]
Topic = Literal["disease", "patient", "treatment", "systemic_therapy", "imaging", "organisation"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A registered fact: what an entry of that name means.

    Parameters
    ----------
    name
        As in `[facts]` of the case file.
    kind
        A word of `choices`, several of them, true or false, a number, or a date (2024-12-31).
    words
        The name as a reader sees it.
    definition
        A sentence for whoever fills it in.
    choices
        The words of a choice, or those that several may be taken of.
    unit, at_least, at_most
        Of a number; what lies beyond the ends is a slip of the pen, not a finding. A count of tumours is whole.
    also
        What else people call it: for the message that suggests the name.
    """

    name: str
    kind: FactKind
    words: str
    definition: str
    choices: tuple[str, ...] = ()
    unit: str = ""
    at_least: float = 0.0
    at_most: float | None = None
    also: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str | bool, ...]:
        """Return every value the fact may have; empty where they cannot be counted."""
        if self.kind == "yes_no":
            return (True, False)
        return self.choices if self.kind == "choice" else ()

    @property
    def whole(self) -> bool:
        """Whether it is a count, which has no fractions."""
        return self.unit == "tumours"

    @property
    def expected(self) -> str:
        """Return in words what may be entered."""
        counted = "a whole number" if self.whole else "a number"
        kind = "a percentage" if self.unit == "percent" else f"{counted} of {self.unit}"
        most = "" if self.at_most is None else f" and at most {self.at_most:g}"
        return {
            "choice": f"one of {', '.join(self.choices)}",
            "several_of": f"a list of {', '.join(self.choices)}",
            "yes_no": "true or false",
            "number": f"{kind}, at least {self.at_least:g}{most}",
            "date": "a date like 2024-12-31",
        }[self.kind]


def choice(name: str, words: str, definition: str, choices: tuple[str, ...], *also: str) -> Fact:
    """Return a fact that is one of several words."""
    return Fact(name, "choice", words, definition, choices, also=also)


def several_of(name: str, words: str, definition: str, choices: tuple[str, ...], *also: str) -> Fact:
    """Return a fact that is a list of words; those it leaves out are known not to hold."""
    return Fact(name, "several_of", words, definition, choices, also=also)


def yes_no(name: str, words: str, definition: str, *also: str) -> Fact:
    """Return a fact that is true or false."""
    return Fact(name, "yes_no", words, definition, also=also)


def day(name: str, words: str, definition: str, *also: str) -> Fact:
    """Return a fact that is a date; dates themselves reach no result."""
    return Fact(name, "date", words, definition, also=also)


def number(
    name: str, words: str, definition: str, *also: str, unit: str, at_least: float = 0.0, at_most: float | None = None
) -> Fact:
    """Return a fact that is a number of a unit."""
    return Fact(name, "number", words, definition, (), unit, at_least, at_most, also)


def percent(name: str, words: str, definition: str, *also: str) -> Fact:
    """Return a fact that is a share in percent."""
    return number(name, words, definition, *also, unit="percent", at_most=100.0)
