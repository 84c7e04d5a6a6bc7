"""The segmentation object of a synthetic study, with standard codes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import Segmentation, SegmentDescription
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from pipelines.codes import LATERALITY, PRIVATE_SCHEME, PRIVATE_SCHEME_NAME, SEGMENT_CODES, Code, SegmentCode
from pipelines.sample.dicom_image import DATES, MAKER, TIME
from pipelines.sample.uids import uid

if TYPE_CHECKING:
    from pipelines.sample.lattice import Study
    from pipelines.sample.rendering import Mask

NUMBERED = {"tumour": "Tumour", "ablation": "Ablation zone"}
DOUBTFUL = "SpacingBetweenSlices"


def concept(code: Code) -> CodedConcept:
    """Return a code as highdicom takes it."""
    return CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)


def code_of(role: str) -> SegmentCode:
    """Return the code of a role; `tumour_2` has that of `tumour`."""
    return SEGMENT_CODES[role.rsplit("_", 1)[0] if role.rsplit("_", 1)[-1].isdigit() else role]


def label_of(role: str) -> str:
    """Return the label of a role: `Tumour 1`, `Ablation zone 2`, `Portal vein`."""
    stem, _, number = role.rpartition("_")
    if number.isdigit():
        return f"{NUMBERED[stem]} {number}"
    return "IVC" if role == "ivc" else role.replace("_", " ").capitalize()


def segmentation(
    sources: list[Dataset], masks: dict[str, Mask], study: Study, seed: int, *, kind: str = "BINARY", part: str = ""
) -> Segmentation:
    """Return the SEG of a study; `sources` are its image datasets in the order of the masks' slices.

    `kind` is its SegmentationType; `part` tells several of one study apart.
    """
    pixels: npt.NDArray[np.uint8] = np.stack(list(masks.values()), axis=-1).astype(np.uint8)
    identification = AlgorithmIdentificationSequence(
        name="analytic phantom", version="1", family=codes.cid7162.DeformableModels
    )
    segments = [_describe(number, role, study, seed, identification) for number, role in enumerate(masks, start=1)]
    of = "" if sources[0].Modality == "CT" else f" of {sources[0].SeriesInstanceUID}"
    of = f"{of} {kind} {part}" if part else of
    made = Segmentation(
        source_images=[_without_doubtful(source) for source in sources],
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=segments,
        series_instance_uid=uid(seed, study, f"seg series{of}"),
        series_number=100,
        sop_instance_uid=uid(seed, study, f"seg{of}"),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name="sample",
        software_versions="1",
        device_serial_number="0",
        content_label="SAMPLE",
        content_description="Analytic masks of the synthetic sample",
        series_description="Segmentation",
        omit_empty_frames=True,
    )
    _pin(made, DATES[study], uid(seed, study, "seg dimensions"))
    return made


def _without_doubtful(source: Dataset) -> Dataset:
    """Return a shallow copy without the attribute that highdicom 0.28 copies wrongly."""
    plain = copy.copy(source)
    if DOUBTFUL in plain:
        del plain[DOUBTFUL]
    return plain


def _describe(
    number: int, role: str, study: Study, seed: int, algorithm: AlgorithmIdentificationSequence
) -> SegmentDescription:
    """Return one segment's description."""
    code = code_of(role)
    made = SegmentDescription(
        segment_number=number,
        segment_label=label_of(role),
        segmented_property_category=concept(code.category),
        segmented_property_type=concept(code.type),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
        tracking_uid=uid(seed, study, "segment", role),
        tracking_id=role,
    )
    if code.side is not None:
        modifier = concept(LATERALITY[code.side])
        made.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [modifier]
    return made


def _pin(dataset: Dataset, date: str, dimension_uid: str) -> None:
    """Replace what highdicom takes from the clock or draws at random."""
    for level in ("Content", "Series", "InstanceCreation"):
        setattr(dataset, f"{level}Date", date)
        setattr(dataset, f"{level}Time", TIME)
    dataset.DimensionOrganizationSequence[0].DimensionOrganizationUID = dimension_uid
    for item in dataset.DimensionIndexSequence:
        item.DimensionOrganizationUID = dimension_uid
    for equipment in dataset.get("ContributingEquipmentSequence", []):
        if "ContributionDateTime" in equipment:
            equipment.ContributionDateTime = date + TIME
    scheme = Dataset()
    scheme.CodingSchemeDesignator = PRIVATE_SCHEME
    scheme.CodingSchemeName = PRIVATE_SCHEME_NAME
    dataset.CodingSchemeIdentificationSequence = [scheme]
