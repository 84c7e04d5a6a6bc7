"""What `ablation rules` shows of the catalogue and of the published figures: listed, explained, or as plain values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipelines.catalogue import (
    packaged_baselines,
    packaged_catalogue,
    packaged_comparisons,
    packaged_hazards,
    packaged_systems,
)
from pipelines.site_rules import site_examples
from planner.errors import UsageError, quoted
from planner.evidence.baseline import Baseline
from planner.evidence.comparison import Comparison
from planner.evidence.hazard import Hazard
from planner.facts import FACTS, TOPICS, nearest
from planner.guideline import plain
from planner.guideline.catalogue import Catalogue, Conflict
from planner.guideline.entry import Advisory, Entry, Omitted, Reference
from planner.guideline.explain import explained
from planner.guideline.explain_entry import explained_conflict, explained_entry, explained_omitted
from planner.guideline.explain_risk import (
    baselines_table,
    comparisons_table,
    explained_baseline,
    explained_comparison,
    explained_hazard,
)
from planner.guideline.listing import beside, facts_text, hazards_table, listed
from planner.guideline.rule import Rule
from planner.guideline.selection import Wanted, selected
from planner.guideline.systems import System


@dataclass(frozen=True)
class Shown:
    """A choice of the catalogue and of the published figures."""

    catalogue: Catalogue
    statements: tuple[Rule | Entry, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    omitted: tuple[Omitted, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    systems: tuple[System, ...] = ()

    def listed(self, wanted: Wanted) -> str:
        """Return the list: statements alone where words chose them, else with figures, cohorts and facts."""
        parts = [listed(self.statements, wanted)]
        if not wanted.given:
            parts += [
                beside(self.conflicts, self.omitted), hazards_table(self.hazards),
                comparisons_table(self.comparisons), baselines_table(self.baselines),
                facts_text(self.statements, self.hazards), _closing(),
            ]  # fmt: skip
        return "\n".join(parts)

    def explained(self, ids: Iterable[str]) -> str:
        """Return what is known of each id, in the order of the ids."""
        found = _explanations(self)
        return "\n".join(found[name]() for name in dict.fromkeys(map(str.upper, ids)))

    def document(self) -> dict[str, Any]:
        """Return everything as plain values, and the facts."""
        of, stated = self.catalogue, self.statements
        return {
            "facts": [plain.fact_document(fact, topic) for topic, facts in TOPICS.items() for fact in facts],
            "rules": [plain.rule_document(one, of) for one in stated if isinstance(one, Rule)],
            "references": [plain.reference_document(one, of) for one in stated if isinstance(one, Reference)],
            "advisories": [plain.advisory_document(one, of) for one in stated if isinstance(one, Advisory)],
            "conflicts": [plain.conflict_document(conflict, of) for conflict in self.conflicts],
            "omitted": [plain.omitted_document(omitted) for omitted in self.omitted],
            "systems": [plain.system_document(system) for system in self.systems],
            "models": [plain.hazard_document(hazard) for hazard in self.hazards],
            "comparisons": [plain.comparison_document(comparison) for comparison in self.comparisons],
            "baselines": [plain.baseline_document(baseline) for baseline in self.baselines],
        }


def everything() -> Shown:
    """Return all there is."""
    held = packaged_catalogue()
    return Shown(
        held, held.statements, tuple(held.conflicts.values()), held.omitted, packaged_hazards(),
        packaged_comparisons(), packaged_baselines(), packaged_systems(),
    )  # fmt: skip


def of_words(wanted: Wanted) -> Shown:
    """Return the statements that words choose, with the conflicts that they take part in.

    Raises
    ------
    UsageError
        A word is not known.
    """
    held = packaged_catalogue()
    found = selected(held.statements, wanted)
    named_in = {name for stated in found for name in stated.conflicts}
    return Shown(held, found, tuple(one for name, one in held.conflicts.items() if name in named_in))


def named(ids: Iterable[str]) -> Shown:
    """Return what ids name, whatever their case.

    Raises
    ------
    UsageError
        There is nothing of an id; the nearest is named.
    """
    all_there_is = everything()
    known = _explanations(all_there_is)
    wanted = [name.upper() for name in ids]
    for unknown in (name for name in wanted if name not in known):
        near = nearest(re.sub(r"-(\d)$", r"-0\1", unknown), known)  # CO-5 means CO-05
        raise UsageError(f"{quoted(unknown)} is not in the catalogue{near}", code="unknown-rule")
    return Shown(
        all_there_is.catalogue,
        tuple(one for one in all_there_is.statements if one.id in wanted),
        tuple(one for one in all_there_is.conflicts if one.id in wanted),
        tuple(one for one in all_there_is.omitted if one.id in wanted),
        tuple(one for one in all_there_is.hazards if one.id in wanted),
        tuple(one for one in all_there_is.comparisons if one.id in wanted),
        tuple(one for one in all_there_is.baselines if one.name.upper() in wanted),
    )


def _explanations(shown: Shown) -> Mapping[str, Callable[[], str]]:
    """Return by id, in capitals, what explains each."""
    of = shown.catalogue
    found: dict[str, Callable[[], str]] = {}
    for stated in shown.statements:
        if isinstance(stated, Rule):
            found[stated.id] = partial(explained, stated, of)
        elif isinstance(stated, Reference | Advisory):
            found[stated.id] = partial(explained_entry, stated, of)
    found |= {conflict.id: partial(explained_conflict, conflict, of) for conflict in shown.conflicts}
    found |= {omitted.id: partial(explained_omitted, omitted) for omitted in shown.omitted}
    found |= {hazard.id: partial(explained_hazard, hazard) for hazard in shown.hazards}
    found |= {comparison.id: partial(explained_comparison, comparison) for comparison in shown.comparisons}
    return found | {baseline.name.upper(): partial(explained_baseline, baseline) for baseline in shown.baselines}


def _closing() -> str:
    return (
        "ablation rules ID (or NAME) explains one of them; X1, X2, ... where sources disagree.\n"
        "--source, --primary, --phase, --about and --question list fewer.\n"
        f"--template prints a case.toml with all {len(FACTS)} facts to fill in, --schema its JSON Schema.\n"
        f"--site-example {' or '.join(site_examples())} prints an example of a site's own rules.\n"
    )
