"""Between contrasts a deformation has to prove itself: where the gate does not prefer it, the rigid map is used."""

from __future__ import annotations

from dataclasses import replace

from planner.register.alignment import Alignment, Check
from planner.register.gate import DECIDING

PROVEN_SHARE, PROVEN_MM = 0.8, 0.6
"""At every zone the other answers have to lie nearer by this share, and by so much, than to the rigid map."""


def proven(rigid: Alignment, deformed: Alignment) -> Alignment:
    """Return the deformed alignment where the gate prefers it at every zone, else the rigid one; a check says why.

    Preferred: no deciding check fails, structures around the zone lie no farther apart than with the rigid map, the
    predicted error is no larger, and the other answers lie nearer by what `PROVEN_SHARE` and `PROVEN_MM` say.
    """
    zones = rigid.error_at_zone_mm
    accepted = bool(zones) and all(_preferred(rigid, deformed, zone) for zone in zones)
    said = "; ".join(
        f"zone {zone} {_others_mm(rigid, zone):.1f} mm from the rigid map, {_others_mm(deformed, zone):.1f} mm from the"
        " deformed one"
        for zone in zones
    )
    why = f"other answers lie: {said}" if said else "there is no zone at which it could"
    if accepted:
        text = f"between contrasts: deformed, as that proved itself by the gate at every zone ({why})"
        return replace(deformed, checks=(*deformed.checks, Check("proof", None, "", None, text)))
    text = f"between contrasts: rigid map in use, as the deformation did not prove itself by the gate ({why})"
    return replace(rigid, checks=(*rigid.checks, Check("proof", None, "", None, text)))


def _others_mm(found: Alignment, zone_id: str) -> float:
    """Return how far the other answers lie from a map at a zone, weighed."""
    return next((float(c.value or 0.0) for c in found.zone_checks[zone_id] if c.name == "spread"), 0.0)


def _preferred(rigid: Alignment, deformed: Alignment, zone_id: str) -> bool:
    before, after = ({check.name: check for check in found.zone_checks[zone_id]} for found in (rigid, deformed))
    fails = any(after[name].passed is False for name in DECIDING if name in after)
    blocks = [float(checks["block_residual"].value or 0.0) for checks in (before, after)]
    others = [_others_mm(found, zone_id) for found in (rigid, deformed)]
    was, now = (found.error_at_zone_mm[zone_id] for found in (rigid, deformed))
    nearer = others[1] <= min(PROVEN_SHARE * others[0], others[0] - PROVEN_MM)
    return not fails and blocks[1] <= blocks[0] and now <= was and nearer


def contrast_note(*, both_ct: bool) -> tuple[Check, ...]:
    """Return what a reader has to know of a registration that is not one of two CTs."""
    if both_ct:
        return ()
    text = (
        "not two CTs: the images were compared by how alike each voxel is to its neighbours; how well that works, and"
        " what the gate makes of it, was measured on simulated contrast only, never on MR of patients"
    )
    return (Check("contrast", None, "", None, text),)
