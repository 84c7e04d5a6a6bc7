"""Floats as `result.json` holds them."""

from __future__ import annotations

import math

DECIMALS = 4


def number(value: float | None) -> float | None:
    """Return a number to 4 decimals; None where it is unknown or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0
