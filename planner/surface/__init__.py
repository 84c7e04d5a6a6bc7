"""From a mask to its closed sub-voxel surface, and the signed distance to it: the one place that decides both.

Sign everywhere: positive inside the surface, negative outside, millimetres.
"""

from planner.surface.bases import Ellipsoid
from planner.surface.build import patch_of, surface_of
from planner.surface.clipped import Body, outside_of
from planner.surface.joined import join
from planner.surface.mesh import Depths, PointMap, Surface
from planner.surface.nets import nets_surface
from planner.surface.sites import spread_indices
from planner.surface.vtp import vtp_bytes

__all__ = [
    "Body", "Depths", "Ellipsoid", "PointMap", "Surface", "join", "nets_surface", "outside_of", "patch_of",
    "spread_indices", "surface_of", "vtp_bytes",
]  # fmt: skip
