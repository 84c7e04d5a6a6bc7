"""The roles of what was drawn on a series: as a review will find them, or why it would refuse them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.pairing.seen import Part
from pipelines.pairing.series import Drawn, Series

LESIONS = ("tumour", "ablation")


@dataclass(frozen=True, slots=True)
class Role:
    """A part of a file of masks, and the role it has in a study."""

    drawn: Drawn
    part: Part
    role: str


def roles_of(series: Series) -> tuple[Role, ...]:
    """Return the role of each part drawn on a series; unnumbered lesions of one file are numbered by their order."""
    placed = [(drawn, part) for drawn in series.masks for part in drawn.parts if part.role]
    bare = Counter[str]()
    found = []
    for drawn, part in placed:
        role = part.role
        if role in LESIONS:
            bare[role] += part.lesion == 0
            role = f"{role}_{part.lesion or bare[role]}"
        found.append(Role(drawn, part, role))
    return tuple(found)


def fault_of(series: Series) -> str:
    """Return why the masks of a series have no clear roles; empty where they have."""
    if any(part.unclear for drawn in series.masks for part in drawn.parts):
        return "a mask speaks of a tumour or a zone without saying which"
    for kind in LESIONS:
        bare = [drawn.file.path for drawn in series.masks for p in drawn.parts if p.role == kind and not p.lesion]
        numbered = [p.lesion for p in series.parts(kind) if p.lesion]
        if (bare and numbered) or len(set(bare)) > 1:
            return f"{kind}s without a number lie in several files or beside numbered ones"
    twice = [role for role, count in Counter(r.role for r in roles_of(series)).items() if count > 1]
    return f"{twice[0]} is drawn {_times(twice[0], series)} times" if twice else ""


def lies_in(path: str, folder: str) -> bool:
    """Return whether a file lies in a folder, both relative to the root."""
    return not folder or path.startswith(f"{folder}/")


def outside(series: Series) -> Sequence[Role]:
    """Return the roles whose files a review of the series' folder does not find."""
    return [role for role in roles_of(series) if not lies_in(role.drawn.file.path, series.folder)]


def _times(role: str, series: Series) -> int:
    return sum(r.role == role for r in roles_of(series))
