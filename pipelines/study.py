"""One study: its image, its masks by role, and what was noted on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from pipelines.case_file import CaseFile
from pipelines.case_tables import StudyName, StudyTable
from pipelines.dicom.belonging import belonging
from pipelines.dicom.identity import read_identity
from pipelines.dicom.index import Index, index_files
from pipelines.dicom.segmented import read_segments
from pipelines.dicom.series import choose_series, read_series
from pipelines.dicom.walk import cautions_of_files, look_below
from pipelines.formats.folder import images_in, look_into
from pipelines.formats.voxel_file import read_voxel_file, safe_name, suffix_of
from pipelines.limits import is_file, is_folder, within_limits
from pipelines.mask_files import claims_of_files
from pipelines.placed import cropped, outside_note, parts_note
from pipelines.ports import Identity
from pipelines.roles import Claims, Part, claims_of_segments, settle
from pipelines.stated_masks import stated_claims
from planner.case import Study, mask_notes
from planner.caution import Caution
from planner.errors import AmbiguousInputError, EmptyMaskError, InputError, located
from planner.grid import Grid
from planner.report.counts import counted
from planner.volume import Mask, Volume

WHOLE = ("tumour_", "ablation_", "portal_vein", "hepatic_", "ivc")
"""How roles, beside the liver's, begin that are kept on their whole lattice: other structures on what holds them."""

IMAGE_SHARE = 0.7
"""Share of a study's reading time until its image is read, for progress."""

INDEX_SHARE = 0.1
"""Share of a study's reading time until its headers are read."""

Progress = Callable[[str, float], None]
How = Literal["same", "reordered", "own", "absent"]
"""How a mask got into the image's space."""


@dataclass(frozen=True, slots=True, eq=False)
class StudyIntake:
    """A study as read, SHA-256 of its image and masks by role, the patient's hash (empty where unknown), cautions.

    `identity` is who it is of, where that was asked for and DICOM states it.
    `born` is a hash of the patient's date of birth, for comparison alone, empty where unknown.
    """

    study: Study
    sha256: Mapping[str, str]
    patient: str
    cautions: tuple[Caution, ...] = ()
    identity: Identity | None = None
    born: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Placing:
    """A mask in the image's space (None where an empty one counts as absent), how it got there, and notes on it."""

    mask: Mask | None
    how: How
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """An image as read, and what guesses the roles of the masks that came with it, given the parts to leave out.

    `first` is a file of a DICOM image.
    """

    image: Volume
    sha256: str
    patient: str
    notes: tuple[str, ...]
    cautions: tuple[Caution, ...]
    simulated: bool
    guess: Callable[[frozenset[Part]], Claims]
    first: Path | None = None
    scanned_on: date | None = None
    born: str = ""


def read_study(
    path: Path, name: StudyName, case: CaseFile, observe: Progress, *, with_identity: bool = False
) -> StudyIntake:
    """Return the study in a DICOM folder, a folder of NIfTI or NRRD files, or a single image file.

    Raises
    ------
    InputError
        There is no study, several candidates fit, or an image or mask cannot be used; prefixed by PRE or POST.
    """
    with prefixed(name.upper()), within_limits("the study"):
        opened = _open(path, case.study(name), observe)
        image = _as_claimed(opened.image, case.study(name).modality)
        stated, bulk = stated_claims(case, name, opened.image.grid)
        taken = frozenset(c.part for c in (*stated.claims, *bulk.claims))
        claims = settle(stated, bulk, opened.guess(taken))
        sha256, masks, placings = {"image": opened.sha256}, {}, []
        for done, claim in enumerate(claims.claims):
            observe(f"{name}: {claim.role}", IMAGE_SHARE + (1 - IMAGE_SHARE) * done / len(claims.claims))
            with prefixed(claim.origin), located(claim.where):
                loaded = claim.load()
                _require_same_patient(loaded.patient, opened.patient)
                placing = _place(claim.role, loaded.mask, opened.image.grid)
            placings.append(replace(placing, notes=(*loaded.notes, *placing.notes)))
            if placing.mask is not None:
                masks[claim.role], sha256[claim.role] = placing.mask, loaded.sha256
        notes = (*opened.notes, *claims.notes, *_placing_notes(placings))
        day = case.study(name).scanned_on or opened.scanned_on
        notes = (*notes, *_date_note(opened.scanned_on, day))
        study = Study(image, masks, notes, simulated=opened.simulated, scanned_on=day)
        cautions = tuple(Caution(c.code, f"{name.upper()}: {c.text}") for c in opened.cautions)
        identity = read_identity(opened.first) if with_identity and opened.first is not None else None
        return StudyIntake(study, sha256, opened.patient, cautions, identity, opened.born)


def _date_note(seen: date | None, counted: date | None) -> tuple[str, ...]:
    """Return how far the day that the case file states lies from that of the images, where by more than a day."""
    apart = 0 if seen is None or counted is None else abs((counted - seen).days)
    text = f"the scan date of the case file and that of the images lie {apart} days apart: the case file's counts"
    return (text,) if apart > 1 else ()


def _require_same_patient(mask: str, image: str) -> None:
    if mask and image and mask != image:
        raise InputError(
            "states another patient (PatientID) than the image, expected a mask of it", code="different-patients"
        )


def _as_claimed(image: Volume, modality: str) -> Volume:
    """Return the image with the modality that the case file states, where it has none of its own.

    Raises
    ------
    InputError
        It has another one.
    """
    if not modality or image.modality == modality:
        return image
    if image.modality:
        raise InputError(
            f"the image is {image.modality}, the case file states {modality}: is it the right series?",
            code="other-modality",
        )
    return Volume(image.voxels_kji, image.grid, modality)


@contextmanager
def prefixed(what: str) -> Iterator[None]:
    """Put `what` before the message of an InputError that does not begin with it, keeping the rest of the error."""
    try:
        yield
    except InputError as error:
        said = str(error) if str(error).startswith(f"{what}: ") else f"{what}: {error}"
        raise type(error)(said, code=error.code, where=error.where) from error


def _open(path: Path, stated: StudyTable, observe: Progress) -> _Opened:
    if is_file(path):
        return _open_file(path)
    if not is_folder(path):
        raise InputError("no such folder", code="missing", where=f".../{safe_name(path)}")
    found = look_below(path)
    index = index_files(list(found.files), lambda k, n: observe("headers", INDEX_SHARE * k / n))
    images = images_in(path)
    if index.instances or not images:
        found.require_inside()
    if not index.instances:
        return _open_voxel_folder(path, sum(1 for p in found.outside if suffix_of(p)))
    if images:
        raise AmbiguousInputError(f"the folder holds DICOM and {images[0].name}, either may be the image")
    return _open_dicom(index, found.notes, stated, observe)


def _open_file(path: Path) -> _Opened:
    if not suffix_of(path):
        raise InputError(
            "the file: expected a folder, or a NIfTI or NRRD image file",
            code="unknown-format",
            where=f".../{safe_name(path)}",
        )
    with located(safe_name(path)):
        content = read_voxel_file(path)
        image = content.volume()
    return _Opened(image, content.sha256, "", (), (), simulated=False, guess=lambda _taken: Claims())


def _open_voxel_folder(path: Path, linked: int) -> _Opened:
    folder = look_into(path)
    content = read_voxel_file(folder.image)
    image = content.volume()
    notes = (f"{linked} files are links that lead out of the folder: read where they lead",) if linked else ()
    return _Opened(
        image, content.sha256, "", notes, (), simulated=False,
        guess=lambda taken: claims_of_files(folder.masks, image.grid, taken),
    )  # fmt: skip


def _open_dicom(index: Index, unread: tuple[str, ...], stated: StudyTable, observe: Progress) -> _Opened:
    chosen = choose_series(index, stated.series_uid)
    belongs = belonging(index, chosen)
    series = read_series(
        chosen, lambda k, n: observe("image", INDEX_SHARE + (IMAGE_SHARE - INDEX_SHARE) * (k + 1) / n), stated.volume
    )
    files = sum(1 for p in index.others if suffix_of(p))
    beside = (
        (f"{files} NIfTI or NRRD files lie beside the DICOM: state them in the case file to use them",) if files else ()
    )

    def guess(taken: frozenset[Part]) -> Claims:
        segmentations = [
            (i.path, read_segments(i.path, i.kind, name, i.stamp)) for name, i in belongs.instances.items()
        ]
        return claims_of_segments(segmentations, series.volume.grid, taken)

    cautions = (*cautions_of_files(index.others), *series.cautions)
    notes = (*unread, *index.notes(), *beside, *series.notes, *belongs.notes)
    return _Opened(
        series.volume, series.sha256, series.patient, notes, cautions, simulated=series.simulated, guess=guess,
        first=chosen.instances[0].path,
        scanned_on=series.scanned_on,
        born=series.born,
    )  # fmt: skip


def _place(role: str, mask: Mask, image: Grid) -> _Placing:
    """Return the mask in the image's space.

    Raises
    ------
    EmptyMaskError
        A tumour or an ablation zone is empty.
    InputError
        No voxel of the mask lies in the image.
    """
    is_lesion = role.startswith(("tumour_", "ablation_"))
    if mask.is_empty:
        if is_lesion:
            raise EmptyMaskError(f"{role}: the mask is empty, expected at least one voxel")
        return _Placing(None, "absent")
    notes = (*mask_notes(mask), *parts_note(role, mask)) if is_lesion else ()
    same = mask.grid.same_lattice(image)
    placed = reordered(mask, image)
    if placed is None:
        notes = (*notes, *outside_note(role, mask, image))
    kept = mask if placed is None else placed
    how: How = "own" if placed is None else "same" if same else "reordered"
    return _Placing(kept if role == "liver" or role.startswith(WHOLE) else cropped(kept), how, notes)


def _placing_notes(placings: Sequence[_Placing]) -> tuple[str, ...]:
    count = Counter(p.how for p in placings)
    said: dict[How, tuple[str, str]] = {
        "absent": ("mask is empty: that structure counts as absent",
                   "masks are empty: those structures count as absent"),
        "own": ("mask keeps its own lattice, which is not the image's",
                "masks keep their own lattice, which is not the image's"),
        "reordered": ("mask stores the image's voxels in another order of axes, taken over voxel by voxel",
                      "masks store the image's voxels in another order of axes, taken over voxel by voxel"),
    }  # fmt: skip
    found = [counted(count[how], one, several) for how, (one, several) in said.items() if count[how]]
    return (*found, *(note for p in placings for note in p.notes))


def reordered(mask: Mask, image: Grid) -> Mask | None:
    """Return the mask on the image's lattice if both have the same voxels in another order of axes, else None."""
    if mask.grid.same_lattice(image):
        return mask if mask.grid.frame_uid == image.frame_uid else Mask(mask.voxels_kji, image, mask.name)
    turn = np.rint((image.ijk_from_lps_mm @ mask.grid.lps_mm_from_ijk)[:3, :3]).astype(int)
    if not (np.abs(turn).sum(axis=0) == 1).all() or not (np.abs(turn).sum(axis=1) == 1).all():
        return None
    axes = tuple(int(a) for a in np.abs(turn).argmax(axis=1))
    flips = tuple(a for a in range(3) if turn[a].sum() < 0)
    voxels_ijk = np.flip(mask.voxels_kji.transpose(2, 1, 0).transpose(axes), flips)
    mask_from_image = np.eye(4)
    mask_from_image[:3, :3] = turn.T
    for axis in flips:
        mask_from_image[axes[axis], 3] = voxels_ijk.shape[axis] - 1
    i, j, k = voxels_ijk.shape
    lattice = Grid((k, j, i), mask.grid.lps_mm_from_ijk @ mask_from_image)
    return Mask(voxels_ijk.transpose(2, 1, 0), image, mask.name) if lattice.same_lattice(image) else None
