#!/usr/bin/env python3
"""What reading costs and how exact it is, beside SimpleITK and pydicom in the same run.

Time: a synthetic series of `--slices` x 512 x 512 in each encoding, from a folder of files to a rescaled volume; CPU
seconds, best of `--repeat`. SimpleITK: file names by its own series scan, then its series reader. pydicom: headers and
pixel arrays in a loop, sorted along the normal, stacked and rescaled (no check, no hash). Ours also hashes every file.
Geometry: the largest distance between where a reader puts a corner of a slice and where that slice's header puts it,
slices matched by their pixels, on the real series of the test data. Shapes (--shapes): the sample of `--seed` written
in other shapes and reviewed whole; margins beside those of the plain DICOM, by its own registration and by the same
map.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from bench_margin import show
from bench_registration import real_folder
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless
from scipy import ndimage

from pipelines.dicom.index import index_files, quiet_pydicom
from pipelines.dicom.series import choose_series, read_series
from pipelines.dicom.walk import regular_files
from pipelines.sample import write_sample
from pipelines.settings import Settings
from pipelines.source import FolderSource
from planner.assess import assess
from planner.case import Case
from planner.errors import InputError
from planner.register.align import register
from planner.register.alignment import Alignment
from planner.scene import zone_surfaces

ENCODINGS = {"uncompressed": None, "JPEG 2000": JPEG2000Lossless, "JPEG-LS": JPEGLSLossless, "RLE": RLELossless}
SIZE = 512
MODALITIES = ("CT", "MR", "PT")
GEOMETRY = (
    "totalseg_ct_j2k", "dcmqi/segmentations/ct-3slice", "awkward/failing/gantrytilting/001",
    "awkward/failing/sliceincrement/001", "awkward/failing/sliceincrement/002", "awkward/failing/notavolume/001",
    "awkward/failing/sliceorientation/001", "awkward/ge_mr_two_volumes_one_series", "ibsi_sts/STS_001/CT/image",
    "ibsi_sts/STS_001/MR_T1/image", "ibsi_sts/STS_008/PET/image",
)  # fmt: skip
SHAPES = ("enhanced", "labelmap", "rtstruct", "nifti")
TILTS_DEGREES = (14.0, -10.0)


def slices_of(seed: int, count: int) -> np.ndarray:
    """Return stored values that compress about as CT does: smooth anatomy and noise of 15 units."""
    rng = np.random.default_rng(seed)
    coarse = ndimage.gaussian_filter(rng.normal(size=(count, 64, 64)), (1, 2, 2))
    smooth = ndimage.zoom(coarse, (1, SIZE // 64, SIZE // 64), order=1) * 3000 + 1000
    return np.clip(smooth + 15 * rng.normal(size=smooth.shape), 0, 4095).astype("<u2")


def write_series(stored: np.ndarray, folder: Path, syntax: str | None) -> None:
    """Write a CT series, a file per slice."""
    for k, values in enumerate(stored):
        dataset = Dataset()
        for keyword, value in {
            "SOPClassUID": CTImageStorage, "SOPInstanceUID": f"1.2.3.{k + 1}", "SeriesInstanceUID": "1.2.3",
            "StudyInstanceUID": "1.2", "FrameOfReferenceUID": "1.2.4", "Modality": "CT", "PatientID": "bench",
            "InstanceNumber": len(stored) - k, "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "ImagePositionPatient": [-180.0, -180.0, float(k)], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [0.7, 0.7], "SliceThickness": "1", "Rows": SIZE, "Columns": SIZE, "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
            "PixelRepresentation": 0, "RescaleSlope": "1", "RescaleIntercept": "-1024",
            "PixelData": values.tobytes(),
        }.items():  # fmt: skip
            setattr(dataset, keyword, value)
        dataset["PixelData"].VR = "OW"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        if syntax is not None:
            dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(folder / f"{k:04d}.dcm", enforce_file_format=True)


def by_ours(folder: Path) -> np.ndarray:
    return read_series(choose_series(index_files(regular_files(folder)))).volume.voxels_kji


def by_simpleitk(folder: Path) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def by_pydicom(folder: Path) -> np.ndarray:
    with quiet_pydicom():
        read = [pydicom.dcmread(path) for path in folder.iterdir()]
        read.sort(key=lambda d: float(d.ImagePositionPatient[2]))
        out = np.empty((len(read), SIZE, SIZE), np.float32)
        for k, dataset in enumerate(read):
            out[k] = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    return out


READERS: dict[str, Callable[[Path], np.ndarray | sitk.Image]] = {
    "ours": by_ours,
    "SimpleITK": by_simpleitk,
    "pydicom": by_pydicom,
}


def timed(seed: int, count: int, repeat: int) -> list[dict[str, Any]]:
    """Return a row per encoding."""
    rows = []
    stored = slices_of(seed, count)
    for name, syntax in ENCODINGS.items():
        with tempfile.TemporaryDirectory() as folder:
            write_series(stored, Path(folder), syntax)
            size_mb = sum(p.stat().st_size for p in Path(folder).iterdir()) / 1e6
            cpu_s: dict[str, list[float]] = {reader: [] for reader in READERS}
            for _ in range(repeat):
                for reader, read in READERS.items():
                    start = time.process_time()
                    found = read(Path(folder))
                    cpu_s[reader].append(time.process_time() - start)
                    voxels = sitk.GetArrayFromImage(found) if isinstance(found, sitk.Image) else found
                    if not np.array_equal(voxels, stored.astype(np.float32) - 1024):
                        raise SystemExit(f"{reader}, {name}: not the voxels that were written")
        best = {reader: min(values) for reader, values in cpu_s.items()}
        rows.append({"encoding": name, "seed": seed, "mb": size_mb, **{f"{r}_cpu_s": s for r, s in best.items()},
                     "ours / SimpleITK": best["ours"] / best["SimpleITK"]})  # fmt: skip
    return rows


def header_corners(dataset: Dataset) -> np.ndarray:
    """Return the four corners of a slice by its header, LPS mm."""
    origin = np.array(dataset.ImagePositionPatient, float)
    along, down = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
    row_mm, column_mm = map(float, dataset.PixelSpacing)
    ends = [(r, c) for r in (0, dataset.Rows - 1) for c in (0, dataset.Columns - 1)]
    return np.array([origin + along * column_mm * c + down * row_mm * r for r, c in ends])


def simpleitk_error_mm(folder: Path) -> str:
    """Return the largest error of SimpleITK's series reader, slices matched by their pixels."""
    reader = sitk.ImageSeriesReader()
    try:
        image = reader_image(reader, folder)
    except RuntimeError:
        return "fails"
    voxels = sitk.GetArrayViewFromImage(image)
    worst = 0.0
    with quiet_pydicom():
        for dataset in (pydicom.dcmread(path) for path in regular_files(folder)):
            values = dataset.pixel_array * float(dataset.get("RescaleSlope", 1)) + float(
                dataset.get("RescaleIntercept", 0)
            )
            far = [float(np.abs(voxels[k] - values).mean()) for k in range(len(voxels))]
            k = int(np.argmin(far))
            ends = [(r, c) for r in (0, dataset.Rows - 1) for c in (0, dataset.Columns - 1)]
            found = np.array([image.TransformIndexToPhysicalPoint((int(c), int(r), k)) for r, c in ends])
            worst = max(worst, float(np.linalg.norm(found - header_corners(dataset), axis=1).max()))
    return f"{worst:.4f}"


def reader_image(reader: sitk.ImageSeriesReader, folder: Path) -> sitk.Image:
    """Return what SimpleITK reads of a folder's first series."""
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def our_error_mm(folder: Path) -> str:
    """Return our largest error, or the code of the refusal."""
    try:
        grid = read_series(choose_series(index_files(regular_files(folder)), "", MODALITIES)).volume.grid
    except InputError as error:
        return f"refused: {error.code}"
    worst = 0.0
    with quiet_pydicom():
        for dataset in (pydicom.dcmread(p, stop_before_pixels=True, force=True) for p in regular_files(folder)):
            corners = header_corners(dataset)
            k = round(grid.ijk(corners[0])[0][2])
            ends = [(r, c) for r in (0, dataset.Rows - 1) for c in (0, dataset.Columns - 1)]
            found = grid.lps_mm([(c, r, k) for r, c in ends])
            worst = max(worst, float(np.linalg.norm(found - corners, axis=1).max()))
    return f"{worst:.4f}"


def geometry(data: Path) -> list[dict[str, Any]]:
    """Return a row per real series."""
    return [
        {"series": name, "ours_mm": our_error_mm(data / name), "SimpleITK_mm": simpleitk_error_mm(data / name)}
        for name in GEOMETRY
    ]


def read_case(folder: Path) -> Case:
    source = FolderSource(folder / "pre", folder / "post", folder / "case.toml", "bench")
    return source.read(lambda *_: None).case


def margins(case: Case, alignment: Alignment | None) -> tuple[Alignment, list[float]]:
    """Return the map (found, where none is given) and the minimal margin of each lesion."""
    settings, zones = Settings(), zone_surfaces(case.post)
    if alignment is None:
        pre, post = case.pre.scan(case.pre.tumours), case.post.scan(case.post.ablations)
        alignment = register(pre, post, zones, settings.registration)
    found = assess(case, alignment, zones, settings.assess)
    return alignment, [lesion.margin.min_mm if lesion.margin else np.nan for lesion in found.lesions]


def shapes(seed: int) -> list[dict[str, Any]]:
    """Return a row per shape: how far its margins are from those of the plain DICOM."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "dicom"
        write_sample(seed, plain)
        alignment, known = margins(read_case(plain), None)
        asked = [(shape, 0.0) for shape in SHAPES] + [("dicom", tilt) for tilt in TILTS_DEGREES]
        for shape, tilt in asked:
            here = Path(folder) / f"{shape}{tilt}"
            write_sample(seed, here, shape=shape, tilt_degrees=tilt)
            case = read_case(here)
            name = f"tilted by {tilt:g} degrees" if tilt else shape
            rows.append({"shape": name, "seed": seed, **worst("same map", margins(case, alignment)[1], known),
                         **worst("own registration", margins(case, None)[1], known)})  # fmt: skip
    return rows


def worst(what: str, found: Sequence[float], known: Sequence[float]) -> dict[str, float]:
    return {f"largest difference of a margin, {what}, mm": float(np.abs(np.subtract(found, known)).max())}


def main() -> None:
    """Read, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=6000, help="first seed of the synthetic series")
    parser.add_argument("--cases", type=int, default=1, help="synthetic series (and samples) of further seeds")
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--shapes", action="store_true", help="also the sample in other shapes (minutes)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.cases)
    document: dict[str, Any] = {"seed": options.seed, "slices": options.slices}
    document["time"] = [row for seed in seeds for row in timed(seed, options.slices, options.repeat)]
    show(document["time"])
    if real_folder().is_dir():
        document["geometry"] = geometry(real_folder().parent)
        print()
        show(document["geometry"])
    else:
        print("the real series of the test data are not here: set ABLATION_TEST_DATA")
    if options.shapes:
        document["shapes"] = [row for seed in seeds for row in shapes(seed)]
        print()
        show(document["shapes"])
    if options.json:
        options.json.write_text(json.dumps(document) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
