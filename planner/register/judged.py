"""What is seen of a map at one ablation zone, and the error that follows: of our own maps and of given ones."""

from __future__ import annotations

from planner.register.alignment import Check, SpatialMap
from planner.register.gate import Predicted, Seen, gate_checks
from planner.register.panel import Panel
from planner.register.prepare import Scan, Working
from planner.register.settings import RegistrationSettings
from planner.register.vessels import vessel_check, vessel_residual_mm
from planner.surface import Surface
from planner.volume import BoolVoxels


def judged_at(
    panel: Panel,
    used: SpatialMap,
    surface: Surface,
    zone: BoolVoxels,
    fixed: Working,
    scans: tuple[Scan, Scan],
    settings: RegistrationSettings,
    *,
    sure: bool,
) -> tuple[Predicted, tuple[Check, ...]]:
    """Return the predicted error at a zone and the checks behind it.

    Parameters
    ----------
    panel
        Other answers than the map.
    used
        The map, as the panel took it.
    surface, zone
        The ablation zone in POST: its surface, and its voxels on the working lattice `fixed`.
    fixed
        POST on its working lattice.
    scans
        POST and PRE, for the vessels drawn in both.
    settings
        What is accepted.
    sure
        Whether both are CT, on which the prediction was set.
    """
    seen = Seen.of(panel, used, surface, zone, fixed)
    predicted = Predicted.of(seen, sure=sure)
    vessels = vessel_residual_mm(*scans, used, surface)
    borders = vessel_check(vessels, predicted.high_mm)
    predicted = predicted if vessels is None else predicted.at_least(vessels[0])
    return predicted, (*gate_checks(seen, predicted, settings, sure=sure), *borders)
