"""How much of the tumour, and of the tumour grown by a margin, lies inside the ablation zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coverage:
    """Volumes inside and outside the zone.

    Parameters
    ----------
    residual_ml
        Tumour volume outside the zone, ml.
    target_covered
        For each growth (mm): share of the tumour grown by it, within the closed liver, that lies inside the zone.
    """

    residual_ml: float
    target_covered: Mapping[float, float]
