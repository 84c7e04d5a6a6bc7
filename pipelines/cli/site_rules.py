"""What a review and a batch are told of a site's own rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from planner.assessment import Assessment
    from planner.guideline.judge import Judged


def rules_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--rules` to a command."""
    return click.option(
        "--rules",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Add the site's own rules in every *.toml of DIR, or put them in place of those that they override; they "
        "are labelled as site policy (`ablation rules --check FILE` proves one).",
    )(command)


def site_lines(assessment: Assessment) -> tuple[str, ...]:
    """Return what a site's own rules say of a case, a line each, labelled as site policy."""
    return tuple(" ".join(_line(judged).split()) for judged in assessment.judged if judged.rule.source.of_site)


def _line(judged: Judged) -> str:
    from planner.guideline.words import attribution, reads, why

    rule = judged.rule
    stands = f", in place of {rule.overrides}" if rule.overrides else ""
    if not judged.here:
        return f"{rule.id}{stands}, {attribution(rule)}: not judged here, {why(judged.case)}"
    said = [
        f"{'the case' if verdict.lesion_id is None else f'lesion {verdict.lesion_id}'} {reads(verdict)}"
        + (f" ({why(verdict)})" if why(verdict) else "")
        for verdict in judged.lesions or (judged.case,)
    ]
    return f"{rule.id}{stands}, {attribution(rule)}: {'; '.join(said)}"
