"""A rule explained as text: its statement, its source, its bands drawn as a line, examples and conflicts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from planner.evidence.hazard import Hazard
from planner.evidence.population import Population, studied_words
from planner.evidence.ratio import ORIGINS, RatioInterval
from planner.facts import FACTS, SETTING_FACTS
from planner.findings import Quantity
from planner.guideline.catalogue import Catalogue
from planner.guideline.measured import Measured
from planner.guideline.rule import Combine, Example, Part, Rule, Scale
from planner.guideline.words import READS, attribution, cited, fact_words, quantity_words, unit_words

WIDTH = 110
_ANY = "any"
_COMBINED: Mapping[Combine, str] = {
    "all": "The worse decides.",
    "any": "One that speaks is enough.",
    "first": "The first that can be judged decides.",
}


def rules_table(rules: Sequence[Rule], hazards: Sequence[Hazard]) -> str:
    """Return rules and relations as a table of text, one line each."""
    head = ("Id", "What it asks", "Source", "Year", "Primary", "Judged by", "Facts it may need")
    body = [_row(rule) for rule in rules]
    body += [
        (h.id, h.title, h.source.short, str(h.source.year), ", ".join(h.population.primary),
         f"no verdict: {quantity_words(h.quantity)}", ", ".join(fact_words(fact.name) for fact in SETTING_FACTS[:3]))
        for h in hazards
    ]  # fmt: skip
    widths = [max(len(row[place]) for row in (head, *body)) for place in range(len(head))]
    lines = [head, tuple("-" * width for width in widths), *body]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in lines) + "\n"


def facts_text(rules: Sequence[Rule], hazards: Sequence[Hazard]) -> str:
    """Return the facts that statements ask for, as they are typed into `[facts]`: what each may be and means."""
    lines = ["Facts, as typed into [facts] of the case file; one that is empty or left out is unknown", ""]
    for fact in FACTS.values():
        asking = [rule.id for rule in rules if fact.name in rule.entered]
        asking += [hazard.id for hazard in hazards if fact in SETTING_FACTS]
        if asking:
            lines += wrapped(f"{fact.name}: {fact.expected}")
            lines += wrapped(f"  {fact.definition} Asked by {', '.join(asking)}.")
    return "\n".join(lines) + "\n"


def _row(rule: Rule) -> tuple[str, ...]:
    year = rule.source.citation.year
    return (
        rule.id, _asks(rule), rule.source.label, "undated" if year is None else str(year),
        ", ".join(rule.primary) or _ANY, ", ".join(map(quantity_words, rule.measured)),
        ", ".join(map(fact_words, rule.entered)) or "none",
    )  # fmt: skip


def _asks(rule: Rule) -> str:
    """Return a rule's title without the source that it begins with: that stands beside it."""
    title = rule.title.removeprefix(f"{rule.source.label}: ")
    return f"{title[:1].upper()}{title[1:]}"


def explained(rule: Rule, catalogue: Catalogue) -> str:
    """Return everything that the catalogue holds about a rule."""
    lines = [f"{rule.id}  {_asks(rule)}", *wrapped(rule.statement), ""]
    lines += wrapped(f"Source: {cited(rule)}")
    lines += wrapped(
        f"Speaks of: {rule.treatment.replace('_', ' ')}; primary tumour {' or '.join(rule.primary) or _ANY};"
        f" {', '.join(rule.phase).replace('_', ' ')}. One verdict per {rule.per}."
    )
    lines += wrapped(f"Facts it may need: {entered_words(rule.entered) or 'none'}.")
    for title, text in (("Exceptions", rule.exceptions), ("Note", rule.note)):
        lines += wrapped(f"{title}: {text}") if text else []
    lines += [
        "",
        *_bands(rule),
        "",
        "Examples",
        *(f"  {line}" for example in rule.examples for line in wrapped(_example(example))),
    ]
    lines += ["", *_conflicts(rule, catalogue)]
    return "\n".join(lines).rstrip() + "\n"


def explained_hazard(hazard: Hazard) -> str:
    """Return everything known of a published relation."""
    lines = [f"{hazard.id}  {hazard.title}", *wrapped(hazard.statement), ""]
    lines += wrapped(f"Source: {hazard.source.text} ({hazard.strength})")
    lines += wrapped(
        f"Form: {hazard.ratio:g} ** ((margin - {hazard.reference_mm:g} mm) / {hazard.step_mm:g} mm), for margins from"
        f" {hazard.valid_mm[0]:g} to {hazard.valid_mm[1]:g} mm: no number below, held at the end above."
        " Relative to the reference, never an absolute risk; it gives no verdict."
    )
    lines += wrapped(studied(hazard.population))
    lines += wrapped(f"Interval of {hazard.ratio:g}: {ci95_words(hazard.ci95)}.") if hazard.ci95 else []
    if size := hazard.size:
        step = size.per_step
        lines += wrapped(
            f"Tumour size, apart and never multiplied in: {size.statement} {step.ratio:g} per {step.step_mm:g} mm of"
            f" {quantity_words(size.quantity)} ({ci95_words(step.ci95)}; {size.strength}), relative to"
            f" {size.reference_mm:g} mm (our reference); {size.note}."
        )
    lines += wrapped(f"Facts it may need: {entered_words(fact.name for fact in SETTING_FACTS)}.")
    lines += wrapped(f"Note: {hazard.note}") if hazard.note else []
    lines += ["", "Minimal margin, mm   relative hazard"]
    lines += [f"  {margin:>16g}   {hazard.relative(margin) or 0.0:.2f}" for margin in _steps(hazard)]
    return "\n".join(lines).rstrip() + "\n"


def studied(population: Population) -> str:
    """Return whom a figure was found in, in a sentence."""
    said = studied_words(population)
    counted = ((population.patients, "patients"), (population.lesions, "lesions"))
    counts = [f"{count} {what}" for count, what in counted if count]
    number = ", ".join(counts) or "how many is not known to us"
    parts = "; ".join(f"{name} {words}" for name, words in said.items())
    return f"Studied: {number}; {parts}. {population.note}".rstrip()


def ci95_words(interval: RatioInterval | None) -> str:
    """Return a ratio's own interval with its origin."""
    if interval is None:
        return "95 % interval not available to us"
    return f"95 % interval {interval.low_ratio:g} to {interval.high_ratio:g}, {ORIGINS[interval.origin]}"


def entered_words(names: Iterable[str]) -> str:
    """Return facts in words, each with the name to enter it by."""
    return ", ".join(f"{fact_words(name)} (entered as {name})" for name in names)


def _steps(hazard: Hazard) -> Iterator[float]:
    margin = hazard.valid_mm[0]
    while margin <= hazard.valid_mm[1]:
        yield margin
        margin += hazard.step_mm


def drawn(scale: Scale, unit: str) -> list[str]:
    """Return bands as a line: verdicts above it, edges below it, and to which side each edge belongs."""
    labels = [f" {READS[word]} " for word in scale.verdicts]
    widths = [max(len(label), 12) for label in labels]
    line, marks = "<", " "
    for edge, width in zip(scale.edges, widths, strict=False):
        line += "-" * width + "|"
        marks = marks.ljust(len(line) - 1) + f"{edge.at:g}{'' if edge.from_source else '*'}"
    line += "-" * widths[-1] + f">  {unit_words(unit)}"
    lines = [" " + " ".join(label.center(width) for label, width in zip(labels, widths, strict=True)).rstrip(), line]
    lines += [marks] if scale.edges else []
    own = [f"{e.at:g} {unit_words(unit)} itself: {READS[scale.verdict(e.at)]}" for e in scale.edges]
    lines += [f"({'; '.join(own)})"] if own else []
    if any(not edge.from_source for edge in scale.edges):
        lines.append("* this line is ours: the source does not print it")
    return lines


def _bands(rule: Rule) -> Iterator[str]:
    for quantity in (part.quantity for part in rule.parts):
        yield from wrapped(f"{_named(quantity)}: {quantity.definition}")
    shared = [rule.parts[0]] if all(p.branches == rule.parts[0].branches for p in rule.parts) else rule.parts
    if len(rule.parts) > 1:
        yield _COMBINED[rule.combine]
    for part in shared:
        yield from _part(part, named=len(shared) > 1)


def _named(quantity: Quantity) -> str:
    said = fact_words(quantity.name) if quantity.name in FACTS else quantity_words(quantity.name)
    return f"{said[:1].upper()}{said[1:]}"


def _part(part: Part, *, named: bool) -> Iterator[str]:
    if named:
        yield from ("", _named(part.quantity))
    for branch in part.branches:
        yield ""
        if branch.when:
            yield f"  where {_facts({name: ' or '.join(map(_fact, v)) for name, v in branch.when.items()})}"
        elif len(part.branches) > 1:
            yield "  otherwise"
        if branch.scale.edges:
            yield from (f"  {line}" for line in drawn(branch.scale, part.quantity.unit))
        else:
            yield f"  {READS[branch.scale.verdicts[0]]}"
        if branch.note:
            yield from (f"  {line}" for line in wrapped(branch.note))


def _example(example: Example) -> str:
    values = [f"{quantity_words(name)} {_measured(m)}" for name, m in example.measured.items()]
    borderline = f"{', borderline' * example.borderline}{', as its own source means it' * example.own}"
    missing = f" (not entered: {', '.join(map(fact_words, example.missing))})" if example.missing else ""
    facts = _facts(example.facts) or "nothing entered"
    return f"{', '.join(values) or 'nothing measured'}; {facts} -> {READS[example.verdict]}{borderline}{missing}"


def _measured(measured: Measured) -> str:
    interval = f" ({measured.ci95[0]:g} to {measured.ci95[1]:g})" if measured.ci95 else ""
    return f"{measured.value:g} {unit_words(measured.unit)}{interval}"


def _facts(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{fact_words(name)} = {_fact(value)}" for name, value in facts.items())


def _fact(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _conflicts(rule: Rule, catalogue: Catalogue) -> Iterable[str]:
    if not rule.conflicts:
        return
    yield "Sources that say otherwise"
    for conflict in (catalogue.conflicts[name] for name in rule.conflicts):
        yield from (f"  {line}" for line in wrapped(f"{conflict.id}  {conflict.title}. {conflict.positions}"))
    for other in catalogue.disputing(rule):
        whose = f"the same source; {other.strength}" if other.source == rule.source else attribution(other)
        yield from (f"  {line}" for line in wrapped(f"see {other.id} ({whose})"))


def wrapped(text: str) -> list[str]:
    """Return a text in lines that fit a terminal."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False)
