"""Hollow organs: stomach, colon and small bowel as wide tubes."""

from __future__ import annotations

import numpy as np

from pipelines.sample.sampled import SampledLevel
from pipelines.sample.shapes import FloatArray, Shape, Tube, norm, unit
from pipelines.sample.vessels import curve

STOMACH = [(52, 20, 50), (62, 6, 36), (62, -18, 14), (48, -40, -10), (22, -50, -26), (-2, -44, -30), (-18, -32, -30)]
STOMACH_RADII_MM = (20, 25, 24, 20, 17, 13, 8)
COLON = [
    (-96, 6, -130), (-94, 2, -96), (-88, -18, -84), (-66, -54, -82), (-36, -66, -76), (0, -70, -80), (36, -68, -72),
    (70, -52, -46), (94, -16, -18), (100, 18, -22), (100, 34, -60), (98, 38, -130),
]  # fmt: skip
GAP_MM = 3.0


def stomach_tube(scale: FloatArray, rng: np.random.Generator) -> Tube:
    """Return the stomach: fundus under the left dome, body, antrum towards the pylorus."""
    return Tube.along(curve(np.array(STOMACH) * scale + rng.normal(size=3), 16), STOMACH_RADII_MM)


def colon_tube(scale: FloatArray, rng: np.random.Generator) -> Tube:
    """Return ascending, transverse and descending colon with haustra."""
    path = curve(np.array(COLON) * scale + rng.normal(size=3), 54)
    haustra = 1 + 0.09 * np.sin(np.arange(54) * 2.1 + rng.uniform(0, 6))
    taper = np.interp(np.linspace(0, 1, 54), [0, 0.3, 0.6, 1.0], [20, 17, 15, 13])
    return Tube.along(path, taper * haustra)


def small_bowel_tube(rng: np.random.Generator, scale: FloatArray, organs: dict[str, Shape]) -> Tube:
    """Return loops wandering through the lower abdomen, clear of the other organs."""
    names = ("kidney_left", "kidney_right", "gallbladder", "stomach", "liver", "colon", "aorta", "ivc")
    low, high = np.array([-42.0, -66, -132]) * scale, np.array([84.0, 22, -46]) * scale
    avoid = SampledLevel.of([organs[name] for name in names], np.stack([low, high]), 4.0)
    place, heading = np.array([40.0, -20, -80]) * scale, unit([1.0, 0.3, -0.4])
    path, tries = [place], 0
    while len(path) < 90 and tries < 4000:
        tries += 1
        turn = unit(heading + rng.normal(size=3) * (0.45 + 0.02 * (tries % 40)))
        step = path[-1] + turn * 9.0
        if np.all(step > low) and np.all(step < high) and _is_free(step, path, avoid):
            path.append(step)
            heading = turn
    return Tube.along(curve(np.array(path), 2 * len(path)), (9.5, 10.5, 9.5))


def _is_free(step: FloatArray, path: list[FloatArray], avoid: SampledLevel) -> bool:
    """Return whether a loop may pass: away from organs, and from its own older stretches."""
    own = np.array(path[:-3]) if len(path) > 3 else np.zeros((0, 3))
    if len(own) and float(norm(own - step).min()) < 20.0:
        return False
    return float(avoid(step[None])[0]) > 10.5 + GAP_MM
