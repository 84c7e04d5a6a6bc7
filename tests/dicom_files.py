"""DICOM files for tests, written by pydicom from a lattice and stored values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

FRAME = "1.2.826.0.1.3680043.8.498.1001"
SERIES = "1.2.826.0.1.3680043.8.498.2001"
PATIENT_NAME, PATIENT_ID = "Mustermann^Erika", "ID-4711"


def affine(
    origin=(-30.0, 12.0, 100.0), spacing=(0.7, 0.8, 2.5), row=(1.0, 0.0, 0.0), column=(0.0, 1.0, 0.0), step=None
) -> np.ndarray:
    """Return column, row, slice indices -> LPS mm; `step` is the slice step if not along the normal."""
    row, column = np.asarray(row, float), np.asarray(column, float)
    normal = np.cross(row, column)
    matrix = np.eye(4)
    matrix[:3, 0] = row * spacing[0]
    matrix[:3, 1] = column * spacing[1]
    matrix[:3, 2] = normal * spacing[2] if step is None else step
    matrix[:3, 3] = origin
    return matrix


def oblique() -> np.ndarray:
    """Return an affine whose axes follow no patient axis."""
    turn = np.linalg.qr(np.array([[0.9, 0.2, 0.1], [-0.15, 0.95, 0.3], [0.05, -0.25, 1.0]]))[0]
    turn = turn * np.sign(np.diag(turn))
    return affine(row=np.round(turn[:, 0], 10), column=np.round(turn[:, 1], 10))


def slice_dataset(stored: np.ndarray, matrix: np.ndarray, k: int, **changes) -> FileDataset:
    """Return slice `k` of a series; `changes` set elements by keyword, None deletes one."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(matrix), str(k)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    values = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.3001",
        "SeriesInstanceUID": SERIES,
        "FrameOfReferenceUID": FRAME,
        "Modality": "CT",
        "SeriesNumber": 4,
        "InstanceNumber": 100 - k,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "PatientName": PATIENT_NAME,
        "PatientID": PATIENT_ID,
        "PatientBirthDate": "19500101",
        "PatientSex": "F",
        "StudyDate": "20240102",
        "StudyTime": "101010",
        "StudyID": "1",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "SeriesDescription": PATIENT_NAME,
        "Manufacturer": "",
        "PatientPosition": "HFS",
        "PositionReferenceIndicator": "",
        "ImagePositionPatient": [f"{v:.9g}" for v in (matrix @ [0, 0, k, 1])[:3]],
        "ImageOrientationPatient": [f"{v:.10g}" for v in (*matrix[:3, 0] / spacing[0], *matrix[:3, 1] / spacing[1])],
        "PixelSpacing": [f"{spacing[1]:.9g}", f"{spacing[0]:.9g}"],
        "SliceThickness": "2.5",
        "Rows": stored.shape[0],
        "Columns": stored.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "RescaleSlope": "1",
        "RescaleIntercept": "-1024",
        "PixelData": stored.astype("<i2").tobytes(),
    }
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def stored_values(shape=(6, 5, 7), seed=0) -> np.ndarray:
    """Return stored values, every one different in expectation."""
    return np.random.default_rng(seed).integers(0, 3000, shape)


def series_datasets(stored: np.ndarray, matrix: np.ndarray, **changes) -> list[FileDataset]:
    """Return the slices of a series."""
    return [slice_dataset(stored[k], matrix, k, **changes) for k in range(len(stored))]


def write(datasets: list[FileDataset], folder: Path, names: list[str] | None = None) -> Path:
    """Write datasets below `folder`; names may hold sub-folders."""
    for n, dataset in enumerate(datasets):
        path = folder / (names[n] if names else f"{n:03d}.dcm")
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
    return folder


def write_seg(
    path: Path, sources: list[FileDataset], masks: dict[str, np.ndarray], codes: dict[str, Dataset | tuple], **kw
):
    """Write a DICOM SEG by highdicom: masks by label, axes k, j, i in the order of `sources`; codes by label."""
    import highdicom as hd
    from pydicom.sr.coding import Code

    descriptions = []
    for number, label in enumerate(masks, start=1):
        category, kind = codes.get(label, (("85756007", "SCT", "Tissue"), ("85756007", "SCT", "Tissue")))
        descriptions.append(
            hd.seg.SegmentDescription(
                segment_number=number,
                segment_label=label,
                segmented_property_category=Code(*category),
                segmented_property_type=Code(*kind),
                algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            )
        )
    settings = {"segmentation_type": hd.seg.SegmentationTypeValues.BINARY} | kw
    pixels = np.stack(list(masks.values()), axis=-1)
    segmentation = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels if pixels.dtype.kind == "f" else pixels.astype(np.uint8),
        segment_descriptions=descriptions,
        series_instance_uid="1.2.826.0.1.3680043.8.498.5001",
        series_number=900,
        sop_instance_uid=generate_uid(entropy_srcs=[str(path)]),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
        **settings,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    segmentation.save_as(path)
    return path
