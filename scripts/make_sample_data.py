#!/usr/bin/env python
"""Write the synthetic sample: two studies as DICOM, case.toml, truth.json and a README with hashes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.sample.palettes import Palette

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

DEFAULT_SEED = 7
COARSE_MM = (4.0, 2.6, 2.6)


MODALITIES = ("CT", "MR", "CT-MR", "MR-CT")
SHAPES = ("dicom", "enhanced", "labelmap", "rtstruct", "nifti")
SEQUENCES = ("T1", "T2", "T1-T2", "T2-T1")


def main() -> None:
    from pipelines.sample import write_sample

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another seed gives another patient and field")
    parser.add_argument("--output", type=Path, default=ROOT / "sample_data")
    parser.add_argument("--coarse", action="store_true", help="large voxels, for quick tests")
    parser.add_argument(
        "--modality", choices=MODALITIES, default="CT", help="of both studies, or of PRE-POST; MR is simulated contrast"
    )
    parser.add_argument(
        "--sequence", choices=SEQUENCES, default="T1", help="of MR: hepatobiliary T1 or T2, of both, or of PRE-POST"
    )
    parser.add_argument("--shape", choices=SHAPES, default="dicom", help="what a study is written as; needs CT")
    parser.add_argument("--tilt", type=float, default=0.0, metavar="DEGREES", help="tilt of PRE's gantry")
    asked = parser.parse_args()
    if asked.shape not in ("dicom", "nifti") and asked.modality != "CT":
        parser.error("--shape enhanced, labelmap and rtstruct need --modality CT")
    spacing = COARSE_MM if asked.coarse else None
    palettes = palettes_of(asked.modality, asked.sequence)
    write_sample(
        asked.seed, asked.output, spacing_kji_mm=spacing, palettes=palettes, shape=asked.shape, tilt_degrees=asked.tilt
    )
    files = [path for path in asked.output.rglob("*") if path.is_file()]
    print(f"{asked.output}: {len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB")


def palettes_of(modality: str, sequence: str) -> tuple[Palette, Palette]:
    """Return the contrasts of PRE and POST."""
    from pipelines.sample.palettes import PALETTES

    (pre, post), (first, last) = (
        (text, text) if "-" not in text else tuple(text.split("-")) for text in (modality, sequence)
    )
    return PALETTES[first if pre == "MR" else pre], PALETTES[last if post == "MR" else post]


if __name__ == "__main__":
    main()
