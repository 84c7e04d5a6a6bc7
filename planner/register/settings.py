"""Settings of the registration, with what each is for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegistrationSettings:
    """How PRE is brought onto POST.

    Parameters
    ----------
    kind
        The richest map to try: "identity", "rigid" or "deformable"; "file" where a map was given.
    working_mm
        Isotropic spacing of the images that are compared.
    liver_margin_mm, zone_margin_mm
        The metric sees (liver + the first) minus (zone + the second): the zone itself looks like nothing in PRE.
    window_hu
        Intensities are clipped to this range first.
    seed
        Of the metric's random samples.
    shared_share
        Least share of (zone + 20 mm, inside the liver) that must lie in both scans.
    worst_error_mm
        Largest measured or stated error at a lesion with which it is still assessed.
    worst_predicted_mm
        The same for a predicted error, which may well be larger than predicted.
    warned_error_mm
        Predicted error at a lesion above which a reader is warned.
    stated_error_mm
        What is stated of a given map's mean 3-D error; None where nothing is, or no map was given.
    """

    kind: str = "deformable"
    working_mm: float = 2.0
    liver_margin_mm: float = 5.0
    zone_margin_mm: float = 5.0
    window_hu: tuple[float, float] = (-50.0, 250.0)
    seed: int = 20130101
    shared_share: float = 0.8
    worst_error_mm: float = 5.0
    worst_predicted_mm: float = 4.4
    warned_error_mm: float = 2.8
    stated_error_mm: float | None = None
