"""Bands of a number line as text."""

from __future__ import annotations

from collections.abc import Sequence

from planner.guideline.printed import unit_words
from planner.guideline.rule import Edge, Scale
from planner.guideline.words import READS

WIDEST_LINE = 170
"""Characters; bands that would take more stand below one another."""


def drawn(scale: Scale, unit: str) -> list[str]:
    """Return bands as a line: verdicts above it, edges below it, and to which side each edge belongs."""
    said = [READS[word] for word in scale.verdicts]
    widths = [max(len(words) + 2, 12) for words in said]
    if sum(widths) + len(widths) > WIDEST_LINE:
        below = [f"{span}: {words}" for span, words in zip(spans(scale.edges, unit), said, strict=True)]
        return [*below, *_ours(scale)]
    line, ends = "<", " "
    for edge, width in zip(scale.edges, widths, strict=False):
        line += "-" * width + "|"
        ends = ends.ljust(len(line) - 1) + f"{edge.at:g}{_star(edge)}"
    line += "-" * widths[-1] + f">  {unit_words(unit)}"
    lines = [" " + " ".join(words.center(width) for words, width in zip(said, widths, strict=True)).rstrip(), line]
    lines += [ends] if scale.edges else []
    own = dict.fromkeys(f"{e.at:g} {unit_words(unit)} itself: {READS[scale.verdict(e.at)]}" for e in scale.edges)
    return [*lines, *([f"({'; '.join(own)})"] if own else []), *_ours(scale)]


def _ours(scale: Scale) -> list[str]:
    own = any(not edge.from_source for edge in scale.edges)
    return ["* this line is ours: the source does not print it"] if own else []


def spans(edges: Sequence[Edge], unit: str) -> list[str]:
    """Return the bands between edges in words, from low to high: "from 5 to below 10 mm"."""
    lows, highs = (None, *edges), (*edges, None)
    return [_span(low, high, unit_words(unit)) for low, high in zip(lows, highs, strict=True)]


def _span(low: Edge | None, high: Edge | None, unit: str) -> str:
    if low is not None and high is not None and low.at == high.at:
        return f"exactly {low.at:g} {unit}"
    said = []
    if low is not None:
        said.append(f"{'from' if low.belongs == 'above' else 'above'} {low.at:g}")
    if high is not None:
        said.append(f"{'up to' if high.belongs == 'below' else 'below'} {high.at:g}")
    return f"{' '.join(said) or 'any value, in'} {unit}"


def _star(edge: Edge) -> str:
    return "" if edge.from_source else "*"
