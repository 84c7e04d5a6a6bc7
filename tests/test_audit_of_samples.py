"""Twelve sample patients through batch and audit, with made-up outcomes: the curves are those of lifelines."""

from __future__ import annotations

import csv
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from cli_runs import ablation, save
from lifelines import KaplanMeierFitter

from pipelines.sample import make_patient, render, write_sample

pytestmark = pytest.mark.slow

SEEDS = range(200, 212)
COARSE_MM = (4.0, 2.6, 2.6)
BANDS = {"below_0": (-np.inf, 0.0), "0_to_5": (0.0, 5.0), "5_to_10": (5.0, 10.0), "from_10": (10.0, np.inf)}


def write_patient(folder: Path, seed: int) -> None:
    """Write a seed's patient: the first whole, as DICOM; of the others what a margin needs, brought together before.

    Their tumours are drawn where POST has them, so that no time goes into registering what is not tested here.
    """
    patient = make_patient(seed)
    if seed == SEEDS[0]:
        write_sample(seed, folder / str(seed), spacing_kji_mm=COARSE_MM)
        moved = SimpleITK.AffineTransform(3)
        moved.SetMatrix(patient.field.rotation.ravel().tolist())
        moved.SetCenter(patient.field.centre_mm.tolist())
        moved.SetTranslation(patient.field.translation_mm.tolist())
        SimpleITK.WriteTransform(moved, str(folder / str(seed) / "map.tfm"))
        with (folder / str(seed) / "case.toml").open("a") as file:
            file.write('\n[registration]\nfile = "map.tfm"\n')
        return
    image, matrix, masks = render(patient, "post", COARSE_MM)
    points = np.moveaxis(np.indices(image.shape), 0, -1)[..., ::-1] @ matrix[:3, :3].T + matrix[:3, 3]
    before = patient.field.pre_from_post(points.reshape(-1, 3))
    tumours = {f"tumour_{x.number}": (x.star(before) <= 0).reshape(image.shape) for x in patient.lesions}
    zones = {role: mask for role, mask in masks.items() if role.startswith("ablation")}
    noise = np.random.default_rng(seed).normal(0.0, 3.0, image.shape)
    for study, values, drawn in (("pre", image + noise, tumours), ("post", image, zones)):
        save(folder / str(seed) / study / "image.nii.gz", values.astype(np.int16), matrix)
        for role, mask in {"liver": masks["liver"], **drawn}.items():
            save(folder / str(seed) / study / f"{role}.nii.gz", mask, matrix)
    (folder / str(seed) / "case.toml").write_text('[facts]\nprimary = "colorectal"\n')


def manifest(folder: Path) -> Path:
    """Write the patients, two at a time, and their manifest."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(partial(write_patient, folder), SEEDS))
    lines = ["case_id,patient,pre,post,case"]
    lines += [f"c{seed},p{seed},{seed}/pre,{seed}/post,{seed}/case.toml" for seed in SEEDS]
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def made_up(results: dict[str, dict], path: Path) -> dict[tuple[str, str], tuple[str, int]]:
    """Write synthetic outcomes that depend on the margin, for every lesion, and return them."""
    rng = np.random.default_rng(12)
    outcomes = {}
    for case_id, result in results.items():
        for lesion in result["lesions"]:
            margin = lesion["margin"]["min_mm"]
            days = int(np.ceil(rng.exponential(500 * np.exp(0.12 * (0 if margin is None else margin)))))
            outcomes[case_id, lesion["lesion_id"]] = ("ltp", days) if days <= 730 else ("none", 730)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case_id", "lesion_id", "event", "days", "synthetic"])
        writer.writerows([*key, *value, "yes"] for key, value in outcomes.items())
    return outcomes


def test_twelve_patients_give_the_curves_that_lifelines_gives(tmp_path):
    ran = ablation("batch", manifest(tmp_path), "-o", tmp_path / "out", "--jobs", "2", "--registration", "identity")
    assert ran.code == 0, ran.stderr
    results = {p.parent.name: json.loads(p.read_text()) for p in (tmp_path / "out").glob("*/result.json")}
    assert len(results) == len(SEEDS)
    outcomes = made_up(results, tmp_path / "outcomes.csv")
    ran = ablation("audit", tmp_path / "out", "-o", tmp_path / "audit", "--outcomes", tmp_path / "outcomes.csv")
    assert ran.code == 0, ran.stderr
    audit = json.loads((tmp_path / "audit" / "audit.json").read_text())
    assert audit["survival"]["synthetic"] is True
    assert "synthetic" in (tmp_path / "audit" / "audit.html").read_text().lower()

    margins = {
        (case_id, lesion["lesion_id"]): lesion["margin"]["min_mm"]
        for case_id, result in results.items()
        for lesion in result["lesions"]
        if lesion["margin"]["min_mm"] is not None
    }
    curves = audit["survival"]["curves"]
    assert len(curves) >= 3
    assert sum(curve["lesions"] for curve in curves) == len(margins)
    for curve in curves:
        low, high = BANDS[curve["band"]]
        mine = [outcomes[key] for key, margin in margins.items() if low <= margin < high]
        theirs = KaplanMeierFitter().fit([days for _, days in mine], [event == "ltp" for event, _ in mine])
        np.testing.assert_allclose(curve["days"], theirs.survival_function_.index)
        np.testing.assert_allclose(curve["survival"], theirs.survival_function_["KM_estimate"])
        at_risk = [sum(days >= tick for _, days in mine) for tick in audit["survival"]["ticks_days"]]
        assert curve["at_risk"] == at_risk
