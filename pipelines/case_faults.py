"""What is wrong with a case file, in words: the place and the nearest known key, never what stands there."""

from __future__ import annotations

import difflib
import re
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from planner.facts import FACTS

_QUOTE = re.compile(r"\(.*\)|(['\"])(?=.*\w).{3,}\1")
"""What the TOML parser quotes of the file: keys, in round brackets too."""

_UNION_MEMBERS = ("bool", "int", "float", "str", "date", "list[")
"""How pydantic names the members of a union in the place of a fault."""


def toml_fault(error: ValueError) -> str:
    """Return a fault of the syntax and its place, without the keys that the parser quotes: they are the user's."""
    said = " ".join(str(error).split())
    place = re.search(r" \(at [a-z0-9 ,]+\)$", said)
    return _QUOTE.sub("...", said[: place.start()]) + place[0] if place else _QUOTE.sub("...", said)


def faults_of(error: ValidationError, document: type[BaseModel]) -> list[tuple[str, str]]:
    """Return every unknown key, else the first fault, each with the key where it is the user's own word."""
    faults = error.errors()
    unknown = [fault for fault in faults if fault["type"] == "extra_forbidden"]
    return [_fault(fault, document) for fault in unknown or faults[:1]]


def _fault(fault: ErrorDetails, document: type[BaseModel]) -> tuple[str, str]:
    """Return where a fault is, what it is and the nearest known key; then the key, if it is the user's own word."""
    if fault["type"] == "extra_forbidden":
        *tables, key = map(_word, fault["loc"])
        within = f" in {', '.join(tables)}" if tables else ""
        return f"unknown key{within}{nearest(key, _keys(fault['loc'][:-1], document))}", key
    place = [p for p in fault["loc"] if not str(p).startswith(_UNION_MEMBERS)]
    words = [_word(p) for p in place]
    if fault["type"] == "missing":
        within = f"{', '.join(words[:-1])}: " if words[:-1] else ""
        return f"{within}'{words[-1]}' is missing", ""
    own = words[1] if words[0] == "facts" and words[1:] and words[1] not in FACTS else ""
    at = "facts" if own else ", ".join(words)
    if len(place) < len(fault["loc"]):
        return f"{at}: a value of this type is not understood", own
    return f"{at}: {' '.join(fault['msg'].removeprefix('Value error, ').split())}", own


def _word(place: int | str) -> str:
    return f"number {place + 1}" if isinstance(place, int) else place


def _keys(location: tuple[int | str, ...], document: type[BaseModel]) -> tuple[str, ...]:
    """Return the known keys at a place in the document."""
    model = document
    for part in location:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            inner = (*get_args(annotation), annotation)
            model = next(a for a in inner if isinstance(a, type) and issubclass(a, BaseModel))
    return tuple(model.model_fields)


def nearest(name: str, known: tuple[str, ...]) -> str:
    """Return the known name nearest to another, else the first known ones, as the end of a sentence."""
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return (
        f", did you mean '{close[0]}'?"
        if close
        else f", known: {', '.join(known[:8])}{'...' if len(known) > 8 else ''}"
    )
