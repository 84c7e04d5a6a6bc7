"""Made-up case folders for audits: no patients, no images."""

from __future__ import annotations

import json
from pathlib import Path

MARGINS = ("min_mm", "geometric_min_mm", "without_vessel_facing_mm", "q05_mm", "median_mm", "residual_ml",
           "capsule_facing_fraction", "direction", "definition")  # fmt: skip


def lesion(lesion_id: str = "1", min_mm: float | None = 6.0, status: str = "assessed", **changes) -> dict:
    """Return a lesion of `result.json` with a margin, or none."""
    margin = {
        **dict.fromkeys(MARGINS),
        "min_mm": min_mm,
        "definition": None if min_mm is None else "parenchymal",
        "ci95_mm": [None, None] if min_mm is None else [min_mm - 1.0, min_mm + 2.0],
        "p_at_least": {"0": None, "5": None, "10": None},
        "at_lps_mm": [None, None, None],
        "surface_fraction_below": {"0": 0.0, "5": 0.25, "10": 1.0},
        "target_covered": {"5": 0.9, "10": 0.5},
        "flags": ["thick_slices"],
    }
    reasons = [] if min_mm is not None else [{"field": "margin", "code": status.replace("_", "-"), "text": "why"}]
    return {
        "lesion_id": lesion_id, "status": status, "reasons": reasons, "zones": ["1"], "max_axial_diameter_mm": 14.0,
        "max_diameter_mm": 15.5, "tumour_ml": 1.5, "ablation_ml": 20.0, "registration_error_mm": 1.6, "margin": margin,
        "distances": [], "ltp": {"model": None, "relative_hazard": None, "interval": [None, None],
                                 "margin_in_range": None},
        **changes,
    }  # fmt: skip


def document(case_id: str, *lesions: dict, patient: str = "", **changes) -> dict:
    """Return a `result.json`."""
    return {
        "schema_version": 1, "case_id": case_id, "patient_key": patient or case_id, "status": "assessed", "reasons": [],
        "registration": {"transform": "deformable", "passed": True, "checks": []}, "lesions": list(lesions),
        "findings": [], "guidelines": [], "timings_s": {},
        "provenance": {"software_version": "0.1.0", "settings_sha256": "ab" * 32},
        **changes,
    }  # fmt: skip


def write_case(folder: Path, content: dict) -> Path:
    """Write a finished case."""
    place = folder / content["case_id"]
    place.mkdir(parents=True)
    (place / "result.json").write_text(json.dumps(content), encoding="utf-8")
    return place


def write_failure(folder: Path, case_id: str, code: str = "killed") -> Path:
    """Write a failed case."""
    place = folder / case_id
    place.mkdir(parents=True)
    failure = {"case_id": case_id, "code": code, "text": "why", "exit_code": 137, "seconds": 1.0, "attempts": 1}
    (place / "failure.json").write_text(json.dumps(failure), encoding="utf-8")
    return place


def write_outcomes(path: Path, *rows: tuple, header: str = "case_id,lesion_id,event,days") -> Path:
    """Write an outcomes file."""
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path
