"""A proposal that lies there from an earlier call, and may have been edited since: it wins."""

from __future__ import annotations

import csv
import hashlib
import os
from pathlib import Path

from pipelines.pairing.writing import AMBIGUOUS, MANIFEST, TREE
from planner.errors import InputError

PAIRS = "pairs"
"""The folder in a batch's OUT where the proposal for a tree is kept."""


def tree_mark(root: Path) -> str:
    """Return what stands for a tree in its proposal: a hash of its path."""
    return hashlib.sha256(os.fsencode(root.resolve())).hexdigest()


def kept_manifest(pairs: Path, root: Path) -> Path | None:
    """Return the manifest of an earlier proposal for a tree, or None where there is none.

    Raises
    ------
    InputError
        The proposal is of another tree.
    """
    if not (pairs / MANIFEST).is_file():
        return None
    try:
        mark = (pairs / TREE).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        mark = ""
    if mark != tree_mark(root):
        said = f"OUT/{pairs.name} holds the proposal for another tree; give its manifest, or another OUT"
        raise InputError(said, code="other-tree")
    return pairs / MANIFEST


def open_entries(pairs: Path) -> int:
    """Return how many lines the list of what is undecided still has: whoever settles one removes it."""
    try:
        with (pairs / AMBIGUOUS).open(encoding="utf-8-sig", newline="") as stream:
            return max(0, sum(1 for row in csv.reader(stream) if any(row)) - 1)
    except (OSError, ValueError, csv.Error):
        return 0
