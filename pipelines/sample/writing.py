"""The sample on disk: two studies as DICOM, the case file, the truth, and a README with hashes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pipelines.sample.dicom_ct import compressed, series
from pipelines.sample.dicom_seg import segmentation
from pipelines.sample.patient import Patient, make_patient
from pipelines.sample.rendering import Lattice, Study, draw, make_lattice
from pipelines.sample.truth import truth

if TYPE_CHECKING:
    from pathlib import Path

CASE = '[case]\nid = "sample"\n\n[facts]\nprimary = "colorectal"\n'
FULL_MM = (2.0, 1.3, 1.3)


def write_sample(seed: int, out: Path, *, spacing_kji_mm: tuple[float, float, float] = FULL_MM) -> None:
    """Write a seed's patient: pre/, post/ (CT_0001.dcm ..., seg.dcm), case.toml, truth.json and README.md."""
    patient = make_patient(seed)
    out.mkdir(parents=True, exist_ok=True)
    lattices = {study: make_lattice(patient, study, spacing_kji_mm) for study in STUDIES}
    for study, lattice in lattices.items():
        _write_study(patient, study, lattice, out / study)
    (out / "case.toml").write_text(CASE, encoding="utf-8")
    text = json.dumps(_rounded(full_truth(patient, lattices)), indent=None, separators=(",", ":"))
    (out / "truth.json").write_text(text + "\n", encoding="utf-8")
    (out / "README.md").write_text(readme(seed, out, lattices), encoding="utf-8")


STUDIES: tuple[Study, Study] = ("pre", "post")


def full_truth(patient: Patient, lattices: dict[Study, Lattice]) -> dict[str, Any]:
    """Return the truth with the grids of both studies; structures end where the PRE scan ends."""
    pre = lattices["pre"]
    bottom = pre.origin_lps_mm[2]
    top = bottom + pre.spacing_kji_mm[0] * (pre.shape_kji[0] - 1)
    grids = {
        study: {"shape_kji": list(lattice.shape_kji), "lps_mm_from_ijk": lattice.lps_mm_from_ijk.tolist()}
        for study, lattice in lattices.items()
    }
    return {**truth(patient, (bottom, top)), "grids": grids}


def _write_study(patient: Patient, study: Study, lattice: Lattice, folder: Path) -> None:
    """Write one study's CT and SEG."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in (*folder.glob("CT_*.dcm"), folder / "seg.dcm"):
        stale.unlink(missing_ok=True)
    image, masks = draw(patient, study, lattice)
    slices = series(image, lattice, study, patient.seed)
    segmentation(slices, masks, study, patient.seed).save_as(folder / "seg.dcm", enforce_file_format=True)
    for number, dataset in enumerate(slices, start=1):
        compressed(dataset).save_as(folder / f"CT_{number:04d}.dcm", enforce_file_format=True)


def _rounded(value: Any) -> Any:
    """Return the value with floats to nine significant digits, so that the text does not depend on the last bit."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value


def hashes(out: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the sample but the README, by relative path."""
    names = [*sorted(out.glob("pre/*.dcm")), *sorted(out.glob("post/*.dcm")), out / "case.toml", out / "truth.json"]
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in names}


def readme(seed: int, out: Path, lattices: dict[Study, Lattice]) -> str:
    """Return the text that says where the files come from."""
    sizes = {s: " × ".join(map(str, g.shape_kji[::-1])) for s, g in lattices.items()}
    spacing = " × ".join(f"{value:g}" for value in lattices["pre"].spacing_kji_mm[::-1])
    rows = "\n".join(f"| `{name}` | `{digest}` |" for name, digest in hashes(out).items())
    return README.format(seed=seed, pre=sizes["pre"], post=sizes["post"], spacing=spacing, rows=rows)


README = """# Sample: a synthetic patient

No person: every voxel was computed by `scripts/make_sample_data.py --seed {seed}` (`pipelines/sample/`) from an
analytic phantom. Licence: Apache-2.0, or CC0-1.0 as you prefer.

- `pre/`, `post/`: portal-venous CT of the upper abdomen before and after ablation ({pre} and {post} voxels,
  {spacing} mm, JPEG 2000 lossless) and `seg.dcm`, a DICOM segmentation with standard codes. POST is shifted, rotated
  and locally deformed by a known field, has its own slice positions, noise and frame of reference.
- `case.toml`: the clinician's facts (a colorectal primary).
- `truth.json`: exact margins, distances, volumes, landmarks and the field, from the analytic surfaces by dense
  sampling, never from the masks; no code is shared with `planner/`. Its `conventions` say what each number means.

Three lesions: 1 amply covered, 2 beside a vessel with a margin near 2 mm, 3 partly uncovered.

## SHA-256
| File | SHA-256 |
|---|---|
{rows}
"""
