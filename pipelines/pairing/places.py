"""Where a series lies: in the body, by its slices, and in the tree, by its files."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from pipelines.pairing.seen import File

AXIAL_COSINE = 0.9
"""Slices whose normal leans from the body's axis by no more than this (26 degrees) are axial: a gantry tilt is."""

SAME_POSITION_MM = 0.01
INSIDE_MM = 1.0
"""A mask may reach out of the box of voxel centres by this."""


def lies_inside(inner: Sequence[float], outer: Sequence[float]) -> bool:
    """Return whether a box lies in another one, or nothing is known of that."""
    if not outer:
        return True
    low = all(a >= b - INSIDE_MM for a, b in zip(inner[:3], outer[:3], strict=True))
    return low and all(a <= b + INSIDE_MM for a, b in zip(inner[3:], outer[3:], strict=True))


def _normal(orientation: Sequence[float]) -> tuple[float, float, float] | None:
    if len(orientation) != 6:
        return None
    a, b, c, d, e, f = orientation
    return b * f - c * e, c * d - a * f, a * e - b * d


def is_axial(orientation: Sequence[float]) -> bool | None:
    """Return whether slices of an ImageOrientationPatient are axial; None where it is unknown."""
    normal = _normal(orientation)
    return None if normal is None else abs(normal[2]) >= AXIAL_COSINE


def places_mm(files: Sequence[File]) -> list[float]:
    """Return the different positions along the slices' normal, sorted, mm; none where they are unknown."""
    normal = _normal(files[0].head.orientation)
    if normal is None or not all(f.origin_mm for f in files):
        return []
    along = sorted(sum(n * x for n, x in zip(normal, f.origin_mm, strict=True)) for f in files)
    kept = along[:1]
    kept += [b for a, b in pairwise(along) if b - a > SAME_POSITION_MM]
    return kept


def box_mm(files: Sequence[File]) -> tuple[float, ...]:
    """Return where the voxel centres of a series lie: least and greatest x, y, z, LPS; empty where unknown."""
    corners = []
    for file in files:
        head = file.head
        if not (file.origin_mm and len(head.orientation) == 6 and head.spacing_mm):
            return ()
        across = [v * head.spacing_mm[1] * (head.columns - 1) for v in head.orientation[:3]]
        down = [v * head.spacing_mm[0] * (head.rows - 1) for v in head.orientation[3:]]
        for u, v in ((0, 0), (0, 1), (1, 0), (1, 1)):
            corners.append([o + u * a + v * d for o, a, d in zip(file.origin_mm, across, down, strict=True)])
    axes = list(zip(*corners, strict=True))
    return (*(min(a) for a in axes), *(max(a) for a in axes))


def folder_of(files: Sequence[File], sops: set[str]) -> str:
    """Return the innermost folder that holds a copy of every file of a series."""
    parents = [os.path.dirname(f.path) for f in files]  # noqa: PTH120 - a Path for each takes many times as long
    if len(set(parents)) == 1:
        return parents[0]
    holds: dict[str, set[str]] = defaultdict(set)
    count: Counter[str] = Counter()
    for file, parent in zip(files, parents, strict=True):
        above = parent
        while True:
            holds[above].add(file.sop or file.path)
            count[above] += 1
            if not above:
                break
            above = os.path.dirname(above)  # noqa: PTH120
    whole = [folder for folder, held in holds.items() if len(held) == len(sops)]
    return min(whole, key=lambda folder: (count[folder], -folder.count(os.sep), -len(folder), folder))
