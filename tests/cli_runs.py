"""The command in this process and in one of its own, and small studies to give it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from click.testing import CliRunner
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[1]
LEFT_BEHIND = {
    "result.json", "report.html", "report.pdf", "tumour_registered.nii.gz", "margin_map.vtp", "transform.h5", "log.txt",
}  # fmt: skip
SHAPE = (32, 40, 40)
SPACING_KJI_MM = (4.0, 3.0, 3.0)
MIDDLE_MM = np.array([58.5, 58.5, 62.0])


@dataclass(frozen=True)
class Ran:
    """What a run of the command gave."""

    code: int
    stdout: str
    stderr: str


def ablation(*arguments: object) -> Ran:
    """Run the command in this process."""
    from pipelines.cli.__main__ import main

    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exit_code == 1 and result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def environment() -> dict[str, str]:
    """Return this process's environment with the project on the path and one thread."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}


def python(*arguments: object, **options) -> Ran:
    """Run Python in a process of its own."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, env=environment(), check=False, **options,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


AT_A_TERMINAL = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from pipelines.cli.__main__ import main
main(prog_name="ablation")
"""


def run_apart(*arguments: object) -> subprocess.Popen[str]:
    """Start the command as a person at a terminal does: interrupts reach it, whoever runs the tests."""
    return subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip


def lattice(origin=(0.0, 0.0, 0.0), spacing_kji_mm=SPACING_KJI_MM) -> np.ndarray:
    """Return lps_from_ijk of a lattice along the axes of the body."""
    matrix = np.diag([*spacing_kji_mm[::-1], 1.0])
    matrix[:3, 3] = origin
    return matrix


def centres(shape, matrix) -> np.ndarray:
    """Return the voxel centres, LPS mm, shape (k, j, i, 3)."""
    ijk = np.stack(np.indices(shape)[::-1], axis=-1)
    return ijk @ matrix[:3, :3].T + matrix[:3, 3]


def ball(centre, radius_mm, shape=SHAPE, matrix=None) -> np.ndarray:
    """Return the voxels (k, j, i) whose centres lie in a ball."""
    points = centres(shape, lattice() if matrix is None else matrix)
    return np.linalg.norm(points - centre, axis=-1) <= radius_mm


def anatomy(shape=SHAPE, seed=3) -> np.ndarray:
    """Return an image with texture to register by, Hounsfield-like, int16."""
    rng = np.random.default_rng(seed)
    coarse = ndimage.gaussian_filter(rng.normal(size=shape), 2.0)
    image = 60 + 60 * coarse / coarse.std()
    image[:, :3], image[:, -3:] = -1000, -1000
    return image.astype(np.int16)


def anatomy_after() -> np.ndarray:
    """Return the same image with noise of its own."""
    image = anatomy()
    return image + np.random.default_rng(5).normal(0.0, 3.0, image.shape).astype(np.int16)


def save(path: Path, values_kji: np.ndarray, lps_from_ijk: np.ndarray | None = None) -> Path:
    """Write a NIfTI or NRRD file with another library than ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    matrix = lattice() if lps_from_ijk is None else lps_from_ijk
    values = values_kji.astype(np.uint8) if values_kji.dtype == bool else values_kji
    if path.suffix == ".nrrd":
        import SimpleITK

        image = SimpleITK.GetImageFromArray(values)
        spacing = np.linalg.norm(matrix[:3, :3], axis=0)
        image.SetSpacing(spacing.tolist())
        image.SetOrigin(matrix[:3, 3].tolist())
        image.SetDirection((matrix[:3, :3] / spacing).ravel().tolist())
        SimpleITK.WriteImage(image, str(path))
        return path
    image = nibabel.Nifti1Image(values.transpose(2, 1, 0), np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix)
    nibabel.save(image, path)
    return path


def study(folder: Path, origin=(0.0, 0.0, 0.0), **masks: np.ndarray) -> Path:
    """Write a study as NIfTI: the image, with noise of its own where it holds an ablation, and masks by role."""
    after = any(role.startswith("ablation") for role in masks)
    save(folder / "image.nii.gz", anatomy_after() if after else anatomy(), lattice(origin))
    for role, mask in masks.items():
        save(folder / f"{role}.nii.gz", mask, lattice(origin))
    return folder


def liver() -> np.ndarray:
    """Return a ball for a liver."""
    return ball(MIDDLE_MM, 50.0)


def pre_study(folder: Path, **more: np.ndarray) -> Path:
    """Write PRE: a liver with a tumour of radius 9 mm."""
    return study(folder, **({"liver": liver(), "tumour": ball(MIDDLE_MM, 9.0)} | more))


def post_study(folder: Path, **more: np.ndarray) -> Path:
    """Write POST: the same liver with a zone of radius 14 mm."""
    return study(folder, **({"liver": liver(), "ablation": ball(MIDDLE_MM, 14.0)} | more))
