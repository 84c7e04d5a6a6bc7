"""Which file of a folder without DICOM is the image, and which are masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.formats.voxel_file import safe_name, stem_of, suffix_of
from planner.errors import AmbiguousInputError, InputError

IMAGE_STEM = "image"
"""Stem of the file that is the image."""

MASK_FOLDER = "segmentations"
"""Sub-folder in which masks are also looked for: TotalSegmentator's output."""


@dataclass(frozen=True, slots=True)
class VoxelFolder:
    """The image of a folder and every other NIfTI or NRRD file beside it or in `segmentations/`."""

    image: Path
    masks: tuple[Path, ...]


def voxel_files(folder: Path) -> tuple[Path, ...]:
    """Return the NIfTI and NRRD files of a folder and of its sub-folder `segmentations`, by path."""
    places = [place for place in (folder, folder / MASK_FOLDER) if place.is_dir()]
    files = [path for place in places for path in sorted(place.iterdir())]
    return tuple(path for path in files if suffix_of(path) and path.is_file())


def images_in(folder: Path) -> tuple[Path, ...]:
    """Return the files named `image` of a folder."""
    return tuple(p for p in voxel_files(folder) if p.parent == folder and stem_of(p).lower() == IMAGE_STEM)


def look_into(folder: Path) -> VoxelFolder:
    """Return the image and the masks of a folder.

    Raises
    ------
    InputError
        No file is named `image`.
    AmbiguousInputError
        Several are.
    """
    images = images_in(folder)
    if not images:
        raise InputError("no DICOM, NIfTI or NRRD image found", code="no-image", where=f".../{safe_name(folder)}")
    if len(images) > 1:
        raise AmbiguousInputError(f"several images: {', '.join(p.name for p in images)}")
    return VoxelFolder(images[0], tuple(p for p in voxel_files(folder) if p != images[0]))
