"""Analytic tumours and ablation zones, and what is true of the margin between them."""

from pipelines.sample.phantoms.bodies import Arc, Body, Cut, Star, Union, ball, ellipsoid
from pipelines.sample.phantoms.families import CLEAN, FAMILIES, HARD, Phantom, make_phantom
from pipelines.sample.phantoms.lattices import GRIDS, pair_of_masks, voxelised
from pipelines.sample.phantoms.truth import Truth, truth_of

__all__ = [
    "CLEAN", "FAMILIES", "GRIDS", "HARD", "Arc", "Body", "Cut", "Phantom", "Star", "Truth", "Union", "ball",
    "ellipsoid", "make_phantom", "pair_of_masks", "truth_of", "voxelised",
]  # fmt: skip
