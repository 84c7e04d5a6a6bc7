"""A rule explained as text: its statement, its source, its bands drawn as a line, examples and conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from planner.facts import FACTS
from planner.guideline.catalogue import Catalogue
from planner.guideline.columns import wrapped
from planner.guideline.drawn import drawn
from planner.guideline.explain_entry import entered_words, heading, remarks, standing
from planner.guideline.measured import Measured
from planner.guideline.printed import unit_words
from planner.guideline.rule import Branch, Combine, Example, FactWord, Part, Rule
from planner.guideline.speaks import primary_words
from planner.guideline.words import READS, fact_words, quantity_words

_COMBINED: Mapping[Combine, str] = {
    "all": "The worse decides.",
    "any": "One that speaks is enough; of several the worse.",
    "first": "The first that can be judged decides.",
}


def explained(rule: Rule, catalogue: Catalogue) -> str:
    """Return everything that the catalogue holds about a rule."""
    lines = [*heading(rule), ""]
    lines += wrapped(f"Overrides {rule.overrides}: it stands in its place, by site policy.") if rule.overrides else []
    lines += standing(rule)
    lines += wrapped(f"Speaks of: {_scope(rule)}. One verdict per {rule.per}.")
    lines += wrapped(f"Facts it may need: {entered_words(rule.entered) or 'none'}.")
    if rule.if_missing == "caution":
        lines += wrapped(f"Where the value is not known: {READS['caution']}, as the source asks that it be known.")
    lines += ["", *_bands(rule), "", "Examples"]
    lines += [line for example in rule.examples for line in wrapped(_example(example), "  ")]
    return "\n".join([*lines, *remarks(rule, catalogue)]).rstrip() + "\n"


def _scope(rule: Rule) -> str:
    spoken = [rule.treatment.replace("_", " ")] if rule.treatment != "any" else []
    spoken.append(f"primary tumour {primary_words(rule.primary)}")
    if rule.where:
        spoken.append(f"where {_conditions(rule.where)}")
    return "; ".join(spoken)


def _bands(rule: Rule) -> Iterator[str]:
    for part in rule.parts:
        yield from _defined(part)
    shared = [rule.parts[0]] if all(p.branches == rule.parts[0].branches for p in rule.parts) else rule.parts
    if len(rule.parts) > 1:
        yield _COMBINED[rule.combine]
    for number, part in enumerate(shared, start=1):
        if len(shared) > 1:
            yield from ("", f"{number}. {_named(part)}")
        yield from _part(part)


def _defined(part: Part) -> list[str]:
    if part.kind == "facts":
        return ["Judged by entered facts alone."]
    if part.kind == "days":
        return wrapped(part.quantity.definition)
    return wrapped(f"{_named(part)}: {part.quantity.definition}")


def _named(part: Part) -> str:
    match part.kind:
        case "facts":
            return "Entered facts"
        case "days":
            return f"Days from {' to '.join(map(fact_words, part.needs))}"
        case _:
            name = part.quantity.name
            said = fact_words(name) if name in FACTS else quantity_words(name)
            return f"{said[:1].upper()}{said[1:]}"


def _part(part: Part) -> Iterator[str]:
    for branch in part.branches:
        yield ""
        if branch.when:
            yield from wrapped(f"where {_conditions(branch.when)}", "  ")
        elif len(part.branches) > 1:
            yield "  otherwise"
        yield from (f"  {line}" for line in _says(branch, part))
        if branch.note:
            yield from wrapped(branch.note, "  ")


def _says(branch: Branch, part: Part) -> list[str]:
    if branch.scale.edges:
        return drawn(branch.scale, part.quantity.unit)
    return [READS[branch.scale.verdicts[0]]]


def _conditions(when: Mapping[str, frozenset[FactWord]]) -> str:
    return ", ".join(f"{fact_words(name)} = {' or '.join(sorted(map(_fact, v)))}" for name, v in when.items())


def _example(example: Example) -> str:
    values = [f"{quantity_words(name)} {_measured(m)}" for name, m in example.measured.items()]
    borderline = f"{', borderline' * example.borderline}{', for a case of its own treatment' * example.own}"
    missing = f" (not entered: {', '.join(map(fact_words, example.missing))})" if example.missing else ""
    facts = _facts(example.facts) or "nothing entered"
    return f"{', '.join(values) or 'nothing measured'}; {facts} -> {READS[example.verdict]}{borderline}{missing}"


def _measured(measured: Measured) -> str:
    interval = f" ({measured.ci95[0]:g} to {measured.ci95[1]:g})" if measured.ci95 else ""
    unit = "lesion" if measured.unit == "lesions" and measured.value == 1 else unit_words(measured.unit)
    return f"{measured.value:g} {unit}{interval}"


def _facts(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{fact_words(name)} = {_fact(value)}" for name, value in facts.items())


def _fact(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()[:10]
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
