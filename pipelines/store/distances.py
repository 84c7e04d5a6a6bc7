"""What lies around a lesion, as `result.json` holds it: distances, and how veins and inflows pass the zones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.store.numbers import number, pair, point
from planner.assessment import Distance, LesionAssessment, Passage, Reason
from planner.case import VESSELS

Json = Any


def distance_document(distance: Distance) -> dict[str, Json]:
    """Return an entry of a lesion's `distances`; only vessels have a calibre, and only from a zone a contact."""
    ends = distance.points_lps_mm
    found: dict[str, Json] = {
        "structure": distance.structure,
        "from": distance.from_,
        "mm": number(distance.mm),
        "ci95_mm": pair(distance.ci95_mm),
        "voxel_sd_mm": number(distance.voxel_sd_mm),
        "registration_sd_mm": number(distance.registration_sd_mm),
        "points_lps_mm": [[], []] if ends is None else [point(end) for end in ends],
    }
    if distance.structure in VESSELS:
        found["calibre_mm"] = number(distance.calibre_mm)
        if distance.from_ == "ablation":
            found["contact_mm"] = number(distance.contact_mm)
    return found


def distance_reasons(lesion: LesionAssessment) -> Iterable[Reason]:
    """Return why values of a lesion's distances are null."""
    unknown = [d.structure if d.reason is None else f"{d.structure} ({d.reason})"
               for d in lesion.distances if number(d.mm) is None]  # fmt: skip
    if unknown:
        yield Reason("distances.mm", "not-known", f"not determined: {', '.join(dict.fromkeys(unknown))}")
    if without := dict.fromkeys(d.structure for d in lesion.distances if d.ci95_mm is None):
        for key in ("ci95_mm", "voxel_sd_mm", "registration_sd_mm"):
            yield Reason(f"distances.{key}", "no-interval", f"no interval of: {', '.join(without)}")
    vessels = [distance for distance in lesion.distances if distance.structure in VESSELS]
    calibres = [(d.structure, d.calibre_reason) for d in vessels if d.calibre_mm is None]
    contacts = [(d.structure, d.contact_reason) for d in vessels if d.from_ == "ablation" and d.contact_mm is None]
    for key, found in (("calibre_mm", calibres), ("contact_mm", contacts)):
        if found:
            texts = dict.fromkeys(f"{role}: {why or 'not measured'}" for role, why in found)
            yield Reason(f"distances.{key}", "not-known", "; ".join(texts))


def passage_document(passage: Passage) -> dict[str, Json]:
    """Return an entry of `vessels`: how a hepatic vein or an inflow passes the ablation zones."""
    return {
        "vessel": passage.vessel,
        "preserved": passage.preserved,
        "passage": passage.kind,
        "held_mm": number(passage.held_mm) if passage.kind != "unknown" else None,
        "calibres_mm": [number(calibre) for calibre in passage.calibres_mm],
        "reason": passage.reason,
        "to_be_confirmed": True,
    }
