"""What is measured: each quantity's name, unit, scope and definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["lesion", "patient", "session"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A registered quantity: what a finding of that name means."""

    name: str
    unit: str
    scope: Scope
    definition: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured value of a registered quantity; None with a reason where it is not known."""

    quantity: Quantity
    value: float | None
    lesion_id: str | None = None
    ci95: tuple[float, float] | None = None
    reason: str | None = None


LIVER_ML = Quantity("liver_ml", "ml", "patient", "Volume of the liver mask of PRE by voxel count.")

QUANTITIES = {quantity.name: quantity for quantity in (LIVER_ML,)}
"""Every registered quantity by name."""
