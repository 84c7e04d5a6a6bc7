"""Liver volumes: the liver, what works of it, what an ablation destroys, and what remains."""

from __future__ import annotations

from planner.case import Case
from planner.findings import ABLATED_ML, ABLATED_PERCENT, LIVER_ML, Finding
from planner.scene import Scene, union_of


def liver_findings(case: Case, scene: Scene) -> tuple[Finding, ...]:
    """Return the volumes of the liver and of what was ablated; a liver that the scan cuts off has none."""
    ablated_ml = union_of(list(scene.zones.values()), list(case.post.ablations.values()))[1]
    ablated = Finding(ABLATED_ML, ablated_ml)
    liver = case.pre.liver
    if liver is None or liver.touches_edge():
        text = "PRE has no liver mask" if liver is None else "the liver mask reaches the border of the scan: truncated"
        return Finding(LIVER_ML, None, reason=text), Finding(ABLATED_PERCENT, None, reason=text), ablated
    share = 100.0 * ablated_ml / liver.volume_ml
    return Finding(LIVER_ML, liver.volume_ml), Finding(ABLATED_PERCENT, share), ablated
