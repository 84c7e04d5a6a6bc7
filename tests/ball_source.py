"""A CT whose liver is a ball in soft tissue, and the scripts of the registration bench, as tests load them."""

from __future__ import annotations

import functools
import importlib
import os
import sys
from types import ModuleType
from unittest.mock import patch

import numpy as np
from analytic import ball, centres, lattice, voxelised
from cli_runs import ROOT

from planner.volume import Volume

LIVER_MM = 55.0
LIVER_HU, AROUND_HU = 110.0, 10.0
HALF_MM = (100.0, 100.0, 100.0)
SOURCE_KJI_MM = (4.0, 4.0, 4.0)
STUDY_KJI_MM = (3.0, 4.0, 4.0)


@functools.cache
def script(name: str) -> ModuleType:
    """Import a script; benches lie beside the modules that they import, and set how many threads are used."""
    with patch.object(sys, "path", [str(ROOT / "scripts"), *sys.path]), patch.dict(os.environ):
        return importlib.import_module(name)


def source(half_mm: tuple[float, float, float] = HALF_MM):
    """A CT of a ball of liver about the origin."""
    grid = lattice(half_mm, SOURCE_KJI_MM)
    away = np.linalg.norm(centres(grid), axis=1).reshape(grid.shape_kji)
    hu = AROUND_HU + (LIVER_HU - AROUND_HU) * np.clip(0.5 + (LIVER_MM - away) / 4.0, 0.0, 1.0)
    liver = voxelised(ball((0, 0, 0), LIVER_MM), grid, "liver")
    return script("known_motion").Source(Volume(hu.astype(np.float32), grid, "CT"), liver)


def made(seed: int, missing: float = 0.0, away_mm: float = 0.0, turned_deg: float = 0.0):
    """Two studies of that CT."""
    module = script("known_motion")
    wanted = module.Wanted(STUDY_KJI_MM, STUDY_KJI_MM, missing, away_mm, turned_deg)
    return module.make_after(source(), seed, wanted)
