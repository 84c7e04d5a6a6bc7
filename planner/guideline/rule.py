"""A rule: a published statement about a measured quantity, as bands of a number line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from planner.evidence.citation import Citation
from planner.findings import Quantity, Scope
from planner.guideline.measured import Measured

Word = Literal["pass", "caution", "fail", "info", "not_evaluable", "not_applicable"]
Phase = Literal["eligibility", "planning", "board", "procedure", "post_procedure", "follow_up", "audit"]
About = Literal["ablation", "resection", "either", "systemic", "imaging", "organisation"]
Treatment = Literal["ablation", "thermal_ablation"]
SourceKind = Literal["guideline", "consensus", "rct", "meta_analysis", "cohort", "practice", "web_summary"]
SourceStatus = Literal["current", "superseded", "unattributed"]
FactWord = str | bool

WORST_FIRST: tuple[Word, ...] = ("fail", "not_evaluable", "caution", "info", "pass", "not_applicable")
"""Order in which the worst verdict of several is found."""

TREATMENTS: Mapping[Treatment, frozenset[str] | None] = {
    "ablation": None,
    "thermal_ablation": frozenset({"radiofrequency", "microwave", "cryoablation", "laser"}),
}
"""The modalities that a rule's treatment covers; None for all."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Where one band of a number line ends and the next begins.

    `belongs` tells which of the two holds the edge itself; `from_source` whether the source prints it or it is ours.
    """

    at: float
    belongs: Literal["below", "above"]
    from_source: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """A number line cut into bands: `verdicts` from low to high, one more than `edges`."""

    verdicts: tuple[Word, ...]
    edges: tuple[Edge, ...]

    def place(self, value: float) -> int:
        """Return the index of the band that holds a value. No rounding: the source's own sign decides equality."""
        return sum(value > e.at or (value == e.at and e.belongs == "above") for e in self.edges)

    def verdict(self, value: float) -> Word:
        """Return the verdict of the band that holds a value."""
        return self.verdicts[self.place(value)]


@dataclass(frozen=True, slots=True)
class Branch:
    """A scale that holds where entered facts have the values of `when`; always where that is empty."""

    when: Mapping[str, frozenset[FactWord]]
    scale: Scale
    note: str = ""

    def may_hold(self, facts: Mapping[str, object]) -> bool:
        """Return whether the branch holds, or would for some value of the facts that were not entered."""
        return all(name not in facts or facts[name] in values for name, values in self.when.items())


@dataclass(frozen=True, slots=True)
class Part:
    """One quantity that a rule judges. Exactly one branch holds for any facts: the loader proves it."""

    quantity: Quantity
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where rules come from, and what weight it claims."""

    key: str
    label: str
    citation: Citation
    kind: SourceKind
    status: SourceStatus
    scheme: str

    @property
    def unsigned(self) -> bool:
        """Whether nobody signs for it: such sources come last and are labelled."""
        return self.status == "unattributed" or self.kind in ("practice", "web_summary")


@dataclass(frozen=True, slots=True)
class Example:
    """A vignette: measured values and facts, and the verdict they must have."""

    measured: Mapping[str, Measured]
    facts: Mapping[str, object]
    verdict: Word
    missing: tuple[str, ...] | None
    borderline: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A published statement that can be judged.

    Parameters
    ----------
    id, title, statement
        Its id, and what it says in our own words.
    source, strength, strength_stated
        Whose it is, the strength of wording or level of evidence, and whether the source itself states that.
    phase, about, primary, treatment
        What it speaks of; an empty `primary` is any.
    per
        What one verdict is about.
    parts
        The quantities it judges; the worst decides.
    entered
        Facts it may need, by name.
    exceptions, note, conflicts
        What the source adds, what we add, and ids of conflicts between sources.
    examples
        Vignettes.
    """

    id: str
    title: str
    statement: str
    source: Source
    strength: str
    strength_stated: bool
    phase: tuple[Phase, ...]
    about: About
    primary: tuple[str, ...]
    treatment: Treatment
    per: Scope
    parts: tuple[Part, ...]
    entered: tuple[str, ...]
    exceptions: str = ""
    note: str = ""
    conflicts: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the quantities it judges."""
        return tuple(part.quantity.name for part in self.parts)
