"""A synthetic study in the other shapes in which hospitals and research tools hand one over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import nibabel
import numpy as np
import numpy.typing as npt
from highdicom.legacy import LegacyConvertedEnhancedCTImage
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, RTStructureSetStorage
from skimage.measure import find_contours

from pipelines.sample.dicom_image import DATES, INTERCEPT_HU, MAKER, PATIENT, TIME
from pipelines.sample.dicom_seg import label_of
from pipelines.sample.uids import uid

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.sample.lattice import Lattice, Study
    from pipelines.sample.rendering import Mask

Shape = Literal["dicom", "enhanced", "labelmap", "rtstruct", "nifti"]
SHAPES: tuple[Shape, ...] = ("dicom", "enhanced", "labelmap", "rtstruct", "nifti")
"""Single-frame images with a binary SEG; one enhanced image; label map SEGs; an RTSTRUCT; NIfTI files."""

RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
HALF = 0.5


def enhanced(slices: list[Dataset], study: Study, seed: int) -> Dataset:
    """Return the slices as one enhanced multi-frame image, converted by highdicom."""
    made: Dataset = LegacyConvertedEnhancedCTImage(
        slices,
        series_instance_uid=uid(seed, study, "enhanced series"),
        series_number=3,
        sop_instance_uid=uid(seed, study, "enhanced"),
        instance_number=1,
    )
    made.Rows, made.Columns = slices[0].Rows, slices[0].Columns
    return made


def by_frame(image: Dataset, masks: dict[str, Mask]) -> dict[str, Mask]:
    """Return the masks, whose slices run from the feet up, with their slices in the order of an image's frames."""
    positions = [f.PlanePositionSequence[0].ImagePositionPatient for f in image.PerFrameFunctionalGroupsSequence]
    rank = np.argsort(np.argsort([float(position[2]) for position in positions]))
    return {role: mask[rank] for role, mask in masks.items()}


def without_overlap(masks: dict[str, Mask]) -> list[dict[str, Mask]]:
    """Return the masks in groups of which no two overlap, as a label map needs them."""
    groups: list[tuple[Mask, dict[str, Mask]]] = []
    for role, mask in masks.items():
        for taken, group in groups:
            if not (taken & mask).any():
                np.logical_or(taken, mask, out=taken)
                group[role] = mask
                break
        else:
            groups.append((mask.copy(), {role: mask}))
    return [group for _, group in groups]


def structure_set(slices: list[Dataset], masks: dict[str, Mask], lattice: Lattice, study: Study, seed: int) -> Dataset:
    """Return an RTSTRUCT of the masks' outlines, slice by slice."""
    first = slices[0]
    made = Dataset()
    for name, value in {
        **PATIENT,
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientID": first.PatientID,
        "StudyInstanceUID": first.StudyInstanceUID,
        "StudyDate": DATES[study],
        "StudyTime": TIME,
        "StudyID": first.StudyID,
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "Manufacturer": MAKER,
        "Modality": "RTSTRUCT",
        "SOPClassUID": RTStructureSetStorage,
        "SOPInstanceUID": UID(uid(seed, study, "rtstruct")),
        "SeriesInstanceUID": uid(seed, study, "rtstruct series"),
        "SeriesNumber": 101,
        "InstanceNumber": 1,
        "FrameOfReferenceUID": first.FrameOfReferenceUID,
        "PositionReferenceIndicator": "",
        "StructureSetLabel": "SAMPLE",
        "StructureSetDate": DATES[study],
        "StructureSetTime": TIME,
        "ApprovalStatus": "UNAPPROVED",
    }.items():
        setattr(made, name, value)
    made.ReferencedFrameOfReferenceSequence = [_referenced(slices)]
    numbered = list(enumerate(masks.items(), start=1))
    made.StructureSetROISequence = [
        _item(
            ROINumber=n, ReferencedFrameOfReferenceUID=first.FrameOfReferenceUID, ROIName=label_of(role),
            ROIGenerationAlgorithm="AUTOMATIC",
        )
        for n, (role, _) in numbered
    ]  # fmt: skip
    made.ROIContourSequence = [
        _item(ReferencedROINumber=n, ContourSequence=_outlines(mask, lattice)) for n, (_, mask) in numbered
    ]
    made.RTROIObservationsSequence = [
        _item(ObservationNumber=n, ReferencedROINumber=n, RTROIInterpretedType="", ROIInterpreter="")
        for n, _ in numbered
    ]
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    made.file_meta = meta
    return made


def write_nifti(image: npt.NDArray[np.float32], masks: dict[str, Mask], lattice: Lattice, folder: Path) -> None:
    """Write `image.nii.gz` and a file per mask, named by its role; values as a CT stores them."""
    ras_from_ijk = RAS_FROM_LPS @ lattice.lps_mm_from_ijk
    hounsfield = np.clip(np.rint(image), INTERCEPT_HU, 4095 + INTERCEPT_HU).astype(np.int16)
    files: dict[str, npt.NDArray[np.integer]] = {role: mask.astype(np.uint8) for role, mask in masks.items()}
    for name, values in {"image": hounsfield, **files}.items():
        file = nibabel.Nifti1Image(np.asfortranarray(values.transpose(2, 1, 0)), ras_from_ijk)
        file.header.set_xyzt_units("mm")
        if lattice.tilt_degrees:
            file.set_qform(None, code=0)
        nibabel.save(file, folder / f"{name}.nii.gz")


def _referenced(slices: list[Dataset]) -> Dataset:
    images = [_item(ReferencedSOPClassUID=s.SOPClassUID, ReferencedSOPInstanceUID=s.SOPInstanceUID) for s in slices]
    series = _item(SeriesInstanceUID=slices[0].SeriesInstanceUID, ContourImageSequence=images)
    study = _item(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=slices[0].StudyInstanceUID,
        RTReferencedSeriesSequence=[series],
    )  # fmt: skip
    return _item(FrameOfReferenceUID=slices[0].FrameOfReferenceUID, RTReferencedStudySequence=[study])


def _outlines(mask: Mask, lattice: Lattice) -> list[Dataset]:
    """Return closed contours half-way between the centres of pixels inside and outside, in mm to three decimals."""
    found = []
    matrix = lattice.lps_mm_from_ijk
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        padded = np.pad(mask[k], 1).astype(np.float64)
        for outline in find_contours(padded, HALF):
            j, i = (outline[:-1] - 1).T
            points = np.stack([i, j, np.full(len(i), float(k)), np.ones(len(i))], axis=1) @ matrix[:3].T
            found.append(
                _item(
                    ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=len(points),
                    ContourData=[f"{value:.3f}" for value in points.ravel()],
                )
            )  # fmt: skip
    return found


def _item(**elements: Any) -> Dataset:
    made = Dataset()
    for name, value in elements.items():
        setattr(made, name, value)
    return made
