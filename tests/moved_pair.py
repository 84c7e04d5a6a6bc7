"""A real CT as PRE, and as POST the same, moved by a known rigid motion and resampled; balls for tumours and zones."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

DATA = Path(os.environ.get("ABLATION_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Ball:
    """A ball, LPS mm."""

    centre: np.ndarray
    radius: float

    @property
    def ml(self) -> float:
        return 4.0 / 3.0 * np.pi * self.radius**3 / 1000.0


@dataclass(frozen=True)
class Treated:
    """A tumour in PRE and how its zone lies to it in POST: radius and offset of the centre, mm."""

    tumour: Ball
    zone_radius: float
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def margin_mm(self) -> float:
        """The least signed distance from a ball to a ball, where the far side of the tumour comes first."""
        return self.zone_radius - float(np.linalg.norm(self.offset)) - self.tumour.radius


@dataclass(frozen=True)
class Image:
    """Voxels (i, j, k) and their place, LPS mm."""

    values: np.ndarray
    lps_from_ijk: np.ndarray


def load(path: Path) -> Image:
    """Return a NIfTI file by nibabel alone."""
    image = nibabel.load(path)
    return Image(np.asarray(image.dataobj), LPS_FROM_RAS @ image.affine)


def save(path: Path, values: np.ndarray, lps_from_ijk: np.ndarray) -> Path:
    """Write a NIfTI file by nibabel alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, LPS_FROM_RAS @ lps_from_ijk), path)
    return path


def ball_voxels(ball: Ball, shape: tuple[int, ...], lps_from_ijk: np.ndarray) -> np.ndarray:
    """Return the voxels whose centres lie in a ball."""
    ijk = np.indices(shape).reshape(3, -1)
    lps = lps_from_ijk[:3, :3] @ ijk + lps_from_ijk[:3, 3:]
    apart = lps - np.asarray(ball.centre)[:, None]
    return ((apart**2).sum(axis=0) <= ball.radius**2).reshape(shape).astype(np.uint8)


def motion(about: np.ndarray, degrees: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    """Return post_from_pre: a turn about a point, then a shift."""
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = about + np.asarray(shift) - turn @ about
    return matrix


def resampled(image: Image, shape: tuple[int, ...], lattice: np.ndarray, post_from_pre: np.ndarray, order: int):
    """Return the image moved and read on another lattice; beyond its borders its last voxels go on."""
    pre_ijk = np.linalg.inv(image.lps_from_ijk) @ np.linalg.inv(post_from_pre) @ lattice
    return ndimage.affine_transform(
        image.values, pre_ijk[:3, :3], pre_ijk[:3, 3], output_shape=shape, order=order, mode="nearest"
    )


def write_post(
    folder: Path,
    ct: Image,
    liver: Image,
    treated: list[Treated],
    post_from_pre: np.ndarray,
    spacing: tuple[float, float, float],
    room_mm: float = 45.0,
) -> Path:
    """Write POST on a lattice of its own around the moved liver, where the moved scan has voxels along the body."""
    hit = np.argwhere(liver.values > 0)
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * np.ptp(hit, axis=0) + hit.min(0)
    lps = post_from_pre[:3, :3] @ (liver.lps_from_ijk[:3, :3] @ corners.T + liver.lps_from_ijk[:3, 3:])
    lps = (lps + post_from_pre[:3, 3:]).T
    scan = ct.lps_from_ijk[2, 3] + np.sort([0.0, ct.lps_from_ijk[2, 2] * (ct.values.shape[2] - 1)])
    low, high = lps.min(axis=0) - room_mm, lps.max(axis=0) + room_mm
    middle = (post_from_pre @ [*lps_centre(ct), 1.0])[2] - lps_centre(ct)[2]
    low[2], high[2] = max(low[2], scan[0] + middle), min(high[2], scan[1] + middle)
    low += np.array([0.31, 0.17, 0.23])  # no voxel centre of POST falls on one of PRE
    shape = tuple(int(n) for n in np.floor((high - low) / spacing) + 1)
    lattice = np.diag([*spacing, 1.0])
    lattice[:3, 3] = low
    moved = resampled(Image(ct.values.astype(np.float32), ct.lps_from_ijk), shape, lattice, post_from_pre, 1)
    save(folder / "image.nii.gz", np.rint(moved).astype(np.int16), lattice)
    save(folder / "liver.nii.gz", resampled(liver, shape, lattice, post_from_pre, 0), lattice)
    for number, one in enumerate(treated, start=1):
        centre = post_from_pre[:3, :3] @ one.tumour.centre + post_from_pre[:3, 3] + one.offset
        name = "ablation" if len(treated) == 1 else f"ablation_{number}"
        save(folder / f"{name}.nii.gz", ball_voxels(Ball(centre, one.zone_radius), shape, lattice), lattice)
    return folder


def lps_centre(image: Image) -> np.ndarray:
    """Return the middle of a scan."""
    middle = (np.asarray(image.values.shape) - 1) / 2
    return image.lps_from_ijk[:3, :3] @ middle + image.lps_from_ijk[:3, 3]
