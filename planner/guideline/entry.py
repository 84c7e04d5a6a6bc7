"""What is shown beside rules and never judged: published numbers, advice, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.facts import PRIMARY
from planner.findings import Quantity
from planner.guideline.measured import Measured
from planner.guideline.phases import Command, spoken_of_by
from planner.guideline.rule import ASIDE, About, Edge, Phase, Question, Source, band_of


@dataclass(frozen=True, slots=True)
class Figure:
    """A published number: a value, a range, or a text where it is neither; `stratum` is the row that it belongs to."""

    what: str
    value: float | None
    ends: tuple[float, float] | None
    text: str
    unit: str
    ci95: tuple[float, float] | None
    n: int | None
    p: str
    stratum: str


@dataclass(frozen=True, slots=True)
class Strata:
    """How a table splits its cases by a measured quantity: `labels` from low to high, one more than `edges`."""

    quantity: Quantity
    labels: tuple[str, ...]
    edges: tuple[Edge, ...]

    def label(self, value: float) -> str:
        """Return the label of the band that holds a value."""
        return self.labels[band_of(self.edges, value)]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a reference and an advisory share; the fields are those of a rule.

    Parameters
    ----------
    id, title, statement
        Its id, and what it says in our own words.
    source, strength, strength_stated
        Whose it is, the strength of wording or level of evidence, and whether the source itself states that.
    question, phase, about, primary
        What it speaks of; an empty `primary` is any.
    measured, entered
        Names of the quantities and facts that make it relevant.
    exceptions, note, conflicts
        What the source adds, what we add, and ids of conflicts between sources.
    """

    id: str
    title: str
    statement: str
    source: Source
    strength: str
    strength_stated: bool
    question: Question
    phase: tuple[Phase, ...]
    about: About
    primary: tuple[str, ...]
    measured: tuple[str, ...]
    entered: tuple[str, ...]
    exceptions: str
    note: str
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference(Entry):
    """Published numbers: of whom, what was counted, and whether the source contradicts itself."""

    population: str
    endpoint: str
    figures: tuple[Figure, ...]
    strata: Strata | None
    disputed: bool

    def stratum(self, measured: Mapping[str, Measured]) -> str:
        """Return the label of the row that a case falls into; empty where none is known."""
        found = None if self.strata is None else measured.get(self.strata.quantity.name)
        if self.strata is None or found is None or found.value is None or found.bound != "exact":
            return ""
        return self.strata.label(found.value)


@dataclass(frozen=True, slots=True)
class Advisory(Entry):
    """Advice in words."""


@dataclass(frozen=True, slots=True)
class Omitted:
    """An entry whose content the source documents lost."""

    id: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that is shown beside a case, with the row of its table that the case, or each lesion, falls into.

    `rows` holds lesion id (None for the case) and label, of those whose value is known.
    """

    entry: Reference | Advisory
    rows: tuple[tuple[str | None, str], ...] = ()


def shown_beside(
    entries: Iterable[Reference | Advisory],
    lesions: Mapping[str, Mapping[str, Measured]],
    case: Mapping[str, Measured],
    known: Mapping[str, object],
    command: Command,
) -> tuple[Shown, ...]:
    """Return the entries that are shown beside a case.

    Parameters
    ----------
    entries
        Published numbers and advice.
    lesions, case
        Measured values by name, of each lesion and of the case.
    known
        Entered facts, checked.
    command
        Which shows them.
    """
    return tuple(
        Shown(entry, _rows(entry, lesions, case) if isinstance(entry, Reference) else ())
        for entry in entries
        if relevant(entry, known, command)
    )


def _rows(
    entry: Reference, lesions: Mapping[str, Mapping[str, Measured]], case: Mapping[str, Measured]
) -> tuple[tuple[str | None, str], ...]:
    of_lesions = entry.strata is not None and entry.strata.quantity.scope == "lesion"
    asked: Iterable[tuple[str | None, Mapping[str, Measured]]] = lesions.items() if of_lesions else ((None, case),)
    found = ((lesion_id, entry.stratum(measured)) for lesion_id, measured in asked)
    return tuple((lesion_id, label) for lesion_id, label in found if label)


def relevant(entry: Entry, known: Mapping[str, object], command: Command) -> bool:
    """Return whether an entry is shown beside a case of ours.

    It is where the command judges its phase, it does not speak about another treatment than ablation, and the primary
    tumour that it speaks of was entered.
    """
    of_primary = not entry.primary or known.get(PRIMARY.name) in entry.primary
    return of_primary and entry.about not in ASIDE and spoken_of_by(command, entry.phase, geometry=bool(entry.measured))
