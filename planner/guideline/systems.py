"""Every guideline, trial, treatment and method that the source documents name, and what they hold of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from planner.errors import EvidenceError
from planner.evidence.document import Table, parsed
from planner.facts import nearest

SystemKind = Literal[
    "guideline", "consensus", "web_summary", "patient_page", "classification", "method", "scale", "randomised_trial",
    "diagnostic_trial", "trial", "meta_analysis", "cohort", "registry", "device_modality", "technique",
    "other_treatment", "imaging",
]  # fmt: skip
EntryKind = Literal["check", "reference", "advisory", "content_lost"]
SystemStatus = Literal[EntryKind, "named_only"]

STRONGEST_FIRST: tuple[EntryKind, ...] = ("check", "reference", "advisory", "content_lost")
"""The kind of entry that a system's status names, where it has entries of several kinds."""


@dataclass(frozen=True, slots=True)
class System:
    """A named guideline, trial, treatment or method.

    Parameters
    ----------
    name, kind
        What it is called, and what it is.
    scope
        Whom or what it speaks of, with the level of the statement where it has one; empty where nothing is said.
    entries
        Ids of the statements that speak of it.
    held
        What the source documents hold of it.
    status
        The strongest kind among its entries; "named_only" without any.
    sources
        Which source documents name it: title and year.
    """

    name: str
    kind: SystemKind
    scope: str
    entries: tuple[str, ...]
    held: str
    status: SystemStatus
    sources: tuple[str, ...]


class _SystemTable(Table):
    name: str = Field(min_length=1)
    kind: SystemKind
    scope: str = ""
    entries: list[str]
    held: str = Field(min_length=1)
    status: SystemStatus
    sources: list[str] = Field(min_length=1)


class _SystemFile(Table):
    schema_version: Literal[1]
    system: list[_SystemTable] = Field(min_length=1)


def load_systems(
    text: str, file: str, known_ids: Collection[str], kinds: Mapping[str, EntryKind] | None = None
) -> tuple[System, ...]:
    """Return the systems of a TOML text, in its order.

    Parameters
    ----------
    text, file
        The text, and what errors call it.
    known_ids
        Ids that entries may have.
    kinds
        Kind of each entry by its id; where it is given, each status must agree with it.

    Raises
    ------
    EvidenceError
        The text is malformed, a name stands twice, an entry is unknown or stands twice, or a status does not agree.
    """
    rows = parsed(text, file, _SystemFile).system
    for number, row in enumerate(rows, start=1):
        place = f"{file}: system {number}, {row.name}"
        if row.name in {other.name for other in rows[: number - 1]}:
            raise EvidenceError(f"{place}: this name is given to two systems")
        _require_entries(row.entries, known_ids, place)
        if kinds is not None and (status := status_of(row.entries, kinds)) != row.status:
            raise EvidenceError(f"{place}: status {row.status}, its entries make it {status}")
    return tuple(
        System(row.name, row.kind, row.scope, tuple(row.entries), row.held, row.status, tuple(row.sources))
        for row in rows
    )


def status_of(entries: Collection[str], kinds: Mapping[str, EntryKind]) -> SystemStatus:
    """Return the status of a system with these entries, each with a kind."""
    found = {kinds[entry] for entry in entries}
    return next((kind for kind in STRONGEST_FIRST if kind in found), "named_only")


def _require_entries(entries: list[str], known_ids: Collection[str], place: str) -> None:
    for number, entry in enumerate(entries):
        if entry not in known_ids:
            raise EvidenceError(f"{place}: entry '{entry}' is not known{nearest(entry, known_ids)}")
        if entry in entries[:number]:
            raise EvidenceError(f"{place}: entry {entry} stands twice")
