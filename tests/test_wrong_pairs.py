"""Two studies that do not go together, or one that is not what it states: one clear outcome each, never a margin."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pydicom
import pytest
from cli_runs import ablation
from pydicom.pixels import pack_bits
from pydicom.uid import CTImageStorage
from studies import post, pre

from pipelines.sample import write_sample
from pipelines.sample.palettes import CT, HEPATOBILIARY
from planner.register.align import register
from planner.register.prepare import Scan
from planner.register.settings import RegistrationSettings
from planner.volume import Mask, Volume

COARSE_MM = (6.0, 4.0, 4.0)
SETTINGS = RegistrationSettings(working_mm=3.0)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ct-mr")
    write_sample(3, folder, spacing_kji_mm=COARSE_MM, palettes=(CT, HEPATOBILIARY))
    return folder


def rewritten(folder, change):
    for path in folder.glob("*_0*.dcm"):
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path)


def copied(sample, tmp_path):
    return shutil.copytree(sample, tmp_path / "case")


def review(folder, out, *options):
    return ablation("review", folder / "pre", folder / "post", "--case", folder / "case.toml", "-o", out, *options)


def test_mr_that_is_given_as_ct(sample, tmp_path):
    folder = copied(sample, tmp_path)

    def to_ct(dataset):
        dataset.Modality, dataset.SOPClassUID = "CT", CTImageStorage
        dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage

    rewritten(folder / "post", to_ct)
    ran = review(folder, tmp_path / "out")
    assert ran.code == 3
    assert ran.stderr.splitlines()[-1].startswith("error [not-hounsfield]: POST: states CT, but no value lies below")
    assert not (tmp_path / "out" / "result.json").exists()


def test_a_study_of_another_modality_than_the_case_file_states(sample, tmp_path):
    folder = copied(sample, tmp_path)
    (folder / "case.toml").write_text('[post]\nmodality = "CT"\n', encoding="utf-8")
    ran = review(folder, tmp_path / "out")
    assert ran.code == 3
    assert "error [other-modality]: POST: the image is MR, the case file states CT" in ran.stderr


def test_a_volume_whose_slices_run_the_wrong_way(sample, tmp_path):
    """The heights of the slices were numbered from the wrong end: the liver stands on its head, mirrored."""
    folder = copied(sample, tmp_path)
    paths = sorted((folder / "pre").glob("CT_*.dcm"))
    slices = [pydicom.dcmread(path) for path in paths]
    places = [s.ImagePositionPatient for s in slices]
    for dataset, place in zip(slices, reversed(places), strict=True):
        dataset.ImagePositionPatient = place
    for path, dataset in zip(paths, slices, strict=True):
        dataset.save_as(path)
    seg = pydicom.dcmread(folder / "pre" / "seg.dcm")
    heights = {str(p[2]): list(q) for p, q in zip(places, reversed(places), strict=True)}
    for frame in seg.PerFrameFunctionalGroupsSequence:
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        nearest = min(heights, key=lambda z: abs(float(z) - float(position[2])))
        frame.PlanePositionSequence[0].ImagePositionPatient = heights[nearest]
    seg.save_as(folder / "pre" / "seg.dcm")
    ran = review(folder, tmp_path / "out")
    assert ran.code == 3
    assert "error [mirrored]: PRE and POST: one liver fits the other only mirrored" in ran.stderr


def flipped(scan: Scan, *, masks: bool) -> Scan:
    """The image mirrored left to right; its masks too, or as they were."""
    image = Volume(np.flip(scan.image.voxels_kji, 2), scan.image.grid, "CT")
    if not masks or scan.liver is None:
        return Scan(image, scan.liver, scan.lesions)
    return Scan(image, Mask(np.flip(scan.liver.voxels_kji, 2), scan.liver.grid, "liver"), scan.lesions)


@pytest.mark.parametrize("masks", [True, False])
def test_a_flipped_image_fails_the_gate_where_the_liver_does_not_tell(masks: bool) -> None:
    """The liver of this body is an ellipsoid, which looks the same in a mirror."""
    here, zones = post()
    assert register(flipped(pre(), masks=masks), here, zones, SETTINGS).verdict("1") == "fail"


def test_two_patients_are_refused(sample, tmp_path):
    folder = copied(sample, tmp_path)
    rewritten(folder / "post", lambda dataset: setattr(dataset, "PatientID", "SYNTHETIC-other"))
    (folder / "post" / "seg.dcm").unlink()
    ran = review(folder, tmp_path / "out")
    assert ran.code == 3
    assert "error [different-patients]" in ran.stderr


def test_a_scan_that_ends_in_the_tumour_gives_no_margin_of_it(sample, tmp_path):
    folder = copied(sample, tmp_path)
    path = folder / "pre" / "seg.dcm"
    seg = pydicom.dcmread(path)
    frames = list(seg.PerFrameFunctionalGroupsSequence)
    tumours = {s.SegmentNumber: s.SegmentLabel[-1] for s in seg.SegmentSequence if s.SegmentLabel[:6] == "Tumour"}
    height = [float(f.PlanePositionSequence[0].ImagePositionPatient[2]) for f in frames]
    of = [f.SegmentIdentificationSequence[0].ReferencedSegmentNumber for f in frames]
    middles = {n: float(np.median([z for z, m in zip(height, of, strict=True) if m == n])) for n in tumours}
    lowest = min(middles, key=lambda n: middles[n])
    cut = middles[lowest]
    kept = [n for n, z in enumerate(height) if z >= cut]
    seg.PixelData = pack_bits(seg.pixel_array[kept].ravel())
    seg.PerFrameFunctionalGroupsSequence = [frames[n] for n in kept]
    seg.NumberOfFrames = len(kept)
    seg.save_as(path)
    for path in (folder / "pre").glob("CT_*.dcm"):
        if float(pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient[2]) < cut - 0.1:
            path.unlink()
    ran = review(folder, tmp_path / "out", "--registration", "rigid")
    assert ran.code in (0, 4), ran.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    lesion = next(x for x in result["lesions"] if x["lesion_id"] == tumours[lowest])
    assert lesion["status"] == "not_assessable"
    assert lesion["margin"]["min_mm"] is None
    assert "scan-ends-in-lesion" in {r["code"] for r in lesion["reasons"]}
