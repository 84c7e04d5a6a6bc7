"""Choose statements by source, primary tumour, phase, matter and question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from planner.errors import UsageError, quoted
from planner.facts import PRIMARY, nearest
from planner.guideline.phases import PHASES
from planner.guideline.rule import QUESTIONS, Source
from planner.guideline.speaks import ABOUT, Statement


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which statements are wanted: a word of each kind, or empty where all are.

    `source` is a source's key or a part of its label. A statement for any primary tumour is also one for `primary`.
    """

    source: str = ""
    primary: str = ""
    phase: str = ""
    about: str = ""
    question: str = ""

    @property
    def given(self) -> Mapping[str, str]:
        """The words that were given, by kind."""
        found = {one.name: str(getattr(self, one.name)) for one in fields(self)}
        return {name: word for name, word in found.items() if word}


def selected(statements: Sequence[Statement], wanted: Wanted) -> tuple[Statement, ...]:
    """Return the statements that are wanted, in their order.

    Raises
    ------
    UsageError
        A word is not known; the nearest is named.
    """
    sources = _sources(wanted.source, {stated.source.key: stated.source for stated in statements})
    primary = _known("primary", wanted.primary, map(str, PRIMARY.values))
    phase = _known("phase", wanted.phase, PHASES)
    about = _known("about", wanted.about, ABOUT)
    question = _known("question", wanted.question, QUESTIONS)
    return tuple(
        stated
        for stated in statements
        if stated.source.key in sources
        and (not primary or not stated.primary or primary in stated.primary)
        and (not phase or phase in stated.phase)
        and about in ("", stated.about)
        and question in ("", stated.question)
    )


def _known(kind: str, word: str, known: Iterable[str]) -> str:
    """Return a word as it is registered, whatever its case and whether blanks or strokes join its parts."""
    words = tuple(known)
    said = _plain(word)
    if said and said not in words:
        raise UsageError(f"{kind} {quoted(word)} is not known{nearest(said, words)}", code="unknown-word")
    return said


def _sources(word: str, sources: Mapping[str, Source]) -> frozenset[str]:
    """Return the keys of the sources that a word names."""
    found = [key for key, one in sources.items() if _plain(word) in (_plain(key), "")]
    found = found or [k for k, one in sources.items() if _plain(word) in _plain(k) or _plain(word) in _plain(one.label)]
    if not found:
        raise UsageError(f"source {quoted(word)} is not known{nearest(_plain(word), sources)}", code="unknown-word")
    return frozenset(found)


def _plain(word: str) -> str:
    return "_".join(word.lower().replace("-", " ").replace("_", " ").split())
