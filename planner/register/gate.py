"""Whether an alignment can be trusted at one ablation zone: what is seen there, and the error that it predicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from planner.grid import FloatArray
from planner.register.alignment import Check, SpatialMap
from planner.register.blocks import LOST_MM, blocks_of
from planner.register.compared import Compared
from planner.register.panel import Panel
from planner.register.prepare import Working
from planner.register.settings import RegistrationSettings
from planner.surface import Surface
from planner.volume import BoolVoxels, FloatVoxels

BLOCKS_MM = (12.0, 50.0)
"""Blocks are looked for between these distances from a zone: nearer ones would hold a part of it."""

WORST_BLOCKS_MM = 9.0
"""Blocks that rather lie farther off than this (their median) disprove an alignment whatever else agrees."""

FEW_BLOCKS = 20
"""Where fewer than this find their match the upper end of the interval is taken for the error."""

DECIDING = ("predicted_error", "block_residual")
"""The checks by which a zone's alignment fails whatever the scans show."""

INTERCEPT, OF_STIFFER, OF_BACK, OF_AGAIN = 0.23, 0.42, 0.20, 0.23
OFFSET_MM = 0.3
MOST_MM = 15.0
"""log(error) = intercept + sum of factor x log(min(signal, most) + offset): least squares over 527 outcomes, less than
12 mm off, of 52 synthetic patients and 9 changed copies of one real CT (`scripts/bench_gate.py --saved ... --fit`). No
factor may be less than 0.2: an answer that lies far away is heard whatever the others say."""

COMPARED = (0.77, 0.39, 0.28, 0.36)
"""The same for comparing two maps at one zone (`planner/register/proof.py`), set with its limits on seeds 320 to 322:
what predicts an error best leans on the stiffer answer, which says little of which of two maps is the better."""

RATIO90 = (0.53, 1.87)
"""The true mean error over the predicted one lay between these in 90 % of the outcomes that pass, each judged by a fit
to the others' cases (rounded outwards)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of an alignment at one zone.

    Parameters
    ----------
    stiffer_mm, back_mm, again_mm
        Mean distances at the zone's surface between the map in use and each answer of the panel.
    blocks_mm
        Median distance of structured blocks around the zone from where PRE matches them best.
    matched
        How many of the blocks found a match.
    """

    stiffer_mm: float
    back_mm: float
    again_mm: float
    blocks_mm: float
    matched: int

    def apart_mm(self) -> float:
        """Return how far the other answers lie away, weighed for comparing two maps at one zone."""
        return _weighed(self, COMPARED)

    @classmethod
    def of(cls, panel: Panel, used: SpatialMap, surface: Surface, zone: BoolVoxels, post: Working) -> Seen:
        """Look at one zone, given as a surface and as voxels of POST's working lattice."""
        points = surface.vertices_lps_mm
        moved = np.zeros_like(points) if used.displacement is None else used.displacement.at(points)
        blocks_mm, matched = blocks_near(zone, post, panel.moved, panel.where, panel.compared)
        return cls(
            _mean(panel.stiffer.pre_from_post(points) - used.pre_from_post(points)),
            _mean(moved + panel.back.at(points + moved)),
            _mean(panel.again.at(points)),
            blocks_mm,
            matched,
        )


def blocks_near(
    zone: BoolVoxels, post: Working, moved: FloatVoxels, where: BoolVoxels, compared: Compared
) -> tuple[float, int]:
    """Return the median distance of blocks around a zone from their best match, mm, and how many found one."""
    spacing = post.grid.spacing_kji_mm[0]
    gap = ndimage.distance_transform_edt(~zone, sampling=spacing) if zone.any() else np.zeros(zone.shape)
    near = (gap >= BLOCKS_MM[0]) & (gap <= BLOCKS_MM[1])
    ways = blocks_of(post.image, moved, where & near, spacing, compared)[1]
    return float(np.median(ways)) if len(ways) else LOST_MM, int((ways < LOST_MM).sum())


def blocks_check(blocks_mm: float, matched: int, *, decides: bool) -> Check:
    """Return what the blocks around a zone say of an alignment."""
    text = (
        f"structures {BLOCKS_MM[0]:.0f} to {BLOCKS_MM[1]:.0f} mm around the zone rather lie {blocks_mm:.1f} mm away in"
        f" PRE (median; at most {WORST_BLOCKS_MM} mm accepted; {matched} matched)"
    )
    return Check("block_residual", round(blocks_mm, 4), "mm", blocks_mm <= WORST_BLOCKS_MM if decides else None, text)


@dataclass(frozen=True, slots=True)
class Predicted:
    """A predicted mean 3-D registration error at a zone, with its 90 % interval, mm."""

    error_mm: float
    low_mm: float
    high_mm: float

    @classmethod
    def of(cls, seen: Seen, *, sure: bool = True) -> Predicted:
        """Predict the error from what is seen.

        The upper end counts where few blocks found a match, and where the prediction is not `sure`: between contrasts.
        """
        error = _weighed(seen, (INTERCEPT, OF_STIFFER, OF_BACK, OF_AGAIN))
        low, high = (ratio * error for ratio in RATIO90)
        return cls(error if sure and seen.matched >= FEW_BLOCKS else high, low, high)

    def at_least(self, measured_mm: float) -> Predicted:
        """Return the prediction where something measured does not exceed its upper end, else that measurement."""
        if measured_mm <= self.high_mm:
            return self
        return Predicted(measured_mm, self.low_mm, RATIO90[1] * measured_mm)


def gate_checks(
    seen: Seen, predicted: Predicted, settings: RegistrationSettings, *, sure: bool = True
) -> tuple[Check, ...]:
    """Return what decides at a zone: the predicted error and the blocks; and what else was seen."""
    worst, warned = settings.worst_predicted_mm, settings.warned_error_mm
    accepted = f"at most {worst:.1f} mm accepted, a warning above {warned:.1f}"
    why = "not two CTs" if not sure else "few structures to match" if seen.matched < FEW_BLOCKS else ""
    bound = f"; {why}: the upper end counts" if why else ""
    text = (
        f"predicted registration error at the zone {predicted.error_mm:.1f} mm, 90 % interval {predicted.low_mm:.1f}"
        f" to {predicted.high_mm:.1f} mm ({accepted}){bound}"
    )
    error = predicted.error_mm
    held = error <= worst
    others = (
        f"other answers at the zone: a stiffer one {seen.stiffer_mm:.1f} mm away, the way there and back by two"
        f" registrations {seen.back_mm:.1f} mm, a further deformation adds {seen.again_mm:.1f} mm"
    )
    return (
        Check("predicted_error", round(error, 4), "mm", held, text, held and error > warned),
        blocks_check(seen.blocks_mm, seen.matched, decides=True),
        Check("spread", round(seen.apart_mm(), 4), "mm", None, f"{others} (shown; they predict the error)"),
    )


def _weighed(seen: Seen, weights: tuple[float, float, float, float]) -> float:
    logs = [np.log(min(mm, MOST_MM) + OFFSET_MM) for mm in (seen.stiffer_mm, seen.back_mm, seen.again_mm)]
    return float(np.exp(weights[0] + np.dot(weights[1:], logs)))


def _mean(vectors: FloatArray) -> float:
    return float(np.linalg.norm(vectors, axis=1).mean())
