"""Liver volumes: the liver, what works of it, what an ablation destroys, and what remains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from planner import findings as registry
from planner.case import Case, Study
from planner.evidence.standard_volume import StandardVolume
from planner.facts import BODY_SURFACE_AREA, RESECTED_LESIONS, RESECTION_TYPE, STANDARD_LIVER_VOLUME
from planner.findings import Bound, Finding
from planner.measure.liver_volume import WholeLiver, whole_liver
from planner.measure.zone import Zone
from planner.register.alignment import Alignment
from planner.scene import Scene, union_of
from planner.volume import Mask

TRUNCATED = "the liver mask of PRE reaches the border of the scan: truncated, so how much lies beyond is not known"
RESECTED = "a resection of the liver was entered: what it removed from PRE is not taken off"
NOT_ENTERED = f"neither {STANDARD_LIVER_VOLUME.name} nor {BODY_SURFACE_AREA.name} was entered"


@dataclass(frozen=True, slots=True)
class _Known:
    """A volume with its bound, ml; None with a reason where it is not known."""

    volume_ml: float | None
    reason: str | None = None
    bound: Bound = "exact"


def liver_findings(case: Case, scene: Scene, alignment: Alignment) -> tuple[Finding, ...]:
    """Return the volumes of the liver, of what was ablated and of what remains; a liver that the scan cuts has none.

    The liver is that of PRE, in its own frame. What was ablated is told in POST, without the registration, and holds
    what lies beyond the liver, too; what remains takes the zones to PRE and leaves out what they hold of the liver.
    """
    union, ablated_ml = union_of(list(scene.zones.values()), list(case.post.ablations.values()))
    cut = [f"POST ends in ablation_{zone}" for zone, mask in case.post.ablations.items() if case.post.cuts(mask)]
    why = f"{'; '.join(cut)}: what lies beyond is not known" if cut else None
    ablated = Finding(registry.ABLATED_ML, ablated_ml, reason=why, bound="at_least" if cut else "exact")
    liver = case.pre.liver
    if liver is None or is_truncated(case.pre, liver):
        text = "PRE has no liver mask" if liver is None else TRUNCATED
        unknown = (registry.LIVER_ML, registry.FUNCTIONING_ML, registry.REMNANT_ML, registry.REMNANT_PERCENT,
                   registry.REMNANT_OF_STANDARD_PERCENT, registry.ABLATED_PERCENT)  # fmt: skip
        return (*(Finding(quantity, None, reason=text) for quantity in unknown), ablated)
    tumours = [(mask, scene.tumours[lesion]) for lesion, mask in case.pre.tumours.items()]
    whole = whole_liver(liver, tumours, list(case.pre.vessels.values()))
    remnant = _remnant(whole, union, ablated, alignment)
    percent = None if remnant.volume_ml is None else 100.0 * remnant.volume_ml / whole.functioning_ml
    share = 100.0 * ablated_ml / whole.liver_ml
    return (
        Finding(registry.LIVER_ML, whole.liver_ml),
        Finding(registry.FUNCTIONING_ML, whole.functioning_ml),
        Finding(registry.REMNANT_ML, remnant.volume_ml, reason=remnant.reason, bound=remnant.bound),
        Finding(registry.REMNANT_PERCENT, percent, reason=remnant.reason, bound=remnant.bound),
        Finding(registry.REMNANT_OF_STANDARD_PERCENT, None, reason=NOT_ENTERED),
        Finding(registry.ABLATED_PERCENT, share, reason=why, bound=ablated.bound),
        ablated,
    )


def is_truncated(study: Study, liver: Mask) -> bool:
    """Return whether a liver mask reaches the border of the scan: the first or last slice, or a side of the image.

    Where it has a lattice of its own, its border counts, too, unless the mask fills that from side to side in all three
    directions: such a lattice was cut to the mask.
    """
    if liver.grid.same_lattice(study.image.grid) or not liver.touches_edge():
        return study.cuts(liver) or liver.touches_edge()
    first, last = liver.box_kji()
    fills = first == (0, 0, 0) and all(end == size - 1 for end, size in zip(last, liver.grid.shape_kji, strict=True))
    return not fills or study.cuts(liver)


def _remnant(whole: WholeLiver, zones: Zone, ablated: Finding, alignment: Alignment) -> _Known:
    """Return what remains of the liver without tumours; a bound where zones are cut or the registration failed."""
    failed = not alignment.passed or any(
        check.passed is False for checks in alignment.zone_checks.values() for check in checks
    )
    if failed and ablated.bound != "exact":
        return _Known(None, f"the registration failed its checks, and {ablated.reason}")
    if failed:
        least_ml = max(0.0, whole.functioning_ml - (ablated.value or 0.0))
        text = "the registration failed its checks, so all of the zones is taken to lie in liver that is no tumour"
        return _Known(least_ml, text, "at_least")
    in_pre = Zone.of([surface.moved(alignment.map.pre_from_post) for surface in zones.surfaces])
    left_ml = whole.functioning_ml - whole.held_ml(in_pre)
    return _Known(left_ml, ablated.reason, "exact" if ablated.bound == "exact" else "at_most")


def beside_resection(findings: tuple[Finding, ...], facts: Mapping[str, object]) -> tuple[Finding, ...]:
    """Return the findings with the remnant as at most so much where a resection of the liver was entered.

    Only the ablation zones are taken off the liver of PRE. A remnant that was a least one is not known then.

    Parameters
    ----------
    findings
        Those of a case.
    facts
        As entered.
    """
    resected = facts.get(RESECTED_LESIONS.name)
    lesions = isinstance(resected, (int, float)) and resected > 0
    if not lesions and facts.get(RESECTION_TYPE.name) in (None, "none"):
        return findings
    remnants = (registry.REMNANT_ML, registry.REMNANT_PERCENT)
    return tuple(_at_most(finding) if finding.quantity in remnants else finding for finding in findings)


def _at_most(remnant: Finding) -> Finding:
    if remnant.value is None:
        return remnant
    why = RESECTED if remnant.reason is None else f"{remnant.reason}; {RESECTED}"
    if remnant.bound == "at_least":
        return replace(remnant, value=None, ci95=None, reason=why, bound="exact")
    return replace(remnant, reason=why, bound="at_most")


def remnant_of_standard(remnant: Finding, facts: Mapping[str, object], formula: StandardVolume | None) -> Finding:
    """Return the remnant as a share of the standard liver volume: the entered one, else by the body surface area.

    Parameters
    ----------
    remnant
        The remnant's volume.
    facts
        As entered.
    formula
        The published one that takes a body surface area; None where there is none.
    """
    entered, area = (facts.get(fact.name) for fact in (STANDARD_LIVER_VOLUME, BODY_SURFACE_AREA))
    standard_ml, source = None, NOT_ENTERED
    if isinstance(entered, (int, float)) and entered > 0:
        standard_ml, source = float(entered), f"of {entered:.4g} ml as entered"
    elif isinstance(area, (int, float)) and area > 0 and formula is not None:
        standard_ml, source = formula.volume_ml(float(area)), formula.statement(float(area))
    quantity = registry.REMNANT_OF_STANDARD_PERCENT
    if remnant.value is None:
        return Finding(quantity, None, reason=remnant.reason)
    if standard_ml is None or standard_ml <= 0:
        return Finding(quantity, None, reason=source)
    said = source if remnant.reason is None else f"{remnant.reason}; {source}"
    return Finding(quantity, 100.0 * remnant.value / standard_ml, reason=said, bound=remnant.bound)
