"""What a series says of itself beside its geometry, held against what the study of a liver can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.dicom.index import Instance, text
from planner.case import Caution

ELSEWHERE = frozenset((
    "ANKLE", "ARM", "BRAIN", "BREAST", "CALCANEUS", "CLAVICLE", "CSPINE", "EAR", "ELBOW", "EXTREMITY", "EYE", "FINGER",
    "FOOT", "HAND", "HEAD", "HEADNECK", "HIP", "JAW", "KNEE", "LEG", "NECK", "ORBIT", "SHOULDER", "SKULL", "THUMB",
    "TOE", "WRIST", "ZYGOMA",
))  # fmt: skip
"""Body parts (BodyPartExamined, DICOM PS3.16 annex L) whose images show no liver."""

SIMULATED = "simulated contrast"
"""What DerivationDescription says of an image whose contrast was computed, not scanned."""


def is_simulated(instances: Sequence[Instance]) -> bool:
    """Return whether any image of the series says that its contrast is simulated."""
    return any(SIMULATED in text(i.header, "DerivationDescription").lower() for i in instances)


def cautions_of(instances: Sequence[Instance]) -> tuple[Caution, ...]:
    """Return what a reader must know of a series' own statements: body part, side, simulated contrast."""
    return tuple(_cautions(instances))


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
