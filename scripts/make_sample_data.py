#!/usr/bin/env python
"""Write the synthetic sample: two studies as DICOM, case.toml, truth.json and a README with hashes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

DEFAULT_SEED = 7
COARSE_MM = (4.0, 2.6, 2.6)


def main() -> None:
    from pipelines.sample import write_sample
    from pipelines.sample.writing import FULL_MM

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another seed gives another patient and field")
    parser.add_argument("--output", type=Path, default=ROOT / "sample_data")
    parser.add_argument("--coarse", action="store_true", help="twice the voxel size, for quick tests")
    asked = parser.parse_args()
    write_sample(asked.seed, asked.output, spacing_kji_mm=COARSE_MM if asked.coarse else FULL_MM)
    files = [path for path in asked.output.rglob("*") if path.is_file()]
    print(f"{asked.output}: {len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
