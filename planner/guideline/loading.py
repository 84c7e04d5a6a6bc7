"""Rules, published numbers and advice from TOML texts: a malformed one is refused with file, id and reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from planner.errors import EvidenceError, PlannerError
from planner.evidence.document import parsed
from planner.facts import FACTS, PRIMARY, nearest
from planner.findings import QUANTITIES
from planner.guideline.entry import Advisory, Figure, Reference, Strata
from planner.guideline.judge import judge
from planner.guideline.measured import Measured
from planner.guideline.parts import MOST_COMBINATIONS, cut, parts_of, registered, values_of
from planner.guideline.rule import Combine, Example, Part, Rule, Source
from planner.guideline.tables import (
    AdvisoryTable,
    EntryTable,
    ExampleTable,
    FigureTable,
    ReferenceTable,
    RuleFile,
    RuleTable,
    SourceTable,
    StrataTable,
)

Ids = Mapping[str, object]


def load_file(
    text: str, file: str, conflicts: Ids
) -> tuple[tuple[Rule, ...], tuple[Reference, ...], tuple[Advisory, ...]]:
    """Return the rules of one TOML text, each proved: bands, branches, names, units and examples; and what is shown.

    Raises
    ------
    EvidenceError
        The text or an entry is malformed, or an example does not have the verdict that it states.
    """
    document = parsed(text, file, RuleFile)
    sources = {key: _source(key, table, f"{file}: source {key}") for key, table in document.sources.items()}

    def of(table: EntryTable) -> tuple[Source, str]:
        place = f"{file}: {table.id}"
        _require_known([table.source], sources, f"{place}: source '{{}}' is not in this file")
        _require_known(table.conflicts, conflicts, f"{place}: conflict {{}} is not described")
        return sources[table.source], place

    return (
        tuple(_rule(table, *of(table)) for table in document.rule),
        tuple(_reference(table, *of(table)) for table in document.reference),
        tuple(_advisory(table, *of(table)) for table in document.advisory),
    )


def _source(key: str, table: SourceTable, place: str) -> Source:
    if table.year is None and table.status != "unattributed" and not table.published:
        raise EvidenceError(f"{place}: year is missing; a source may lack it that is unattributed or published without")
    return Source(key, table.label, table.citation(), table.kind, table.status, table.scheme)


def _require_known(names: list[str], known: Ids, fault: str) -> None:
    for name in names:
        if name not in known:
            raise EvidenceError(f"{fault.format(name)}{nearest(name, known)}")


def _require_primaries(names: list[str], place: str) -> None:
    _require_known(names, dict.fromkeys(map(str, PRIMARY.values)), f"{place}: primary '{{}}' is not known")


def _rule(table: RuleTable, source: Source, place: str) -> Rule:
    _require_primaries(table.scope.primary, place)
    if table.overrides and not source.of_site:
        raise EvidenceError(f"{place}: overrides {table.overrides}: only the rule of a site may")
    parts = parts_of(table, place)
    for part in parts:
        if part.kind == "measured" and part.quantity.scope == "lesion" and table.per != "lesion":
            raise EvidenceError(f"{place}: per {table.per}, but {part.quantity.name} is of a lesion")
    where = {name: values_of(name, stated, place) for name, stated in table.scope.facts.items()}
    rule = Rule(
        table.id, f"{source.label}: {table.title}", table.statement, source, table.level.grade,
        table.level.stated_in_source, tuple(table.phase), table.about,
        tuple(table.scope.primary), table.scope.treatment, table.per, parts, tuple(table.entered), table.question,
        MappingProxyType(where), _combine(table), table.if_missing,
        table.exceptions, table.note, tuple(table.conflicts), tuple(table.superseded_by), table.overrides,
    )  # fmt: skip
    _require_few(rule, place)
    _require_listed(table.entered, _needed(rule, parts), f"{place}: entered")
    _require_listed(table.measured, set(rule.measured), f"{place}: measured")
    examples = [_example(e, f"{place}: example {n}") for n, e in enumerate(table.example, start=1)]
    if judge(rule, {}, {}, own=True).word == "pass":
        raise EvidenceError(f"{place}: it gives pass with nothing measured and nothing entered")
    rule = replace(rule, examples=tuple(examples))
    for fault in failing_examples(rule):
        raise EvidenceError(f"{place}: {fault}")
    return rule


def _require_few(rule: Rule, place: str) -> None:
    """Raise where there are too many combinations of its facts to be tried when a case lacks them."""
    names = {name for part in rule.parts for name in part.asked} | set(rule.where)
    count = math.prod(len(FACTS[name].values) for name in names)
    if count > MOST_COMBINATIONS:
        raise EvidenceError(f"{place}: its facts combine in {count} ways, expected at most {MOST_COMBINATIONS}")


def _combine(table: RuleTable) -> Combine:
    return "any" if table.any_of is not None else "first" if table.first_of is not None else "all"


def _needed(rule: Rule, parts: tuple[Part, ...]) -> set[str]:
    """Return the facts that a rule may need."""
    needed = {name for part in parts for name in (*part.asked, *part.needs)} | set(rule.where)
    return needed | ({PRIMARY.name} if rule.primary else set())


def _require_listed(listed: list[str], needed: set[str], place: str) -> None:
    if set(listed) != needed or len(listed) != len(needed):
        raise EvidenceError(f"{place} lists {_names(listed)}, the rule needs {_names(sorted(needed))}")


def _names(names: list[str]) -> str:
    return ", ".join(names) or "nothing"


def _example(table: ExampleTable, place: str) -> Example:
    _require_known([*table.measured, *table.interval], QUANTITIES, f"{place}: quantity '{{}}' is not known")
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
    return Example(
        measured, MappingProxyType(dict(table.facts)), table.verdict, missing, table.borderline, table.own
    )  # fmt: skip


def _pair(values: list[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])


def failing_examples(rule: Rule) -> Iterator[str]:
    """Yield what is wrong with each example that does not come out as it states."""
    for number, example in enumerate(rule.examples, start=1):
        try:
            found = judge(rule, example.measured, example.facts, own=example.own)
        except PlannerError as error:
            yield f"example {number}: {error}"
            continue
        if found.word != example.verdict or found.borderline != example.borderline:
            expected = f"{example.verdict}{', borderline' * example.borderline}"
            yield f"example {number} gives {found.word}{', borderline' * found.borderline}, states {expected}"
        elif example.missing is not None and set(found.missing) != set(example.missing):
            yield f"example {number} misses {_names(list(found.missing))}, states {_names(list(example.missing))}"


def _reference(table: ReferenceTable, source: Source, place: str) -> Reference:
    _require_shown(table, place)
    strata = None if table.strata is None else _strata(table.strata, place)
    labels = () if strata is None else strata.labels
    figures = tuple(_figure(figure, labels, f"{place}: '{figure.what}'") for figure in table.figures)
    return Reference(
        table.id, table.title, table.statement, source, table.level.grade, table.level.stated_in_source,
        table.question, tuple(table.phase), table.about, tuple(table.primary), tuple(table.measured),
        tuple(table.entered), table.exceptions, table.note, tuple(table.conflicts),
        table.population, table.endpoint, figures, strata, table.disputed,
    )  # fmt: skip


def _advisory(table: AdvisoryTable, source: Source, place: str) -> Advisory:
    _require_shown(table, place)
    return Advisory(
        table.id, table.title, table.statement, source, table.level.grade, table.level.stated_in_source,
        table.question, tuple(table.phase), table.about, tuple(table.primary), tuple(table.measured),
        tuple(table.entered), table.exceptions, table.note, tuple(table.conflicts),
    )  # fmt: skip


def _require_shown(table: ReferenceTable | AdvisoryTable, place: str) -> None:
    _require_primaries(table.primary, place)
    _require_known(table.measured, QUANTITIES, f"{place}: quantity '{{}}' is not known")
    _require_known(table.entered, FACTS, f"{place}: fact '{{}}' is not known")


def _strata(table: StrataTable, place: str) -> Strata:
    quantity = registered(table.quantity, place)
    if table.unit != quantity.unit:
        raise EvidenceError(f"{place}: unit {table.unit} of {quantity.name}, expected {quantity.unit}")
    return Strata(quantity, *cut([(band.label, band) for band in table.bands], (), place))


def _figure(table: FigureTable, labels: tuple[str, ...], place: str) -> Figure:
    if sum((table.value is not None, table.range is not None, bool(table.text))) == 0:
        raise EvidenceError(f"{place}: expected a value, a range or a text")
    if table.stratum and table.stratum not in labels:
        raise EvidenceError(f"{place}: stratum '{table.stratum}' is not one of {_names(list(labels))}")
    for name, pair in (("range", table.range), ("ci95", table.ci95)):
        if pair is not None and pair[0] > pair[1]:
            raise EvidenceError(f"{place}: {name} from {pair[0]:g} to {pair[1]:g}: expected its low end first")
    return Figure(
        table.what, table.value, _pair(table.range), table.text, table.unit, _pair(table.ci95), table.n, table.p,
        table.stratum,
    )  # fmt: skip
