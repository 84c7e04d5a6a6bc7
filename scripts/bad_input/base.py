"""The sound pair that every case begins with, and what cases are registered by."""

from __future__ import annotations

import atexit
import json
import random
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from bad_input.raw import File

ROOT_UID = "1.2.826.0.1.3680043.8.498"
SHAPE = (8, 9, 10)
SPACING_KJI_MM = (2.5, 0.8, 0.7)
ORIGIN_LPS_MM = (-30.0, 12.0, 100.0)
ROWS, COLUMNS, SPACING, POSITION, ORIENTATION = 0x00280010, 0x00280011, 0x00280030, 0x00200032, 0x00200037
SLOPE, INTERCEPT, SERIES, FRAME = 0x00281053, 0x00281052, 0x0020000E, 0x00200052

Maker = Callable[["Place"], None]
CASES: dict[str, Maker] = {}
"""Number of a case, with a letter where it has variants -> what makes it of a sound pair."""


def case(*numbers: str) -> Callable[[Maker], Maker]:
    """Register what makes a case; called once for each number, which it finds as `place.number`."""

    def take(maker: Maker) -> Maker:
        for number in numbers:
            if number in CASES:
                raise ValueError(f"case {number} is made twice")
            CASES[number] = maker
        return maker

    return take


@dataclass
class Place:
    """Where a case is made: a folder with `pre/` and `post/`, and chance that a seed decides."""

    number: str
    folder: Path
    chance: random.Random

    @property
    def letter(self) -> str:
        """The variant."""
        return self.number.lstrip("0123456789")

    @property
    def pre(self) -> Path:
        """The study with the fault, as a rule."""
        return self.folder / "pre"

    @property
    def post(self) -> Path:
        """The other study."""
        return self.folder / "post"

    @property
    def slices(self) -> list[Path]:
        """The slices of PRE, from the first position to the last."""
        return sorted((self.pre / "ct").iterdir())

    @property
    def seg(self) -> Path:
        """The segmentation of PRE."""
        return self.pre / "seg.dcm"

    def edit(self, change: Callable[[File], object], which: Sequence[int] | None = None) -> None:
        """Change the slices of PRE, all or some, before anything else of them is unsound."""
        for n, path in enumerate(self.slices):
            if which is None or n in which:
                content = File.read(path)
                change(content)
                content.write(path)

    def edit_file(self, path: Path, change: Callable[[File], object]) -> None:
        """Change another file."""
        content = File.read(path)
        change(content)
        content.write(path)

    def call(self, **said: object) -> None:
        """Note what is not usual of the call; see `make_bad_input.py`."""
        path = self.folder / "call.json"
        known = json.loads(path.read_text()) if path.is_file() else {}
        path.write_text(json.dumps(known | said, indent=1))

    def case_file(self, text: str) -> None:
        """Write a case file and have it read."""
        (self.folder / "case.toml").write_text(text)
        self.call(case="case.toml")

    def voxels(self) -> None:
        """Make both studies folders of NIfTI files instead."""
        for study, role, mask in ((self.pre, "tumour", tumour()), (self.post, "ablation", zone())):
            shutil.rmtree(study)
            study.mkdir()
            save_nifti(study / "image.nii.gz", image())
            save_nifti(study / f"{role}.nii.gz", mask.astype(np.uint8))


def image() -> np.ndarray:
    """Return stored values, axes k, j, i."""
    return np.random.default_rng(1).integers(900, 1200, SHAPE).astype("<i2")


def block(*bounds: tuple[int, int]) -> np.ndarray:
    """Return a mask that is a block of voxels."""
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(a, b) for a, b in bounds)] = True
    return mask


def tumour() -> np.ndarray:
    """Return the tumour."""
    return block((3, 5), (3, 5), (3, 5))


def zone() -> np.ndarray:
    """Return the ablation zone."""
    return block((2, 6), (2, 6), (2, 6))


def affine(shear_mm: float = 0.0) -> np.ndarray:
    """Return the map of column, row, slice indices to LPS mm; a shear moves each slice on along its columns."""
    matrix = np.diag([*SPACING_KJI_MM[::-1], 1.0])
    matrix[:3, 3] = ORIGIN_LPS_MM
    matrix[1, 2] = shear_mm
    return matrix


def datasets(study: str, shear_mm: float = 0.0, stored: np.ndarray | None = None) -> list[FileDataset]:
    """Return the slices of a series."""
    return [slice_of(study, k, affine(shear_mm), image() if stored is None else stored) for k in range(SHAPE[0])]


def slice_of(study: str, k: int, matrix: np.ndarray, stored: np.ndarray) -> FileDataset:
    """Return a slice."""
    study_uid = f"{ROOT_UID}.{1 if study == 'pre' else 2}"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"{study_uid}.3.{k + 1}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword, value in {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": f"{study_uid}.3.{k + 1}",
        "StudyInstanceUID": f"{study_uid}.1", "SeriesInstanceUID": f"{study_uid}.2",
        "FrameOfReferenceUID": f"{ROOT_UID}.4", "Modality": "CT", "SeriesNumber": 4, "InstanceNumber": k + 1,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "PatientName": "Invented^Patient", "PatientID": "INV-1",
        "PatientBirthDate": "19500101", "PatientSex": "O", "StudyDate": "20240102", "StudyTime": "101010",
        "StudyID": "1", "AccessionNumber": "", "ReferringPhysicianName": "", "SeriesDescription": "abdomen",
        "Manufacturer": "", "PatientPosition": "HFS", "PositionReferenceIndicator": "",
        "ImagePositionPatient": [f"{v:.9g}" for v in (matrix @ [0, 0, k, 1])[:3]],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "PixelSpacing": [f"{v:.9g}" for v in SPACING_KJI_MM[1:]], "SliceThickness": "2.5",
        "Rows": SHAPE[1], "Columns": SHAPE[2], "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1,
        "RescaleSlope": "1", "RescaleIntercept": "-1024", "PixelData": stored[k].astype("<i2").tobytes(),
    }.items():  # fmt: skip
        setattr(dataset, keyword, value)
    return dataset


def write_seg(path: Path, sources: list[FileDataset], masks: dict[str, np.ndarray], **settings: object) -> None:
    """Write a segmentation by highdicom; masks by label, whose code says tumour unless it begins with `Ablation`."""
    import highdicom as hd
    from pydicom.sr.coding import Code

    lesion = (Code("49755003", "SCT", "Morphologically abnormal structure"), Code("108369006", "SCT", "Neoplasm"))
    liver = (Code("123037004", "SCT", "Anatomical structure"), Code("10200004", "SCT", "Liver"))
    plain = (Code("85756007", "SCT", "Tissue"), Code("85756007", "SCT", "Tissue"))
    descriptions = []
    for number, label in enumerate(masks, start=1):
        category, kind = liver if label == "Liver" else plain if label.startswith("Ablation") else lesion
        descriptions.append(hd.seg.SegmentDescription(
            segment_number=number, segment_label=label, segmented_property_category=category,
            segmented_property_type=kind, algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        ))  # fmt: skip
    pixels = np.stack(list(masks.values()), axis=-1)
    written = hd.seg.Segmentation(
        source_images=sources, pixel_array=pixels if pixels.dtype.kind == "f" else pixels.astype(np.uint8),
        segment_descriptions=descriptions, series_instance_uid=f"{sources[0].StudyInstanceUID}.9", series_number=900,
        sop_instance_uid=f"{sources[0].StudyInstanceUID}.9.1", instance_number=1, manufacturer="made",
        manufacturer_model_name="made", software_versions="1", device_serial_number="1",
        **({"segmentation_type": hd.seg.SegmentationTypeValues.BINARY, "omit_empty_frames": True} | settings),
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    written.save_as(path)


def write_slices(folder: Path, slices: Sequence[FileDataset]) -> None:
    """Write slices as 000.dcm, 001.dcm, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, dataset in enumerate(slices):
        dataset.save_as(folder / f"{k:03d}.dcm", enforce_file_format=True)


def write_study(
    folder: Path, shear_mm: float = 0.0, masks: dict[str, np.ndarray] | None = None, **settings: object
) -> None:
    """Write a series and its segmentation, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    slices = datasets(folder.name, shear_mm)
    write_slices(folder / "ct", slices)
    found = ({"Tumour": tumour()} if folder.name == "pre" else {"Ablation": zone()}) if masks is None else masks
    if found:
        write_seg(folder / "seg.dcm", slices, found, **settings)


def save_nifti(path: Path, values_kji: np.ndarray, ras: np.ndarray | None = None) -> None:
    """Write a NIfTI-1 file as bytes, by sform alone."""
    import gzip

    header = nifti_header(values_kji.shape[::-1], values_kji.dtype, ras)
    content = header + values_kji.tobytes()
    path.write_bytes(gzip.compress(content) if path.name.endswith("gz") else content)


def nifti_header(
    sizes: Sequence[int], dtype: np.dtype, ras: np.ndarray | None = None, qform: Sequence[float] | None = None
) -> bytes:
    """Return a NIfTI-1 header of 352 bytes; `qform` is quatern_b, c, d and the offset."""
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine() if ras is None else ras
    code, bits = {"u1": (2, 8), "i2": (4, 16), "f4": (16, 32), "f8": (64, 64)}[dtype.str[1:]]
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, len(sizes), *sizes, *[1] * (7 - len(sizes)))
    struct.pack_into("<hh", header, 70, code, bits)
    pixdim = [1.0, *SPACING_KJI_MM[::-1], 0.0, 0.0, 0.0, 0.0]
    struct.pack_into("<8f", header, 76, *pixdim)
    struct.pack_into("<fff", header, 108, 352.0, 1.0, 0.0)
    header[123] = 2
    struct.pack_into("<hh", header, 252, 1 if qform else 0, 1)
    if qform:
        struct.pack_into("<6f", header, 256, *qform)
    struct.pack_into("<12f", header, 280, *matrix[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header)


def zeros_deflated(megabytes: int, wbits: int, start: bytes = b"") -> bytes:
    """Return a deflate stream of `start` and megabytes of zeros: one packed block over and over. It does not end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * megabytes


def nrrd_header(sizes: Sequence[int], encoding: str = "raw", kind: str = "uint8", more: str = "") -> bytes:
    """Return an NRRD header with its empty line."""
    steps = " ".join("(" + ",".join(f"{v:g}" for v in row) + ")" for row in affine()[:3, :3].T)
    origin = ",".join(f"{v:g}" for v in ORIGIN_LPS_MM)
    said = f"NRRD0004\ntype: {kind}\ndimension: 3\nspace: left-posterior-superior\nsizes: {' '.join(map(str, sizes))}\n"
    said += f"space directions: {steps}\nkinds: domain domain domain\nendian: little\nencoding: {encoding}\n"
    return f"{said}space origin: ({origin})\n{more}\n".encode()


@cache
def sound_pair() -> Path:
    """Return a folder with the sound pair, made once."""
    folder = Path(tempfile.mkdtemp(prefix="sound-pair-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with pydicom.config.disable_value_validation():
        write_study(folder / "pre")
        write_study(folder / "post")
    return folder


def make(number: str, output: Path, seed: int) -> Path:
    """Make a case below `output` and return its folder."""
    folder = output / number
    folder.mkdir(parents=True)
    for study in ("pre", "post"):
        shutil.copytree(sound_pair() / study, folder / study)
    CASES[number](Place(number, folder, random.Random(f"{seed} {number}")))  # noqa: S311 - chance, not secrecy
    return folder
