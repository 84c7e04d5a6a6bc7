"""The sample on disk: two studies as DICOM, the case file, the truth, and a README with hashes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pipelines.sample.dicom_image import compressed, series
from pipelines.sample.dicom_seg import segmentation
from pipelines.sample.lattice import Lattice, Study, make_lattice
from pipelines.sample.other_shapes import Shape, by_frame, enhanced, structure_set, without_overlap, write_nifti
from pipelines.sample.palettes import CT, Palette
from pipelines.sample.patient import Patient, make_patient
from pipelines.sample.rendering import Mask, draw
from pipelines.sample.truth import truth

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

CASE = '[case]\nid = "sample"\n\n[facts]\nprimary = "colorectal"\n'
BOTH_CT = (CT, CT)


def write_sample(
    seed: int,
    out: Path,
    *,
    spacing_kji_mm: tuple[float, float, float] | None = None,
    palettes: tuple[Palette, Palette] = BOTH_CT,
    shape: Shape = "dicom",
    tilt_degrees: float = 0.0,
) -> None:
    """Write a seed's patient: pre/, post/ (CT_0001.dcm ..., seg.dcm), case.toml, truth.json and README.md.

    Parameters
    ----------
    seed
        Another one gives another patient and motion.
    out
        Folder; what lies there of an earlier sample is replaced.
    spacing_kji_mm
        Voxels of both studies; those of the palettes where it is None.
    palettes
        Contrasts of PRE and POST.
    shape
        What a study is written as; all but "dicom" and "nifti" need CT.
    tilt_degrees
        Tilt of PRE's gantry.
    """
    patient = make_patient(seed)
    out.mkdir(parents=True, exist_ok=True)
    looks = dict(zip(STUDIES, palettes, strict=True))
    tilts = {"pre": tilt_degrees, "post": 0.0}
    lattices = {
        s: make_lattice(patient, s, spacing_kji_mm or look.spacing_kji_mm, tilts[s]) for s, look in looks.items()
    }
    for study, lattice in lattices.items():
        _write_study(patient, study, lattice, looks[study], out / study, shape)
    (out / "case.toml").write_text(CASE, encoding="utf-8")
    text = json.dumps(_rounded(full_truth(patient, lattices)), indent=None, separators=(",", ":"))
    (out / "truth.json").write_text(text + "\n", encoding="utf-8")
    how = _how(palettes) + (f" --shape {shape}" if shape != "dicom" else "")
    how += f" --tilt {tilt_degrees:g}" if tilt_degrees else ""
    (out / "README.md").write_text(readme(seed, out, lattices, palettes, how), encoding="utf-8")


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


def _write_study(
    patient: Patient, study: Study, lattice: Lattice, palette: Palette, folder: Path, shape: Shape
) -> None:
    """Write one study's CT or MR, and its masks."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in (*folder.glob("*.dcm"), *folder.glob("*.nii.gz")):
        stale.unlink()
    image, masks = draw(patient, study, lattice, palette=palette)
    if shape == "nifti":
        write_nifti(image, masks, lattice, folder)
        return
    slices = series(image, lattice, study, patient.seed, palette)
    for name, made in _with_masks(slices, masks, lattice, study, patient.seed, shape).items():
        made.save_as(folder / name, enforce_file_format=True)
    if shape != "enhanced":
        for number, dataset in enumerate(slices, start=1):
            compressed(dataset).save_as(folder / f"{palette.modality}_{number:04d}.dcm", enforce_file_format=True)


def _with_masks(
    slices: list[Dataset], masks: dict[str, Mask], lattice: Lattice, study: Study, seed: int, shape: Shape
) -> dict[str, Dataset]:
    """Return the objects that hold the masks, and the enhanced image where that is the shape, by file name."""
    if shape == "enhanced":
        one = enhanced(slices, study, seed)
        framed = by_frame(one, masks)
        return {"CT.dcm": one, "seg.dcm": segmentation([one], framed, study, seed, part="enhanced")}
    if shape == "labelmap":
        return {
            f"seg_{n}.dcm": segmentation(slices, some, study, seed, kind="LABELMAP", part=str(n))
            for n, some in enumerate(without_overlap(masks), start=1)
        }
    if shape == "rtstruct":
        return {"rtstruct.dcm": structure_set(slices, masks, lattice, study, seed)}
    return {"seg.dcm": segmentation(slices, masks, study, seed)}


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
    studies = [path for study in STUDIES for path in sorted(out.glob(f"{study}/*")) if path.is_file()]
    names = [*studies, out / "case.toml", out / "truth.json"]
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in names}


def readme(
    seed: int, out: Path, lattices: dict[Study, Lattice], palettes: tuple[Palette, Palette] = BOTH_CT, how: str = ""
) -> str:
    """Return the text that says where the files come from."""
    sizes = {s: " × ".join(map(str, g.shape_kji[::-1])) for s, g in lattices.items()}
    spacings = [" × ".join(f"{value:g}" for value in lattices[s].spacing_kji_mm[::-1]) for s in STUDIES]
    spacing = spacings[0] if spacings[0] == spacings[1] else " and ".join(spacings)
    rows = "\n".join(f"| `{name}` | `{digest}` |" for name, digest in hashes(out).items())
    return README.format(
        seed=seed, how=how, what=_what(palettes), pre=sizes["pre"], post=sizes["post"], spacing=spacing,
        rows=rows,
    )  # fmt: skip


def _how(palettes: tuple[Palette, Palette]) -> str:
    """Return the options that make these contrasts."""
    if palettes == BOTH_CT:
        return ""
    modality, sequence = _name([p.modality for p in palettes]), _name([p.name for p in palettes if p.modality == "MR"])
    return f" --modality {modality} --sequence {sequence}"


def _name(words: list[str]) -> str:
    return words[0] if len(set(words)) == 1 else "-".join(words)


def _what(palettes: tuple[Palette, Palette]) -> str:
    """Return what the studies are."""
    if palettes == BOTH_CT:
        return "portal-venous CT of the upper abdomen before and after ablation"
    words = [
        "portal-venous CT" if p.modality == "CT" else f"MR of simulated contrast ({p.sequence}, with a bias field)"
        for p in palettes
    ]
    return f"the upper abdomen before ({words[0]}) and after ({words[1]}) ablation"


README = """# Sample: a synthetic patient

No person: every voxel was computed by `scripts/make_sample_data.py --seed {seed}{how}` (`pipelines/sample/`) from an
analytic phantom. Licence: Apache-2.0, or CC0-1.0 as you prefer.

- `pre/`, `post/`: {what} ({pre} and {post} voxels,
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
