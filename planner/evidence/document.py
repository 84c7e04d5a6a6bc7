"""Evidence as TOML text: strict tables, and errors that name file, id and reason."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import EvidenceError
from planner.evidence.citation import Citation

LONGEST_TEXT = 1_000_000
"""Characters; a catalogue file of a real source has a few thousand."""


class Table(BaseModel):
    """A table of an evidence file: unknown keys are refused, and values are never converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class CitationTable(Table):
    """Where a statement was published, as in a file."""

    title: str = Field(min_length=1)
    section: str = Field(min_length=1)
    year: int | None = Field(default=None, ge=1900, le=2100)
    authors: str = ""
    published: str = ""
    doi: str = ""
    via: str = ""

    def citation(self) -> Citation:
        """Return the citation."""
        return Citation(self.title, self.section, self.year, self.authors, self.published, self.doi, self.via)


TableT = TypeVar("TableT", bound=Table)


def parsed(text: str, file: str, model: type[TableT]) -> TableT:
    """Return a TOML text as a checked document; `file` names it in errors.

    Raises
    ------
    EvidenceError
        The text is too long or no TOML, or holds an unknown key or a value of the wrong kind.
    """
    if len(text) > LONGEST_TEXT:
        raise EvidenceError(f"{file}: {len(text)} characters, expected at most {LONGEST_TEXT}")
    try:
        stated = tomllib.loads(text)
    except RecursionError as error:
        raise EvidenceError(f"{file}: not TOML: nested too deep") from error
    except ValueError as error:  # what the parser says, and what Python says of a number with thousands of digits
        raise EvidenceError(f"{file}: not TOML: {' '.join(str(error).split())}") from error
    try:
        return model.model_validate(stated)
    except ValidationError as error:
        # A misspelt key is also a missing one: the misspelling says more.
        fault = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        message = "unknown key" if fault["type"] == "extra_forbidden" else fault["msg"]
        raise EvidenceError(f"{file}: {_place(stated, fault['loc'])}: {' '.join(message.split())}") from error


def _place(stated: object, location: Sequence[int | str]) -> str:
    """Return where a fault lies, with the id of the entry where it has one instead of its number."""
    words: list[str] = []
    inside = stated
    for part in location:
        if isinstance(inside, Mapping):
            inside = inside.get(part)
        elif isinstance(inside, list) and isinstance(part, int) and part < len(inside):
            inside = inside[part]
        else:
            inside = None
        name = inside.get("id") if isinstance(inside, Mapping) and isinstance(part, int) else None
        if name:
            words = [*words[:-1], " ".join(str(name).split())]  # instead of "rule" or "model"
        else:
            words.append(f"number {part + 1}" if isinstance(part, int) else part)
    return ", ".join(words) or "the whole"
