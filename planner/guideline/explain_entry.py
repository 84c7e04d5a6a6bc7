"""Statements that are never judged explained as text, and what every explanation holds: source, scope, conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.guideline.catalogue import Catalogue, Conflict
from planner.guideline.columns import columns, wrapped
from planner.guideline.drawn import spans
from planner.guideline.entry import Advisory, Figure, Omitted, Reference, Strata
from planner.guideline.rule import Rule
from planner.guideline.speaks import ABOUT, Statement, asks, judged_words, kind_words, phase_words, primary_words
from planner.guideline.words import attribution, cited, fact_words, quantity_words

_FIGURES = ("What", "Figure", "95 % interval", "n", "p")


def heading(stated: Statement) -> list[str]:
    """Return a statement's id, title, and what it says."""
    return [*wrapped(f"{stated.id}  {asks(stated)} ({kind_words(stated)})"), *wrapped(stated.statement)]


def standing(stated: Statement) -> list[str]:
    """Return a statement's source with year and strength, what it is about, and which command takes it up."""
    own = "" if stated.strength_stated else " The strength is in our words: the source states no level here."
    return [
        *wrapped(f"Source: {cited(stated)}{own}"),
        *wrapped(f"About: {ABOUT[stated.about]}. Phase: {phase_words(stated.phase)}. {judged_words(stated)}"),
    ]


def remarks(stated: Statement, catalogue: Catalogue) -> list[str]:
    """Return exceptions, note, later statements and conflicts, each after an empty line."""
    lines: list[str] = []
    for title, text in (("Exceptions", stated.exceptions), ("Note", stated.note)):
        lines += ["", *wrapped(f"{title}: {text}")] if text else []
    if isinstance(stated, Rule) and stated.superseded_by:
        lines += ["", "Later statements, to be read beside it"]
        lines += [line for name in stated.superseded_by for line in _see(_found(name, catalogue), stated)]
    if stated.conflicts:
        lines += ["", "Sources that say otherwise"]
        for conflict in (catalogue.conflicts[name] for name in stated.conflicts):
            lines += wrapped(f"{conflict.id}  {conflict.title}. {conflict.positions}", "  ")
            others = [one for one in catalogue.disputing(stated) if conflict.id in one.conflicts]
            lines += [line for other in others for line in _see(other, stated)]
    return lines


def entered_words(names: Iterable[str]) -> str:
    """Return facts in words, each with the name to enter it by."""
    return ", ".join(f"{fact_words(name)} (entered as {name})" for name in names)


def explained_entry(entry: Reference | Advisory, catalogue: Catalogue) -> str:
    """Return everything that the catalogue holds about published numbers or advice."""
    lines = [*heading(entry), "", *standing(entry)]
    lines += wrapped(f"Speaks of: primary tumour {primary_words(entry.primary)}.")
    resting = [*map(quantity_words, entry.measured), *([entered_words(entry.entered)] if entry.entered else [])]
    lines += wrapped(f"Belongs beside: {', '.join(resting)}.") if resting else []
    if isinstance(entry, Reference):
        lines += ["", *_figures(entry)]
    return "\n".join([*lines, *remarks(entry, catalogue)]).rstrip() + "\n"


def explained_omitted(omitted: Omitted) -> str:
    """Return why an entry is left out."""
    return "\n".join(wrapped(f"{omitted.id}  Left out. {omitted.source}: {omitted.reason}")) + "\n"


def explained_conflict(conflict: Conflict, catalogue: Catalogue) -> str:
    """Return where sources disagree: the positions, and every statement that takes part."""
    lines = [*wrapped(f"{conflict.id}  {conflict.title}"), *wrapped(conflict.positions), ""]
    lines += ["The statements side by side; none of them outweighs another"]
    parties = [stated for stated in catalogue.statements if conflict.id in stated.conflicts]
    for stated in parties:
        lines += wrapped(f"{stated.id}  {asks(stated)} ({kind_words(stated)}). {attribution(stated)}", "  ")
    return "\n".join(lines) + "\n"


def _found(name: str, catalogue: Catalogue) -> Statement:
    """Return the statement of an id, or the rule of a site that stands in its place."""
    return next(
        stated
        for stated in catalogue.statements
        if stated.id == name or (isinstance(stated, Rule) and stated.overrides == name)
    )


def _see(other: Statement, beside: Statement) -> list[str]:
    whose = f"the same source; {other.strength}" if other.source == beside.source else attribution(other)
    return wrapped(f"see {other.id} ({whose})", "  ")


def _figures(entry: Reference) -> Iterator[str]:
    yield from wrapped(f"Population: {entry.population}.")
    yield from wrapped(f"Endpoint: {entry.endpoint}.")
    if entry.disputed:
        yield "Disputed: the source contradicts itself here."
    if entry.strata is not None:
        yield from wrapped(_strata(entry.strata))
    strata = dict.fromkeys(figure.stratum for figure in entry.figures)
    yield ""
    head = ("Row", *_FIGURES) if any(strata) else _FIGURES
    rows = [(*((figure.stratum or "all",) if any(strata) else ()), *_figure(figure)) for figure in entry.figures]
    used = [n for n in range(len(head)) if n < len(head) - 3 or any(row[n] for row in rows)]
    widest = (24, 48, 44) if any(strata) else (56, 44)
    yield from columns([head[n] for n in used], [[row[n] for n in used] for row in rows], widest)


def _strata(strata: Strata) -> str:
    labels = zip(strata.labels, spans(strata.edges, strata.quantity.unit), strict=True)
    said = "; ".join(f"{label} ({span})" for label, span in labels)
    return f"Split by {quantity_words(strata.quantity.name)}: {said}."


def _figure(figure: Figure) -> tuple[str, ...]:
    """Return a published number as the cells of a table."""
    unit = f" {figure.unit}" if figure.unit else ""
    said = [] if figure.value is None else [f"{figure.value:g}{unit}"]
    said += [] if figure.ends is None else [f"{figure.ends[0]:g} to {figure.ends[1]:g}{unit}"]
    said += [figure.text] if figure.text else []
    interval = "" if figure.ci95 is None else f"{figure.ci95[0]:g} to {figure.ci95[1]:g}"
    return figure.what, "; ".join(said), interval, "" if figure.n is None else str(figure.n), figure.p
