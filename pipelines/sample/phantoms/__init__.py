"""Analytic tumours and ablation zones, and what is true of the margin between them."""

from pipelines.sample.phantoms.bodies import Arc, Body, Cut, Star, Union, ball, ellipsoid, lobes
from pipelines.sample.phantoms.capsules import LIMITED, LimitedPhantom, make_limited
from pipelines.sample.phantoms.contours import Contoured, SmoothError
from pipelines.sample.phantoms.families import AIMED, CLEAN, FAMILIES, HARD, Phantom, make_phantom
from pipelines.sample.phantoms.lattices import GRIDS, lattice_of, mask_of, pair_of_masks, voxelised
from pipelines.sample.phantoms.reader import drawn_mask_of
from pipelines.sample.phantoms.truth import Truth, truth_of

__all__ = [
    "AIMED", "CLEAN", "FAMILIES", "GRIDS", "HARD", "LIMITED", "Arc", "Body", "Contoured", "Cut", "LimitedPhantom",
    "Phantom", "SmoothError", "Star", "Truth", "Union", "ball", "drawn_mask_of", "ellipsoid", "lattice_of",
    "lobes", "make_limited", "make_phantom", "mask_of", "pair_of_masks", "truth_of", "voxelised",
]  # fmt: skip
