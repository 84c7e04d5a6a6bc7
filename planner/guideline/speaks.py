"""Whom and when a statement speaks of, and which command takes it up, in a reader's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from planner.facts import PRIMARY
from planner.guideline.entry import Advisory, Entry, Reference
from planner.guideline.phases import JUDGES, PHASES, TO_COME, Command, spoken_of_by
from planner.guideline.rule import ASIDE, About, Phase, Rule, Source, SourceKind

Statement = Rule | Entry

KINDS: Mapping[type[Statement], str] = {Rule: "check", Reference: "figures", Advisory: "advice"}
"""What a statement is to a reader: judged, published numbers, or words."""

ABOUT: Mapping[About, str] = {
    "ablation": "ablation",
    "resection": "resection",
    "either": "ablation or resection",
    "systemic": "systemic therapy",
    "imaging": "imaging",
    "organisation": "how care is organised",
}
"""The treatment or matter that a statement speaks of."""

SOURCE_KINDS: Mapping[SourceKind, str] = {
    "guideline": "guideline",
    "consensus": "consensus",
    "rct": "randomised trial",
    "meta_analysis": "meta-analysis",
    "cohort": "cohort",
    "practice": "practice",
    "web_summary": "web page",
    "site": "site policy",
}
"""Kinds of source."""


def kind_words(stated: Statement) -> str:
    """Return whether a statement is a check, figures or advice."""
    return KINDS[type(stated)]


def asks(stated: Statement) -> str:
    """Return a statement's title without the source that it begins with: that stands beside it."""
    title = stated.title.removeprefix(f"{stated.source.label}: ")
    return f"{title[:1].upper()}{title[1:]}"


def primary_words(primary: Iterable[str]) -> str:
    """Return the primary tumours that a statement speaks of; of most of them, those that it leaves out."""
    named = tuple(primary)
    others = [str(value) for value in PRIMARY.values if value not in named]
    if not named or not others:
        return "any"
    if len(others) < len(named):
        return f"any but {' or '.join(others)}"
    return " or ".join(named)


def phase_words(phases: Iterable[Phase]) -> str:
    """Return phases of care as they may be typed, with blanks."""
    return ", ".join(phase.replace("_", " ") for phase in phases)


def source_words(source: Source) -> str:
    """Return a source's name, year, kind, and whether a later one stands in its place or nobody signs for it."""
    year = "undated" if source.citation.year is None else str(source.citation.year)
    later = ", superseded" if source.status == "superseded" else ""
    return f"{source.label}, {year} ({SOURCE_KINDS[source.kind]}{', unsigned' if source.unsigned else ''}{later})"


def commands_of(stated: Statement) -> tuple[Command, ...]:
    """Return the commands that take a statement up, by the phases that it speaks of."""
    geometry = bool(stated.measured)
    return tuple(command for command in JUDGES if spoken_of_by(command, stated.phase, geometry=geometry))


def judged_words(stated: Statement) -> str:
    """Return in a sentence which command judges a statement, or shows it, and why none does."""
    later = " (not in this version)"
    commands = " and ".join(f"`ablation {command}`{later * (command in TO_COME)}" for command in commands_of(stated))
    spoken = " and ".join(PHASES[phase] for phase in stated.phase)
    judged = isinstance(stated, Rule)
    if stated.about in ASIDE:
        held = "it never judges an ablation case" if judged else "it is not shown beside an ablation case"
        return f"It {ASIDE[stated.about]}: {held}."
    if not commands:
        return f"It speaks of {spoken}: no command {'judges' if judged else 'shows'} that."
    return f"{'Judged' if judged else 'Shown, never judged,'} by {commands}: it speaks of {spoken}."
