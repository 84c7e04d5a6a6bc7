"""The format of `rules/*.toml`: one file per source, data only."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from planner.evidence.document import CitationTable, Table
from planner.findings import Scope
from planner.guideline.rule import About, Phase, Question, SourceKind, SourceStatus, Treatment, Word

ENTRY_ID = r"^[A-Z]{2,8}-[0-9]{2,}$"
Text = Annotated[str, Field(min_length=1)]
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
FactValueTable = bool | str | float | date


class SourceTable(CitationTable):
    """`[sources.KEY]`: a short name, a citation, the kind of source, and the vocabulary of its levels."""

    label: Text
    kind: SourceKind
    status: SourceStatus
    scheme: Text


class SpanTable(Table):
    """Where a band begins and ends."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None


class BandTable(SpanTable):
    """A band of the number line with its verdict."""

    verdict: Word


class CaseTable(Table):
    """`[[rule.case]]`: bands or a verdict where entered facts have these values; without `when` in all other cases."""

    when: dict[str, bool | str | list[str]] = Field(default_factory=dict)
    bands: list[BandTable] | None = Field(default=None, min_length=1)
    verdict: Word | None = None
    note: str = ""


class PartTable(Table):
    """A part of several: a measured quantity, an entered number, days between two dates, or facts alone."""

    quantity: Text | None = None
    fact: Text | None = None
    days: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    unit: Text | None = None
    bands: list[BandTable] | None = Field(default=None, min_length=1)
    case: list[CaseTable] | None = Field(default=None, min_length=1)


class ScopeTable(Table):
    """Whom and what a rule speaks of; without `primary` any."""

    primary: list[str] = Field(default_factory=list)
    treatment: Treatment
    facts: dict[str, bool | str | list[str]] = Field(default_factory=dict)


class LevelTable(Table):
    """Strength of wording or level of evidence, and whether the source states it."""

    grade: Text
    stated_in_source: bool


class ExampleTable(Table):
    """`[[rule.example]]`: a vignette; what `measured` or `facts` leave out is unknown."""

    measured: dict[str, float] = Field(default_factory=dict)
    interval: dict[str, Pair] = Field(default_factory=dict)
    facts: dict[str, FactValueTable] = Field(default_factory=dict)
    verdict: Word
    missing: list[str] | None = None
    borderline: bool = False
    own: bool = False


class EntryTable(Table):
    """What every entry states: its id, its source, what it says, of whom and when, and how strongly."""

    id: str = Field(pattern=ENTRY_ID)
    source: Text
    title: Text
    statement: Text
    question: Question
    phase: list[Phase] = Field(min_length=1)
    about: About
    level: LevelTable
    exceptions: str = ""
    note: str = ""
    conflicts: list[str] = Field(default_factory=list)


class RuleTable(EntryTable):
    """`[[rule]]`: a statement. `quantity` may name several: the worst of them decides, each on the same bands."""

    scope: ScopeTable
    per: Scope
    reduce: Literal["worst"] = "worst"
    measured: list[str]
    entered: list[str]
    if_missing: Literal["not_evaluable", "caution"]
    quantity: Text | Annotated[list[str], Field(min_length=1)] | None = None
    fact: Text | None = None
    days: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    unit: Text | None = None
    bands: list[BandTable] | None = Field(default=None, min_length=1)
    case: list[CaseTable] | None = Field(default=None, min_length=1)
    all_of: list[PartTable] | None = Field(default=None, min_length=1)
    any_of: list[PartTable] | None = Field(default=None, min_length=1)
    first_of: list[PartTable] | None = Field(default=None, min_length=1)
    edges_from_source: list[float] = Field(default_factory=list)
    superseded_by: list[str] = Field(default_factory=list)
    overrides: str = ""
    example: list[ExampleTable] = Field(min_length=1)


class FigureTable(Table):
    """A number of a `[[reference]]`: a value, a range or a text, of a stratum where it names one."""

    what: Text
    value: float | None = None
    range: Pair | None = None
    text: str = ""
    unit: str = ""
    ci95: Pair | None = None
    n: int | None = Field(default=None, ge=0)
    p: str = ""
    stratum: str = ""


class StratumTable(SpanTable):
    """A band of the number line with its label."""

    label: Text


class StrataTable(Table):
    """How a table splits its cases by a measured quantity."""

    quantity: Text
    unit: Text
    bands: list[StratumTable] = Field(min_length=1)


class ReferenceTable(EntryTable):
    """`[[reference]]`: published numbers, shown and never judged."""

    primary: list[str] = Field(default_factory=list)
    population: Text
    endpoint: Text
    figures: list[FigureTable] = Field(min_length=1)
    strata: StrataTable | None = None
    disputed: bool = False
    measured: list[str] = Field(default_factory=list)
    entered: list[str] = Field(default_factory=list)


class AdvisoryTable(EntryTable):
    """`[[advisory]]`: advice in words, never judged."""

    primary: list[str] = Field(default_factory=list)
    measured: list[str] = Field(default_factory=list)
    entered: list[str] = Field(default_factory=list)


class RuleFile(Table):
    """A whole file."""

    schema_version: Literal[1]
    sources: dict[str, SourceTable] = Field(min_length=1)
    rule: list[RuleTable] = Field(default_factory=list)
    reference: list[ReferenceTable] = Field(default_factory=list)
    advisory: list[AdvisoryTable] = Field(default_factory=list)


class OmittedTable(Table):
    """`[[omitted]]`: an entry whose content the source documents lost, and why it is left out."""

    id: str = Field(pattern=ENTRY_ID)
    source: Text
    reason: Text


class OmittedFile(Table):
    """The file of deliberate omissions."""

    omitted: list[OmittedTable] = Field(default_factory=list)
