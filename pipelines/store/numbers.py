"""Floats as `result.json` holds them."""

from __future__ import annotations

import math

DECIMALS = 4


def number(value: float | None) -> float | None:
    """Return a number to 4 decimals; None where it is unknown or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0


def pair(values: tuple[float, float] | None) -> list[float | None]:
    """Return two values as JSON holds them; two nulls where there are none."""
    return [None, None] if values is None else [number(value) for value in values]


def point(values: tuple[float, float, float] | None) -> list[float | None]:
    """Return a point as JSON holds it; three nulls where there is none."""
    return [None, None, None] if values is None else [number(value) for value in values]
