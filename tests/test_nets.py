from __future__ import annotations

import numpy as np
import pytest
from analytic import Points, ball, ball_ml, lattice, rigid, voxelised

from planner.surface import nets_surface

TURNED = rigid((0.4, -0.3, 0.2))[:3, :3]
SHEARED = np.array([[1.0, 0.2, 0.0], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize(
    "axes", [np.eye(3), TURNED, SHEARED, np.diag([-1.0, 1.0, 1.0])], ids=["straight", "oblique", "sheared", "mirrored"]
)
def test_a_ball_by_surface_nets_lies_within_a_voxel_of_the_ball_and_points_outward(axes: Points) -> None:
    grid = lattice(18.0, (1.5, 1.0, 1.0), turned=axes)
    surface = nets_surface(voxelised(ball((2, -1, 1), 11), grid).cropped(2))
    radius = np.linalg.norm(surface.vertices_lps_mm - (2, -1, 1), axis=1)
    assert np.abs(radius - 11).max() < 1.5
    assert surface.volume_ml == pytest.approx(ball_ml(11), rel=0.1)
    assert surface.signed_depth_mm([(2, -1, 1)])[0] > 10.0
    assert surface.signed_depth_mm([(16, -1, 1)])[0] < -2.0
