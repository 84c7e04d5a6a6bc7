"""What a series says of itself beside its geometry, held against what the study of a liver can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.dicom.index import Instance, text
from planner.caution import Caution
from planner.volume import FloatVoxels

ELSEWHERE = frozenset((
    "ANKLE", "ARM", "BRAIN", "BREAST", "CALCANEUS", "CLAVICLE", "CSPINE", "EAR", "ELBOW", "EXTREMITY", "EYE", "FINGER",
    "FOOT", "HAND", "HEAD", "HEADNECK", "HIP", "JAW", "KNEE", "LEG", "NECK", "ORBIT", "SHOULDER", "SKULL", "THUMB",
    "TOE", "WRIST", "ZYGOMA",
))  # fmt: skip
"""Body parts (BodyPartExamined, DICOM PS3.16 annex L) whose images show no liver."""

LOWEST_HU, HIGHEST_HU = -20_000, 40_000
"""Beyond what scanners write: padding lies above the one, metal on the extended scale (30,710) below the other."""

SIMULATED = "simulated contrast"
"""What DerivationDescription says of an image whose contrast was computed, not scanned."""


def is_simulated(instances: Sequence[Instance]) -> bool:
    """Return whether any image of the series says that its contrast is simulated."""
    return any(SIMULATED in text(i.header, "DerivationDescription").lower() for i in instances)


def cautions_of(instances: Sequence[Instance]) -> tuple[Caution, ...]:
    """Return what a reader must know of a series' own statements: body part, side, simulated contrast."""
    return tuple(_cautions(instances))


def cautions_of_values(voxels_kji: FloatVoxels, modality: str) -> tuple[Caution, ...]:
    """Return that a CT holds values which no tissue, metal or reconstruction has."""
    low, high = float(voxels_kji.min()), float(voxels_kji.max())
    if modality != "CT" or (low >= LOWEST_HU and high <= HIGHEST_HU):
        return ()
    said = (
        f"the CT holds values from {low:.0f} to {high:.0f} HU, expected {LOWEST_HU} to {HIGHEST_HU}: do"
        " PixelRepresentation and RescaleIntercept say what is stored?"
    )
    return (Caution("implausible-hu", said),)


def _cautions(instances: Sequence[Instance]) -> Iterator[Caution]:
    parts = {text(i.header, "BodyPartExamined").upper().replace(" ", "") for i in instances}
    if elsewhere := sorted(parts & ELSEWHERE):
        said = f"the images state the body part {elsewhere[0]} (BodyPartExamined), expected one with the liver"
        yield Caution("other-body-part", said)
    if any(text(i.header, side).upper() == "L" for i in instances for side in ("Laterality", "ImageLaterality")):
        said = "the images are stated to be of a left side (Laterality), the liver lies on the right: is it this study?"
        yield Caution("other-side", said)
    if is_simulated(instances):
        yield Caution("simulated-contrast", "simulated contrast: the images were computed, not scanned from a patient")
