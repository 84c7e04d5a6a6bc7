"""What a finished review leaves to a further plan: its tumours in POST, the zones that were made, and its error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.formats.voxel_file import read_voxel_file, safe_name
from pipelines.limits import small_content_of
from pipelines.store.folder import RESULT
from pipelines.study import StudyIntake
from planner.case import Case, Study
from planner.errors import InputError, located
from planner.plan.kept import Kept

TUMOURS = "tumour_registered.nii.gz"
MOST_BYTES = 100_000_000

MOVED = (
    "the tumours are those that the review moved to this scan, on its lattice: margins may differ from the review's by"
    " a part of a voxel"
)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """The study with the review's tumours in it, the zones that were made, and what a reader must know."""

    study: Study
    kept: Kept
    notes: tuple[str, ...]


def left_by(out: Path, post: StudyIntake) -> Left:
    """Return what a review leaves to a further plan on the scan after the ablation.

    Parameters
    ----------
    out
        The folder of the finished review.
    post
        POST as read: it must be the one that was reviewed, with the same zones.

    Raises
    ------
    InputError
        The folder holds no finished review, or one of another POST or of other zones.
    """
    with located(safe_name(out)):
        if not (out / RESULT).is_file():
            raise InputError("--from: no result.json there, expected the folder of a finished review", code="no-result")
        document = _document(out / RESULT)
        _require_same(document, post)
        file = read_voxel_file(out / TUMOURS)
        lesions = {str(one["lesion_id"]): one for one in document["lesions"]}
        usable = {lesion_id: one for lesion_id, one in lesions.items() if one["status"] != "not_assessable"}
        present = {lesion_id for lesion_id in usable if int(lesion_id) in file.labels()}
        masks = {f"tumour_{n}": file.mask(f"tumour_{n}", [int(n)]) for n in sorted(present, key=int)}
    for mask in masks.values():
        if not mask.grid.same_lattice(post.study.image.grid):
            raise InputError("--from: its tumours lie on another lattice than POST", code="other-review")
    kept_masks = {role: mask for role, mask in post.study.masks.items() if not role.startswith("tumour_")}
    notes = [MOVED]
    notes += [
        f"lesion {n}: its registration failed the gate: nothing is planned for it" for n in lesions if n not in usable
    ]
    notes += [f"lesion {n}: the review's tumour holds no voxel of POST" for n in usable if n not in present]
    pairs = {n: tuple(str(zone) for zone in usable[n]["zones"]) for n in sorted(present, key=int)}
    errors = [usable[n].get("registration_error_mm") or 0.0 for n in present]
    kept = Kept(post.study.ablations, pairs, max(errors, default=0.0))
    return Left(replace(post.study, masks={**kept_masks, **masks}), kept, tuple(notes))


def _document(path: Path) -> Json:
    content = small_content_of(path, "--from: result.json", MOST_BYTES)
    try:
        document = json.loads(content)
        lesions = document["lesions"]
        if document.get("kind") is not None or not all(str(one["lesion_id"]).isdigit() for one in lesions):
            raise KeyError("lesions")
        [(one["status"], list(one["zones"])) for one in lesions]
        dict(document["provenance"]["inputs_sha256"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError("--from: holds no result of one review", code="no-result") from error
    return dict(document)


def _require_same(document: Json, post: StudyIntake) -> None:
    """Raise unless POST and its zones are those that were reviewed, by their content."""
    then = document["provenance"]["inputs_sha256"]
    asked = ["image", *(role for role in post.sha256 if role.startswith("ablation_"))]
    zones = {key for key in then if str(key).startswith("post/ablation_")}
    same = all(then.get(f"post/{name}") == post.sha256.get(name) for name in asked)
    if not same or zones != {f"post/{name}" for name in asked[1:]}:
        raise InputError(
            "--from: the review is of another POST or of other zones, expected the study that was reviewed",
            code="other-review",
        )


def with_left(case: Case, left: Left) -> Case:
    """Return the case of a further plan: the study after the ablation is its planning scan."""
    return replace(case, pre=left.study, post=left.study, notes=(*case.notes, *left.notes))
