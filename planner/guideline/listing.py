"""Everything of the catalogue as a list: a line for each statement, by source; relations and facts beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner.evidence.hazard import Hazard
from planner.facts import FACTS, SETTING_FACTS
from planner.guideline.catalogue import Conflict
from planner.guideline.columns import columns, wrapped
from planner.guideline.entry import Omitted
from planner.guideline.rule import Source
from planner.guideline.selection import Wanted
from planner.guideline.speaks import ABOUT, KINDS, Statement, asks, kind_words, phase_words, primary_words, source_words
from planner.guideline.words import fact_words, quantity_words

_HEAD = ("Id", "Kind", "What it says", "Primary tumour", "Phase", "About")


def listed(statements: Sequence[Statement], wanted: Wanted) -> str:
    """Return statements as a table of text, a line each under their source; where none is left, a sentence."""
    if not statements:
        said = ", ".join(f"{name} {word}" for name, word in wanted.given.items())
        return f"Nothing in the catalogue fits {said}.\n"
    rows = [_row(stated) for stated in statements]
    head, rule, *lines = columns(_HEAD, rows)
    by_source: dict[Source, list[str]] = {}
    for stated, line in zip(statements, lines, strict=True):
        by_source.setdefault(stated.source, []).append(line)
    text = [_counts(statements), "", head, rule]
    for source, its_lines in by_source.items():
        text += ["", f"{source_words(source)}: --source {source.key}", *its_lines]
    return "\n".join(text) + "\n"


def _counts(statements: Sequence[Statement]) -> str:
    kinds = [kind_words(stated) for stated in statements]
    sources = len({stated.source for stated in statements})
    said = ", ".join(f"{kinds.count(kind)} {name}" for kind, name in _COUNTED.items() if kind in kinds)
    return f"{len(kinds)} statement{'s' * (len(kinds) != 1)} of {sources} source{'s' * (sources != 1)}: {said}"


_COUNTED = dict(zip(KINDS.values(), ("to check", "with figures", "of advice"), strict=True))


def _row(stated: Statement) -> tuple[str, ...]:
    return (
        stated.id, kind_words(stated), asks(stated), primary_words(stated.primary), phase_words(stated.phase),
        ABOUT[stated.about],
    )  # fmt: skip


def beside(conflicts: Iterable[Conflict], omitted: Iterable[Omitted]) -> str:
    """Return where sources disagree, and what is left out because the source documents lost it."""
    lines = ["Where sources disagree: each position side by side, none outweighs another", ""]
    lines += [f"{conflict.id:<4} {conflict.title}" for conflict in conflicts]
    lost = ", ".join(one.id for one in omitted)
    lines += ["", *wrapped(f"Left out, as the source documents lost their content: {lost}")] if lost else []
    return "\n".join(lines) + "\n"


def hazards_table(hazards: Sequence[Hazard]) -> str:
    """Return the published relations as a table of text, one line each."""
    head = ("Id", "What it says", "Source", "Year", "Primary", "Shown beside", "Facts it may need")
    facts = ", ".join(fact_words(fact.name) for fact in SETTING_FACTS[:3])
    body = [
        (h.id, h.title, h.source.short, str(h.source.year), ", ".join(h.population.primary),
         quantity_words(h.quantity), facts)
        for h in hazards
    ]  # fmt: skip
    return "\n".join(["Published relations, relative only, no verdict", "", *columns(head, body)]) + "\n"


def facts_text(statements: Sequence[Statement], hazards: Sequence[Hazard]) -> str:
    """Return the facts that statements ask for, as they are typed into `[facts]`: what each may be and means."""
    lines = ["Facts, as typed into [facts] of the case file; one that is empty or left out is unknown", ""]
    for fact in FACTS.values():
        asking = [stated.id for stated in statements if fact.name in stated.entered]
        asking += [hazard.id for hazard in hazards if fact in SETTING_FACTS]
        if asking:
            lines += wrapped(f"{fact.name}: {fact.expected}")
            lines += wrapped(f"{fact.definition} Asked by {', '.join(asking)}.", "  ")
    return "\n".join(lines) + "\n"
