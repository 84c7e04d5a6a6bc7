"""The catalogue: every statement of the sources, rules, numbers and advice, in the order of their sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from pydantic import Field

from planner.errors import EvidenceError
from planner.evidence.document import Table, parsed
from planner.facts import nearest
from planner.guideline.entry import Advisory, Entry, Omitted, Reference
from planner.guideline.loading import load_file
from planner.guideline.rule import Rule
from planner.guideline.tables import OmittedFile

StatedT = TypeVar("StatedT", Rule, Reference, Advisory)

KINDS = ("guideline", "consensus", "rct", "meta_analysis", "cohort", "practice", "web_summary", "site")
"""Kinds of source in the order in which they are shown; among signed and unsigned ones apart."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Where sources disagree: each one's position side by side, never merged."""

    id: str
    title: str
    positions: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that the sources say, in their order (guidelines and trials first, unsigned ones last).

    Parameters
    ----------
    rules
        What is judged.
    conflicts
        Where sources disagree, by id.
    references, advisories
        What is shown and never judged.
    omitted
        What the source documents lost.
    """

    rules: tuple[Rule, ...]
    conflicts: Mapping[str, Conflict]
    references: tuple[Reference, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    omitted: tuple[Omitted, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all rules."""
        return tuple(rule.id for rule in self.rules)

    @property
    def statements(self) -> tuple[Rule | Entry, ...]:
        """Rules, references and advisories, in the order of their sources."""
        return tuple(sorted((*self.rules, *self.references, *self.advisories), key=source_order))

    def rule(self, rule_id: str) -> Rule:
        """Return a rule by its id.

        Raises
        ------
        EvidenceError
            There is none; the nearest id is named.
        """
        found = next((rule for rule in self.rules if rule.id == rule_id), None)
        if found is None:
            raise EvidenceError(f"rule '{rule_id}' is not in the catalogue{nearest(rule_id, self.ids)}")
        return found

    def disputing(self, stated: Rule | Entry) -> tuple[Rule | Entry, ...]:
        """Return the other statements that share a conflict with this one."""
        return tuple(
            other for other in self.statements if other.id != stated.id and set(other.conflicts) & set(stated.conflicts)
        )


class _ConflictTable(Table):
    id: str = Field(pattern=r"^X[0-9]+$")
    title: str = Field(min_length=1)
    positions: str = Field(min_length=1)


class _ConflictFile(Table):
    conflict: list[_ConflictTable] = Field(min_length=1)


def load_catalogue(files: Mapping[str, str], conflicts: str, omitted: str = "") -> Catalogue:
    """Return the statements of several TOML texts.

    Parameters
    ----------
    files
        File name -> text, one per source.
    conflicts
        Text of the conflicts between sources.
    omitted
        Text of what is left out.

    Raises
    ------
    EvidenceError
        A text or an entry is malformed, an id is given twice, a later entry that one names is not there, or an example
        does not have the verdict it states.
    """
    known = load_conflicts(conflicts, "conflicts.toml")
    left_out = tuple(Omitted(o.id, o.source, o.reason) for o in parsed(omitted, "omitted.toml", OmittedFile).omitted)
    loaded = []
    taken = {one.id: "omitted.toml" for one in left_out}
    for name, text in sorted(files.items()):
        loaded.append(load_file(text, name, known))
        _take([stated.id for part in loaded[-1] for stated in part], name, taken)
    if site := next((rule for rules, _, _ in loaded for rule in rules if rule.source.of_site), None):
        raise EvidenceError(f"{site.id}: a site's policy is no source document: give it by --rules")
    found = Catalogue(
        _ordered(rule for rules, _, _ in loaded for rule in rules),
        known,
        _ordered(reference for _, references, _ in loaded for reference in references),
        _ordered(advisory for _, _, advisories in loaded for advisory in advisories),
        left_out,
    )
    _require_successors(found.rules, found, taken)
    return found


def with_site(catalogue: Catalogue, files: Mapping[str, str], reserved: Iterable[str] = ()) -> Catalogue:
    """Return a catalogue with a site's rules: those that override one stand for it, the others come last.

    Parameters
    ----------
    catalogue
        Of the source documents.
    files
        File name -> text of the site; every source in it is of kind "site".
    reserved
        Ids that stand for something else: relations, and figures beside them.

    Raises
    ------
    EvidenceError
        A text or a rule is malformed, an id is taken, or a rule overrides one that is not there.
    """
    added: list[Rule] = []
    known = (*(s.id for s in catalogue.statements), *(o.id for o in catalogue.omitted), *reserved)
    taken = dict.fromkeys(known, "the catalogue")
    for name, text in sorted(files.items()):
        rules, references, advisories = load_file(text, name, catalogue.conflicts)
        everything: tuple[Rule | Entry, ...] = (*rules, *references, *advisories)
        for stated in everything:
            if not stated.source.of_site:
                raise EvidenceError(f"{name}: {stated.id}: source {stated.source.key} must be of kind site")
        if references or advisories:
            first = (*references, *advisories)[0]
            raise EvidenceError(f"{name}: {first.id}: a site's file holds rules only")
        for rule in rules:
            if rule.overrides and rule.overrides not in catalogue.ids:
                near = nearest(rule.overrides, catalogue.ids)
                raise EvidenceError(f"{name}: {rule.id}: overrides {rule.overrides}, which is no rule{near}")
        _take([rule.id for rule in rules], name, taken)
        _take([f"overrides {rule.overrides}" for rule in rules if rule.overrides], name, taken)
        added += rules
    replaced = {rule.overrides for rule in added}
    kept = (rule for rule in catalogue.rules if rule.id not in replaced)
    found = replace(catalogue, rules=_ordered((*kept, *added)))
    _require_successors(added, found, taken)
    return found


def load_conflicts(text: str, file: str) -> Mapping[str, Conflict]:
    """Return the conflicts of a TOML text by id."""
    tables = parsed(text, file, _ConflictFile).conflict
    return MappingProxyType({table.id: Conflict(table.id, table.title, table.positions) for table in tables})


def source_order(stated: Rule | Entry) -> tuple[bool, int, int, str]:
    """Return what orders statements by source: signed before unsigned, then by kind, the older first, then by id."""
    source = stated.source
    return source.unsigned, KINDS.index(source.kind), source.citation.year or 0, stated.id


def _ordered(found: Iterable[StatedT]) -> tuple[StatedT, ...]:
    return tuple(sorted(found, key=source_order))


def _take(ids: Iterable[str], file: str, taken: dict[str, str]) -> None:
    for name in ids:
        if name in taken:
            where = "" if taken[name] == file else f", here and in {taken[name]}"
            raise EvidenceError(f"{file}: {name}: this id is given to two entries{where}")
        taken[name] = file


def _require_successors(rules: Iterable[Rule], catalogue: Catalogue, files: Mapping[str, str]) -> None:
    """Raise unless every later statement that a rule names is there; `files` tells where each rule stands."""
    ids = {stated.id for stated in catalogue.statements}
    for rule in rules:
        for name in rule.superseded_by:
            if name not in ids:
                near = nearest(name, ids)
                raise EvidenceError(f"{files[rule.id]}: {rule.id}: superseded_by {name}, which is no entry{near}")
