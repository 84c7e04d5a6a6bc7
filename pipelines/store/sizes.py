"""How sure a lesion's size is, as `result.json` holds it."""

from __future__ import annotations

from typing import Any

from pipelines.store.numbers import number
from planner.measure.sizes import Sizes

Json = Any


def sizes_document(sizes: Sizes | None) -> dict[str, Json]:
    """Return the 95 % intervals of a lesion's diameters and volume."""
    ends = (None, None, None) if sizes is None else (sizes.axial_mm, sizes.longest_mm, sizes.volume_ml)
    names = ("max_axial_diameter_ci95_mm", "max_diameter_ci95_mm", "tumour_ci95_ml")
    return {
        name: [None, None] if pair is None else [number(end) for end in pair]
        for name, pair in zip(names, ends, strict=True)
    }
