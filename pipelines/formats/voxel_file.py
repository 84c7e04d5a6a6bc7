"""An image, mask or label map read from one NIfTI or NRRD file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.formats.names import is_plain
from pipelines.limits import changed, is_file, is_folder, require_bytes, stamp_of, within_limits
from planner.errors import InputError, located
from planner.grid import Grid
from planner.volume import Mask, Volume

NIFTI_SUFFIXES = (".nii", ".nii.gz")
NRRD_SUFFIXES = (".nrrd", ".nhdr")
SUFFIXES = (*NIFTI_SUFFIXES, *NRRD_SUFFIXES)

MOST_VOXELS = 2_000_000_000
"""More than this is taken for a malformed header."""


VOXEL_BYTES = 4
"""Bytes of a voxel of an image in memory, beside those it has in the file."""


@dataclass(frozen=True, slots=True, eq=False)
class VoxelFile:
    """What a file holds: values, axes k, j, i, on a lattice whose frame of reference no such file states.

    `label_names` is the label table of the file's own header, empty where it has none.
    """

    name: str
    values_kji: npt.NDArray[Any]
    grid: Grid
    sha256: str
    label_names: Mapping[int, str] = field(default_factory=dict)

    def volume(self, modality: str = "") -> Volume:
        """Return the values as an image.

        Raises
        ------
        InputError
            A value is not finite.
        """
        values = self.values_kji.astype(np.float32)
        if not np.isfinite(values).all():
            raise InputError(f"{self.name}: the image holds NaN or infinity", code="bad-image")
        return Volume(values, self.grid, modality)

    def mask(self, name: str, labels: Sequence[int] = ()) -> Mask:
        """Return the mask of the values in `labels`, or of the only value beside 0.

        Raises
        ------
        InputError
            No label is asked for and the file holds several, or values are not integral.
        """
        if not labels:
            return Mask(self.values_kji, self.grid, name)
        self._require_labels()
        inside = self.values_kji == labels[0]
        for label in labels[1:]:
            inside |= self.values_kji == label
        return Mask(inside, self.grid, name)

    def require_one_structure(self) -> None:
        """Raise if the file holds several values beside 0, as a label map or probabilities do.

        Raises
        ------
        InputError
            It does, and all of them are finite.
        """
        kinds = np.unique(self.values_kji[self.values_kji != 0])
        if kinds.size > 1 and np.isfinite(kinds).all():
            raise InputError(
                f"{self.name}: expected a mask of 0 and one other value, found {kinds.size} others"
                f" (from {float(kinds[0]):g} to {float(kinds[-1]):g}); each structure needs a file of its own",
                code="not-binary",
            )

    def labels(self) -> tuple[int, ...]:
        """Return the values beside 0 that occur.

        Raises
        ------
        InputError
            Values are not integral.
        """
        self._require_labels()
        return tuple(int(v) for v in np.unique(self.values_kji) if v != 0)

    def _require_labels(self) -> None:
        if self.values_kji.dtype.kind in "iub":
            return
        values = self.values_kji.astype(np.float64)
        if not np.isfinite(values).all() or (values != np.rint(values)).any():
            raise InputError(f"{self.name}: expected a label map of whole numbers", code="bad-mask")


def suffix_of(path: Path) -> str:
    """Return the suffix of a NIfTI or NRRD file, in lower case, empty for another file."""
    name = path.name.lower()
    return next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.endswith(s)), "")


def stem_of(path: Path) -> str:
    """Return the file's name without its suffix."""
    return path.name[: len(path.name) - len(suffix_of(path))].removesuffix(".seg")


def read_voxel_file(path: Path, name: str = "") -> VoxelFile:
    """Return what a NIfTI or NRRD file holds; messages call it `name`, else by its own name if that is plain.

    Raises
    ------
    InputError
        The file is missing, of another kind, truncated, or its geometry is unusable.
    """
    name = name or shown_name(path)
    with located(safe_name(path)), within_limits(name):
        return _read(path, name)


def _read(path: Path, name: str) -> VoxelFile:
    if is_folder(path):
        raise InputError(f"{name}: is a folder, expected a NIfTI or NRRD file", code="is-a-folder")
    if not is_file(path):
        raise InputError(f"{name}: no such file", code="missing")
    try:
        stamp = stamp_of(path)
        found = _by_suffix(path, name)
        if stamp_of(path) != stamp:
            raise changed(name)
    except PermissionError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})", code="unreadable") from error
    return found


def _by_suffix(path: Path, name: str) -> VoxelFile:
    if suffix_of(path) in NIFTI_SUFFIXES:
        from pipelines.formats.nifti import read_nifti

        return read_nifti(path, name)
    if suffix_of(path) in NRRD_SUFFIXES:
        from pipelines.formats.nrrd import read_nrrd

        return read_nrrd(path, name)
    raise InputError(f"{name}: expected a file ending in {', '.join(SUFFIXES)}", code="unknown-format")


def shown_name(path: Path, otherwise: str = "the file") -> str:
    """Return the file's name if it says a role or a structure and nothing else, else `otherwise`."""
    return safe_name(path) if is_plain(stem_of(path)) else otherwise


def safe_name(path: Path) -> str:
    """Return the file's base name, printable and of bounded length."""
    return "".join(c if c.isprintable() else "?" for c in path.name)[:80]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_size(shape: Sequence[int], name: str, item_bytes: int) -> None:
    """Raise unless `shape` is three positive sizes that memory can hold, of so many bytes each as stored."""
    if len(shape) != 3:
        raise InputError(f"{name}: {len(shape)} dimensions of sizes {tuple(shape)}, expected 3", code="not-3d")
    count = int(np.prod(shape, dtype=object))
    if min(shape) < 1 or count > MOST_VOXELS:
        raise InputError(f"{name}: sizes {tuple(shape)} are empty or too large", code="too-large")
    require_bytes(count * (item_bytes + VOXEL_BYTES), name, f"voxels of sizes {tuple(shape)}")
