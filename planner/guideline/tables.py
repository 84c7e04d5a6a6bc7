"""The format of `rules/*.toml`: one file per source, data only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from planner.evidence.document import CitationTable, Table
from planner.findings import Scope
from planner.guideline.rule import About, Phase, SourceKind, SourceStatus, Treatment, Word

RULE_ID = r"^[A-Z]{2,8}-[0-9]{2,}$"
BandWord = Literal["pass", "caution", "fail", "info", "not_evaluable"]
Text = Annotated[str, Field(min_length=1)]
FactValueTable = bool | str | float


class SourceTable(CitationTable):
    """`[sources.KEY]`: a short name, a citation, the kind of source, and the vocabulary of its levels."""

    label: Text
    kind: SourceKind
    status: SourceStatus
    scheme: Text


class BandTable(Table):
    """A band of the number line: its verdict, and where it begins and ends."""

    verdict: BandWord
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None


class CaseTable(Table):
    """`[[rule.case]]`: bands that hold where entered facts have these values."""

    when: dict[str, bool | str | list[str]] = Field(min_length=1)
    bands: list[BandTable] = Field(min_length=1)
    note: str = ""


class PartTable(Table):
    """A part of `all_of`."""

    quantity: Text
    unit: Text
    bands: list[BandTable] | None = None
    case: list[CaseTable] | None = None


class ScopeTable(Table):
    """Whom and what a rule speaks of; without `primary` any."""

    primary: list[str] = Field(default_factory=list)
    treatment: Treatment


class LevelTable(Table):
    """Strength of wording or level of evidence, and whether the source states it."""

    grade: Text
    stated_in_source: bool


class ExampleTable(Table):
    """`[[rule.example]]`: a vignette; what `measured` or `facts` leave out is unknown."""

    measured: dict[str, float] = Field(default_factory=dict)
    interval: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)]] = Field(default_factory=dict)
    facts: dict[str, FactValueTable] = Field(default_factory=dict)
    verdict: Word
    missing: list[str] | None = None
    borderline: bool = False


class RuleTable(Table):
    """`[[rule]]`: a statement. `quantity` may name several: the worst of them decides, each on the same bands."""

    id: str = Field(pattern=RULE_ID)
    source: Text
    title: Text
    statement: Text
    phase: list[Phase] = Field(min_length=1)
    about: About
    scope: ScopeTable
    level: LevelTable
    per: Scope
    reduce: Literal["worst"] = "worst"
    measured: list[str]
    entered: list[str]
    if_missing: Literal["not_evaluable"]
    quantity: Text | list[str] | None = None
    unit: Text | None = None
    bands: list[BandTable] | None = None
    case: list[CaseTable] | None = None
    all_of: list[PartTable] | None = None
    edges_from_source: list[float] = Field(default_factory=list)
    exceptions: str = ""
    note: str = ""
    conflicts: list[str] = Field(default_factory=list)
    example: list[ExampleTable] = Field(min_length=1)


class RuleFile(Table):
    """A whole file."""

    schema_version: Literal[1]
    sources: dict[str, SourceTable] = Field(min_length=1)
    rule: list[RuleTable] = Field(min_length=1)
