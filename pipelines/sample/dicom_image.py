"""CT and MR Image objects of a synthetic study, JPEG 2000 lossless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless, MRImageStorage

from pipelines.sample.uids import uid

if TYPE_CHECKING:
    from pipelines.sample.lattice import Lattice, Study
    from pipelines.sample.palettes import Palette

INTERCEPT_HU = -1024
LARGEST_STORED = 4095
DATES: dict[Study, str] = {"pre": "20200106", "post": "20200113"}
TIME = "093000"
MAKER = "ablation-planner (synthetic)"

PATIENT = {
    "PatientName": "SYNTHETIC^SAMPLE",
    "PatientBirthDate": "",
    "PatientSex": "O",
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "SYNTHETIC DATA, NO PERSON",
}
SERIES = {
    "SpecificCharacterSet": "ISO_IR 192",
    "Manufacturer": MAKER,
    "ManufacturerModelName": "sample",
    "SoftwareVersions": "1",
    "DeviceSerialNumber": "0",
    "AccessionNumber": "",
    "ReferringPhysicianName": "",
    "PositionReferenceIndicator": "",
    "PatientPosition": "HFS",
    "BodyPartExamined": "ABDOMEN",
    "SeriesNumber": 2,
    "AcquisitionNumber": 1,
    "LossyImageCompression": "00",
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "ContrastBolusRoute": "IV",
}
CT = {
    "Modality": "CT",
    "SOPClassUID": CTImageStorage,
    "KVP": "120",
    "ExposureTime": "500",
    "XRayTubeCurrent": "250",
    "ConvolutionKernel": "SYNTHETIC SOFT",
    "GantryDetectorTilt": "0",
    "ContrastBolusAgent": "SYNTHETIC PORTAL VENOUS 70S",
    "ImageType": ["DERIVED", "PRIMARY", "AXIAL"],
    "DerivationDescription": "Computed from an analytic phantom; no patient",
    "SeriesDescription": "Portal venous",
    "RescaleIntercept": INTERCEPT_HU,
    "RescaleSlope": 1,
    "RescaleType": "HU",
    "WindowCenter": 80,
    "WindowWidth": 350,
}
MR = {
    "Modality": "MR",
    "SOPClassUID": MRImageStorage,
    "ImageType": ["DERIVED", "PRIMARY", "OTHER"],
    "DerivationDescription": "Simulated contrast: computed from an analytic phantom; no patient",
    "MagneticFieldStrength": "1.5",
    "ScanOptions": "FS",
}
SEQUENCES = {
    "hepatobiliary T1": {
        "ScanningSequence": "GR",
        "SequenceVariant": "SP",
        "MRAcquisitionType": "3D",
        "RepetitionTime": "4",
        "EchoTime": "1.9",
        "EchoTrainLength": 1,
        "FlipAngle": "10",
        "ContrastBolusAgent": "SYNTHETIC HEPATOBILIARY 20MIN",
        "WindowCenter": 1000,
        "WindowWidth": 2000,
    },
    "T2": {
        "ScanningSequence": "SE",
        "SequenceVariant": "SK",
        "MRAcquisitionType": "2D",
        "RepetitionTime": "2500",
        "EchoTime": "90",
        "EchoTrainLength": 20,
        "FlipAngle": "90",
        "ContrastBolusAgent": "NONE",
        "WindowCenter": 800,
        "WindowWidth": 1600,
    },
}
STORED_PER_SIGNAL = 8.0
"""MR has no unit: signals are stored so many times larger, without a rescale."""


def series(
    image: npt.NDArray[np.float32], lattice: Lattice, study: Study, seed: int, palette: Palette
) -> list[Dataset]:
    """Return one uncompressed CT or MR dataset per slice, feet first."""
    common = _common(lattice, study, seed, palette)
    values = np.rint(image) - INTERCEPT_HU if palette.modality == "CT" else np.rint(STORED_PER_SIGNAL * image)
    stored = np.clip(values, 0, LARGEST_STORED).astype("<u2")
    role = _role(palette)
    return [_slice(common, stored[k], lattice, instance_uid=uid(seed, study, role, k), k=k) for k in range(len(stored))]


def _role(palette: Palette) -> str:
    return "ct" if palette.modality == "CT" else f"mr {palette.sequence}"


def compressed(dataset: Dataset) -> Dataset:
    """Return the dataset with its pixels as JPEG 2000 lossless; its UIDs stay."""
    # `Dataset.compress` would also need the package pylibjpeg; openjpeg's own encoder is all it would call.
    stored = np.frombuffer(dataset.PixelData, dtype="<u2").reshape(dataset.Rows, dataset.Columns)
    stream = encode_array(stored, bits_stored=dataset.BitsStored, photometric_interpretation=2)
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    return dataset


def _common(lattice: Lattice, study: Study, seed: int, palette: Palette) -> dict[str, Any]:
    """Return the attributes that all slices share."""
    is_ct, role = palette.modality == "CT", _role(palette)
    own = CT if is_ct else {**MR, **SEQUENCES[palette.sequence]}
    named = {} if is_ct else {"SeriesDescription": f"Simulated contrast: {palette.sequence}"}
    of = "" if is_ct else f" of {role}"
    date = DATES[study]
    dates = {f"{level}Date": date for level in ("Study", "Series", "Acquisition", "Content", "InstanceCreation")}
    times = {f"{level}Time": TIME for level in ("Study", "Series", "Acquisition", "Content", "InstanceCreation")}
    return {
        **PATIENT,
        **SERIES,
        **own,
        **named,
        **dates,
        **times,
        "PatientID": f"SYNTHETIC-{seed}",
        "StudyID": "1" if study == "pre" else "2",
        "StudyDescription": f"{palette.modality} liver {study}-ablation (synthetic)",
        "StudyInstanceUID": uid(seed, study, f"study{of}"),
        "SeriesInstanceUID": uid(seed, study, f"{role} series"),
        "FrameOfReferenceUID": uid(seed, study, f"frame of reference{of}"),
        "Rows": lattice.shape_kji[1],
        "Columns": lattice.shape_kji[2],
        "PixelSpacing": list(lattice.spacing_kji_mm[1:]),
        "SliceThickness": lattice.spacing_kji_mm[0],
        "SpacingBetweenSlices": lattice.spacing_kji_mm[0],
        **_tilt(lattice),
    }


def _tilt(lattice: Lattice) -> dict[str, Any]:
    """Return what a tilted gantry changes: of the slices' distance only the positions speak then."""
    if not lattice.tilt_degrees:
        return {}
    column = [round(v, 9) for v in lattice.column_lps]
    return {
        "ImageOrientationPatient": [1, 0, 0, *column],
        "GantryDetectorTilt": f"{lattice.tilt_degrees:g}",
        "SpacingBetweenSlices": None,
    }


def _slice(
    common: dict[str, Any], stored: npt.NDArray[np.uint16], lattice: Lattice, *, instance_uid: str, k: int
) -> Dataset:
    """Return one slice."""
    dataset = Dataset()
    x, y, z = lattice.origin_lps_mm
    position = round(z + k * lattice.spacing_kji_mm[0], 4)
    own = {
        "SOPInstanceUID": UID(instance_uid),
        "InstanceNumber": k + 1,
        "ImagePositionPatient": [x, y, position],
        "SliceLocation": position,
    }
    for name, value in {**common, **own}.items():
        if value is not None:
            setattr(dataset, name, value)
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OW"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = common["SOPClassUID"]
    meta.MediaStorageSOPInstanceUID = UID(instance_uid)
    dataset.file_meta = meta
    return dataset
