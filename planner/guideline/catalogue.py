"""The catalogue: rules from TOML texts, one per source; a malformed one is refused with file, id and reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from pydantic import Field

from planner.errors import EvidenceError, PlannerError
from planner.evidence.document import Table, parsed
from planner.facts import PRIMARY, nearest
from planner.findings import QUANTITIES
from planner.guideline.judge import judge
from planner.guideline.measured import Measured
from planner.guideline.parts import parts_of
from planner.guideline.rule import Example, Rule, Source
from planner.guideline.tables import ExampleTable, RuleFile, RuleTable, SourceTable


@dataclass(frozen=True, slots=True)
class Conflict:
    """Where sources disagree: each one's position side by side, never merged."""

    id: str
    title: str
    positions: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Rules in the order of their sources (guidelines and trials first, unsigned ones last), and their conflicts."""

    rules: tuple[Rule, ...]
    conflicts: Mapping[str, Conflict]

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all rules."""
        return tuple(rule.id for rule in self.rules)

    def rule(self, rule_id: str) -> Rule:
        """Return a rule by its id.

        Raises
        ------
        EvidenceError
            There is none; the nearest id is named.
        """
        found = next((rule for rule in self.rules if rule.id == rule_id), None)
        if found is None:
            raise EvidenceError(f"rule '{rule_id}' is not in the catalogue{nearest(rule_id, self.ids)}")
        return found

    def disputing(self, rule: Rule) -> tuple[Rule, ...]:
        """Return the other rules that share a conflict with this one."""
        return tuple(
            other for other in self.rules if other.id != rule.id and set(other.conflicts) & set(rule.conflicts)
        )


class _ConflictTable(Table):
    id: str = Field(pattern=r"^X[0-9]+$")
    title: str = Field(min_length=1)
    positions: str = Field(min_length=1)


class _ConflictFile(Table):
    conflict: list[_ConflictTable] = Field(min_length=1)


def load_catalogue(files: Mapping[str, str], conflicts: str) -> Catalogue:
    """Return the rules of several TOML texts.

    Parameters
    ----------
    files
        File name -> text, one per source.
    conflicts
        Text of the conflicts between sources.

    Raises
    ------
    EvidenceError
        A text or a rule is malformed, an id is given twice, or an example does not have the verdict it states.
    """
    known = load_conflicts(conflicts, "conflicts.toml")
    rules = [rule for name, text in sorted(files.items()) for rule in load_rules(text, name, known)]
    twice = next((rule.id for place, rule in enumerate(rules) if rule.id in {r.id for r in rules[:place]}), None)
    if twice is not None:
        raise EvidenceError(f"{twice}: this id is given to two rules")
    return Catalogue(tuple(sorted(rules, key=source_order)), known)


def load_conflicts(text: str, file: str) -> Mapping[str, Conflict]:
    """Return the conflicts of a TOML text by id."""
    tables = parsed(text, file, _ConflictFile).conflict
    return MappingProxyType({table.id: Conflict(table.id, table.title, table.positions) for table in tables})


def source_order(rule: Rule) -> tuple[bool, int, int, str]:
    """Return what orders rules by source: signed before unsigned, then by kind, the older first, then by id."""
    source = rule.source
    kinds = ("guideline", "consensus", "rct", "meta_analysis", "cohort", "practice", "web_summary")
    return source.unsigned, kinds.index(source.kind), source.citation.year or 0, rule.id


def load_rules(text: str, file: str, conflicts: Mapping[str, Conflict]) -> tuple[Rule, ...]:
    """Return the rules of one TOML text, each proved: bands, branches, names, units and examples."""
    document = parsed(text, file, RuleFile)
    sources = {key: _source(key, table, f"{file}: source {key}") for key, table in document.sources.items()}
    rules = []
    for table in document.rule:
        place = f"{file}: {table.id}"
        if table.source not in sources:
            raise EvidenceError(f"{place}: source '{table.source}' is not in this file{nearest(table.source, sources)}")
        if strange := set(table.conflicts) - set(conflicts):
            raise EvidenceError(f"{place}: conflict {min(strange)} is not described{nearest(min(strange), conflicts)}")
        rules.append(_rule(table, sources[table.source], place))
    return tuple(rules)


def _source(key: str, table: SourceTable, place: str) -> Source:
    if table.year is None and table.status != "unattributed":
        raise EvidenceError(f"{place}: year is missing; only an unattributed source may lack it")
    return Source(key, table.label, table.citation(), table.kind, table.status, table.scheme)


def _rule(table: RuleTable, source: Source, place: str) -> Rule:
    parts = parts_of(table, place)
    if strange := set(table.scope.primary) - set(PRIMARY.choices):
        raise EvidenceError(f"{place}: primary '{min(strange)}' is not known{nearest(min(strange), PRIMARY.choices)}")
    for part in parts:
        if part.quantity.scope != table.per:
            raise EvidenceError(f"{place}: per {table.per}, but {part.quantity.name} is of a {part.quantity.scope}")
    needed = {name for part in parts for branch in part.branches for name in branch.when}
    needed |= {PRIMARY.name} if table.scope.primary else set()
    _require_listed(table.entered, needed, f"{place}: entered")
    _require_listed(table.measured, {part.quantity.name for part in parts}, f"{place}: measured")
    rule = Rule(
        table.id, f"{source.label}: {table.title}", table.statement, source, table.level.grade,
        table.level.stated_in_source, tuple(table.phase), table.about,
        tuple(table.scope.primary), table.scope.treatment, table.per, parts, tuple(table.entered), table.exceptions,
        table.note, tuple(table.conflicts),
    )  # fmt: skip
    examples = [_example(e, f"{place}: example {n}") for n, e in enumerate(table.example, start=1)]
    rule = replace(rule, examples=tuple(examples))
    for fault in failing_examples(rule):
        raise EvidenceError(f"{place}: {fault}")
    return rule


def _require_listed(listed: list[str], needed: set[str], place: str) -> None:
    if set(listed) != needed or len(listed) != len(needed):
        raise EvidenceError(f"{place} lists {_names(listed)}, the rule needs {_names(sorted(needed))}")


def _names(names: list[str]) -> str:
    return ", ".join(names) or "nothing"


def _example(table: ExampleTable, place: str) -> Example:
    for name in (*table.measured, *table.interval):
        if name not in QUANTITIES:
            raise EvidenceError(f"{place}: quantity '{name}' is not known{nearest(name, QUANTITIES)}")
    if strange := set(table.interval) - set(table.measured):
        raise EvidenceError(f"{place}: an interval of {min(strange)} without its value")
    try:
        measured = {
            name: Measured(value, QUANTITIES[name].unit, _pair(table.interval.get(name)))
            for name, value in table.measured.items()
        }
    except PlannerError as error:
        raise EvidenceError(f"{place}: {error}") from error
    missing = None if table.missing is None else tuple(table.missing)
    return Example(measured, MappingProxyType(dict(table.facts)), table.verdict, missing, table.borderline)


def _pair(values: list[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])


def failing_examples(rule: Rule) -> Iterator[str]:
    """Yield what is wrong with each example that does not come out as it states."""
    for number, example in enumerate(rule.examples, start=1):
        try:
            found = judge(rule, example.measured, example.facts)
        except PlannerError as error:
            yield f"example {number}: {error}"
            continue
        if found.word != example.verdict or found.borderline != example.borderline:
            expected = f"{example.verdict}{', borderline' * example.borderline}"
            yield f"example {number} gives {found.word}{', borderline' * found.borderline}, states {expected}"
        elif example.missing is not None and found.missing != example.missing:
            yield f"example {number} misses {_names(list(found.missing))}, states {_names(list(example.missing))}"
