from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, ellipsoid, lattice, rigid, sphere, union, voxelised
from scipy.spatial import ConvexHull

from planner.measure.volumes import max_axial_diameter_mm, max_diameter_mm
from planner.surface import Surface, surface_of

TILTED = rigid((0.0, 0.7, 0.0))[:3, :3]


def cuboid(size: tuple[float, float, float]) -> Surface:
    corners = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * np.array(size)
    return Surface(corners, ConvexHull(corners).simplices.astype(np.int64), (1.0, 1.0, 1.0))


def test_a_box_has_its_space_diagonal_and_in_axial_planes_that_of_its_base() -> None:
    assert max_diameter_mm(cuboid((30.0, 40.0, 120.0))) == pytest.approx(130.0)
    assert max_axial_diameter_mm(cuboid((30.0, 40.0, 120.0))) == pytest.approx(50.0)


def test_a_ball_is_as_wide_as_it_is() -> None:
    assert max_diameter_mm(sphere((5, 5, 5), 9.0, 3000)) == pytest.approx(18.0, abs=0.05)
    assert max_axial_diameter_mm(sphere((5, 5, 5), 9.0, 3000)) == pytest.approx(18.0, abs=0.1)


@pytest.mark.parametrize("axes", [(20.0, 9.0, 7.0), (7.0, 9.0, 20.0)], ids=["lying", "standing"])
def test_a_tilted_ellipsoid_has_its_long_axis_and_in_axial_planes_that_of_its_section(
    axes: tuple[float, float, float],
) -> None:
    surface = sphere((0, 0, 0), 1.0, 8000).moved(lambda p: (p * axes) @ TILTED.T)
    form = TILTED @ np.diag(1 / np.square(axes)) @ TILTED.T
    section = 2 / np.sqrt(np.linalg.eigvalsh(form[:2, :2]).min())
    assert max_diameter_mm(surface) == pytest.approx(40.0, abs=0.1)
    assert max_axial_diameter_mm(surface) == pytest.approx(section, abs=0.2)


def test_axial_means_constant_superior_coordinate_not_the_lattices_slices() -> None:
    """A rod along S, on a sagittal lattice: its axial diameter is its thickness."""
    grid = lattice((10.0, 10.0, 26.0), (1.2, 0.9, 0.9))
    sagittal = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    turned = lattice((10.0, 26.0, 10.0), (1.2, 0.9, 0.9), turned=sagittal)
    for where in (grid, turned):
        rod = surface_of(voxelised(ellipsoid((0, 0, 0), (6, 6, 21)), where))
        assert max_axial_diameter_mm(rod) == pytest.approx(12.0, abs=0.5)
        assert max_diameter_mm(rod) == pytest.approx(42.0, abs=0.8)


def test_several_parts_span_from_the_first_to_the_last() -> None:
    parts = surface_of(voxelised(union(ball((-10, 0, 0), 4), ball((9, 0, 0), 5)), lattice(16.0, (1.5, 1.0, 1.0))))
    assert max_diameter_mm(parts) == pytest.approx(28.0, abs=0.6)
    assert max_axial_diameter_mm(parts) == pytest.approx(28.0, abs=0.6)


def test_a_flat_flake_thinner_than_a_slab_still_has_its_width() -> None:
    assert max_axial_diameter_mm(cuboid((30.0, 40.0, 0.4))) == pytest.approx(50.0)
