"""From a tree to a proposal on disk, and what is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines.isolated import MEMORY_GB, STALL_S
from pipelines.pairing.decide import propose
from pipelines.pairing.proposal import Proposal
from pipelines.pairing.seen import Tree
from pipelines.pairing.series import series_of
from pipelines.pairing.tree import index_tree
from pipelines.pairing.writing import AMBIGUOUS, MANIFEST, require_absent, writable_only, write
from planner.errors import InputError
from planner.report.counts import counted

NUMBERS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Paired:
    """A tree, what was proposed of it, and the manifest."""

    tree: Tree
    proposal: Proposal
    manifest: Path


def pair_tree(
    root: Path, out: Path, cache_folder: Path | None, observe: Callable[[int, int], None] = lambda _done, _of: None
) -> Paired:
    """Index the tree `root`, decide what can be decided, and write the proposal to `out`.

    Raises
    ------
    planner.errors.InputError
        There is no tree, no image in it, or `out` lies in it.
    planner.errors.OutputError
        `out` holds a proposal already, or cannot be written.
    """
    require_absent(out, root)
    tree = index_tree(root, cache_folder, observe)
    at = Path(tree.root)
    proposal = writable_only(propose(series_of(tree)), at)
    if not proposal.pairs and not proposal.undecided:
        broken = len(tree.broken())
        more = f"; {counted(broken, 'file')} of {len(tree.files)} cannot be read" if broken else ""
        raise InputError(f"DICOM_ROOT: holds no CT or MR image series{more}{_ended(tree)}", code="no-image")
    write(out, proposal, at)
    return Paired(tree, proposal, out / MANIFEST)


def notes(tree: Tree) -> tuple[str, ...]:
    """Return what a person should know of how the tree was read; files by their numbers, never by their names."""
    found = []
    broken = tree.broken()
    if broken:
        more = "" if len(broken) <= NUMBERS_SHOWN else f" and {len(broken) - NUMBERS_SHOWN} more"
        numbers = ", ".join(map(str, broken[:NUMBERS_SHOWN]))
        found.append(
            f"{counted(len(broken), 'file')} of {len(tree.files)} cannot be read: number {numbers}{more} in the order"
            " of paths, left out; a review of a folder that holds such a file refuses it"
        )
    if tree.ended:
        found.append(f"reading did not go on in time, crashed or took too much memory{_ended(tree)}")
    if tree.passed_over:
        found.append(
            f"{counted(tree.passed_over, 'entry', 'entries')} of the tree passed over: pipes, devices, links that lead"
            " nowhere; a review of a folder with such a link refuses it"
        )
    if tree.unread_folders:
        found.append(f"{counted(tree.unread_folders, 'folder')} could not be listed")
    if tree.cache:
        found.append(f"the cache could not be written: {tree.cache}")
    return tuple(found)


def _ended(tree: Tree) -> str:
    """Return at how many files reading came to an end, and what sets its limits."""
    if not tree.ended:
        return ""
    return f" (at {counted(tree.ended, 'file')}; {STALL_S} and {MEMORY_GB} set the limits)"


def summary(paired: Paired) -> str:
    """Return what was found, in a few lines."""
    tree, proposal = paired.tree, paired.proposal
    dicom = sum(f.head.kind not in ("none", "broken") for f in tree.files)
    patients = len({u.patient for u in proposal.undecided if u.patient})
    lines = [
        f"{counted(len(proposal.pairs), 'pair')} proposed; undecided: {counted(patients, 'patient')}"
        f" and {_nobody(proposal)} without PatientID"
        f" ({counted(len(tree.files), 'file')}, {dicom} DICOM, {counted(proposal.patients, 'patient')})"
    ]
    reasons = Counter((u.code, u.reason if _few(proposal, u.code) else "") for u in proposal.undecided)
    lines += [
        f"{count:>5} x {code}{f': {reason}' if reason else ''}"
        for (code, reason), count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    if proposal.undecided:
        lines.append(f"Candidates with their points: {AMBIGUOUS}. What you add to {MANIFEST} counts.")
    return "\n".join(lines)


def _nobody(proposal: Proposal) -> str:
    return counted(sum(not u.patient for u in proposal.undecided), "study", "studies")


def _few(proposal: Proposal, code: str) -> bool:
    """Return whether all entries of a code have one reason."""
    return len({u.reason for u in proposal.undecided if u.code == code}) == 1
