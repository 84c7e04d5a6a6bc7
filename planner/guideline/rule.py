"""A rule: a published statement about a measured quantity, as bands of a number line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from planner.evidence.citation import Citation
from planner.findings import Quantity, Scope
from planner.guideline.measured import Measured

Word = Literal["pass", "caution", "fail", "info", "not_evaluable", "not_applicable"]
Phase = Literal["eligibility", "planning", "board", "procedure", "post_procedure", "follow_up", "audit"]
About = Literal["ablation", "resection", "either", "systemic", "imaging", "organisation"]
Question = Literal["margin", "ducts", "bowel", "vessels", "size_and_number", "remnant", "context"]
Treatment = Literal["any", "ablation", "thermal_ablation", "radiofrequency"]
SourceKind = Literal["guideline", "consensus", "rct", "meta_analysis", "cohort", "practice", "web_summary", "site"]
SourceStatus = Literal["current", "superseded", "unattributed"]
PartKind = Literal["measured", "number", "days", "facts"]
Combine = Literal["all", "any", "first"]
FactWord = str | bool

WORST_FIRST: tuple[Word, ...] = ("fail", "not_evaluable", "caution", "info", "pass", "not_applicable")
"""Order in which the worst verdict of several is found."""

QUESTIONS: Mapping[Question, str] = {
    "margin": "Margin",
    "ducts": "Bile ducts",
    "bowel": "Bowel and other organs",
    "vessels": "Vessels",
    "size_and_number": "Size and number",
    "remnant": "Liver that remains",
    "context": "Context",
}
"""What a statement is about to a reader, in the order of a report."""

ASIDE: Mapping[About, str] = {"resection": "speaks about resection", "systemic": "speaks about systemic therapy"}
"""Statements about another treatment than ablation: they never judge a case of ours."""

TREATMENTS: Mapping[Treatment, frozenset[str] | None] = {
    "any": None,
    "ablation": None,
    "radiofrequency": frozenset({"radiofrequency"}),
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


def band_of(edges: Sequence[Edge], value: float) -> int:
    """Return the index of the band that holds a value. No rounding: the source's own sign decides equality."""
    return sum(value > e.at or (value == e.at and e.belongs == "above") for e in edges)


@dataclass(frozen=True, slots=True)
class Scale:
    """A number line cut into bands: `verdicts` from low to high, one more than `edges`."""

    verdicts: tuple[Word, ...]
    edges: tuple[Edge, ...]

    def place(self, value: float) -> int:
        """Return the index of the band that holds a value."""
        return band_of(self.edges, value)

    def verdict(self, value: float) -> Word:
        """Return the verdict of the band that holds a value."""
        return self.verdicts[self.place(value)]


@dataclass(frozen=True, slots=True)
class Branch:
    """A scale that holds where entered facts have the values of `when`; one without takes what the others leave.

    `needs_value`: it says nothing of a value that is not known; without, the facts alone give its word.
    """

    when: Mapping[str, frozenset[FactWord]]
    scale: Scale
    note: str = ""
    needs_value: bool = True

    @property
    def outcome(self) -> tuple[Scale, bool]:
        """Return what the branch says: two of the same outcome are not told apart."""
        return self.scale, self.needs_value

    def holds(self, facts: Mapping[str, object]) -> bool:
        """Return whether every fact of `when` was entered and has a value of it."""
        return all(facts.get(name) in values for name, values in self.when.items())


ENTERED_ALONE = Quantity("entered", "", "patient", "Entered facts alone.")
"""Stands for the quantity of a part that judges entered facts and no number."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a rule judges: a number, by the branch that holds. Exactly one does for any facts: the loader proves it.

    Parameters
    ----------
    quantity
        What the number is: a registered quantity, or named after the facts that give it.
    branches
        The first that holds counts.
    kind
        Whether the number is measured, entered, the days between two entered dates, or none at all.
    needs
        The facts that give the number: one, or two dates, the days run from the first to the second.
    asked
        The facts that choose a branch.
    """

    quantity: Quantity
    branches: tuple[Branch, ...]
    kind: PartKind = "measured"
    needs: tuple[str, ...] = ()
    asked: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Name once the facts that choose a branch."""
        asked = tuple(dict.fromkeys(name for branch in self.branches for name in branch.when))
        object.__setattr__(self, "asked", asked)

    def branch(self, facts: Mapping[str, object]) -> int:
        """Return the index of the branch that holds where every fact asked for is among `facts`."""
        return next(n for n, branch in enumerate(self.branches) if branch.holds(facts))


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

    @property
    def of_site(self) -> bool:
        """Whether it is a site's own policy, which no source document holds."""
        return self.kind == "site"


@dataclass(frozen=True, slots=True)
class Example:
    """A vignette: measured values and facts, and the verdict they must have.

    `own`: the case is of the treatment that the statement speaks of, not an ablation.
    """

    measured: Mapping[str, Measured]
    facts: Mapping[str, object]
    verdict: Word
    missing: tuple[str, ...] | None
    borderline: bool
    own: bool = False


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
        What it judges.
    entered
        Facts it may need, by name.
    question
        The group of a report that it belongs to.
    where
        Facts of its scope with the values that they may have; with others it does not apply.
    combine
        "all": the worst part decides, and one that does not apply puts the rule out of scope; "any": one part that
        speaks is enough, if no part that could not be judged may say worse; "first": the first part that can be judged
        decides, those after it stand in for what it lacks.
    if_missing
        Its word where the value is not known: "caution" where the source asks that it be.
    exceptions, note, conflicts
        What the source adds, what we add, and ids of conflicts between sources.
    superseded_by
        Ids of later statements that a reader must see beside it.
    overrides
        Of a site's rule: the id of the rule that it stands for.
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
    question: Question = "context"
    where: Mapping[str, frozenset[FactWord]] = field(default_factory=dict)
    combine: Combine = "all"
    if_missing: Word = "not_evaluable"
    exceptions: str = ""
    note: str = ""
    conflicts: tuple[str, ...] = ()
    superseded_by: tuple[str, ...] = ()
    overrides: str = ""
    examples: tuple[Example, ...] = ()

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the quantities it judges."""
        return tuple(part.quantity.name for part in self.parts if part.kind == "measured")
