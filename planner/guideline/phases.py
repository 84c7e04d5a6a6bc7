"""Which command judges a statement, by the phase of care that it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from planner.guideline.rule import Phase, Rule

Command = Literal["review", "plan"]

PHASES: Mapping[Phase, str] = {
    "eligibility": "eligibility",
    "planning": "planning",
    "board": "the tumour board",
    "procedure": "the procedure",
    "post_procedure": "the scan after the procedure",
    "follow_up": "follow-up",
    "audit": "audit",
}
"""The phases of care, in their order, as a reader sees them."""

JUDGES: Mapping[Command, frozenset[Phase]] = {
    "review": frozenset({"post_procedure", "follow_up", "audit"}),
    "plan": frozenset({"eligibility", "planning", "board"}),
}
"""The phases that a command judges; a review judges the geometry of planning besides."""

TO_COME: frozenset[Command] = frozenset()
"""Commands that this version does not have yet."""


def spoken_of_by(command: Command, phases: Iterable[Phase], *, geometry: bool) -> bool:
    """Return whether a statement of these phases belongs to a command; `geometry`: it rests on something measured."""
    stated = frozenset(phases)
    return bool(stated & JUDGES[command]) or (command == "review" and geometry and "planning" in stated)


def judged_by(command: Command, rule: Rule) -> bool:
    """Return whether a command judges a rule."""
    return spoken_of_by(command, rule.phase, geometry=bool(rule.measured))


def not_here(command: Command, rule: Rule) -> str:
    """Return in words why a command does not judge a rule."""
    spoken = " and ".join(PHASES[phase] for phase in rule.phase)
    others = [other for other in JUDGES if other != command and judged_by(other, rule)]
    if not others:
        return f"speaks of {spoken}: no command judges that"
    later = " (not in this version)" if others[0] in TO_COME else ""
    return f"speaks of {spoken}: `ablation {others[0]}` judges that{later}"
