"""What must hold of the minimal margin whatever the shapes, on bodies drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from analytic import ball, centres, ellipsoid, lattice, margin_of, on, union, voxelised, without
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from planner.grid import Grid
from planner.measure.margin import Margin
from planner.surface import surface_of
from planner.volume import Mask

FEW = settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate])
GRID = lattice(22.0, (2.5, 0.9, 0.9))


@dataclass(frozen=True)
class Pair:
    """A tumour and its zone on one lattice."""

    tumour: Mask
    zone: Mask

    def measured(self) -> Margin:
        return margin_of(self.tumour, self.zone)

    def on(self, grid: Grid, flipped: tuple[int, ...] = (), order: tuple[int, int, int] = (0, 1, 2)) -> Pair:
        """The same voxels, reversed along some axes and with the axes in another order, on another lattice."""
        made = [np.flip(m.voxels_kji, flipped).transpose(order) for m in (self.tumour, self.zone)]
        return Pair(*(Mask(np.ascontiguousarray(voxels), grid) for voxels in made))


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """An ellipsoid in any pose, in a zone with a bite out of it or one of two balls, about as often inside as not."""
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    turned = Rotation.random(random_state=rng).as_matrix()
    tumour = ellipsoid(rng.uniform(-4, 4, 3), rng.uniform(3.5, 8, 3), turned)
    zone = without(ellipsoid((0, 0, 0), rng.uniform(10, 17, 3), turned), ball(rng.uniform(8, 14, 3), rng.uniform(2, 5)))
    if draw(st.booleans()):
        zone = union(*(ball(rng.uniform(-7, 7, 3), rng.uniform(8, 13)) for _ in range(2)))
    return Pair(voxelised(tumour, GRID), voxelised(zone, GRID))


@FEW
@given(pairs())
def test_the_order_and_the_sense_of_the_lattices_axes_do_not_matter(pair: Pair) -> None:
    """Sagittal, coronal or axial storage, LPS or RAS: each voxel keeps its place in the patient."""
    order, flipped = (2, 0, 1), (0, 2)
    steps = GRID.lps_mm_from_ijk[:3, :3].T[::-1]
    last = np.array(GRID.shape_kji) - 1
    affine = np.eye(4)
    affine[:3, 3] = GRID.lps_mm_from_ijk[:3, 3] + sum(last[a] * steps[a] for a in flipped)
    signed = np.array([-steps[a] if a in flipped else steps[a] for a in range(3)])
    affine[:3, :3] = signed[list(order)][::-1].T
    shape = tuple(GRID.shape_kji[a] for a in order)
    here, there = pair.measured(), pair.on(Grid((shape[0], shape[1], shape[2]), affine), flipped, order).measured()
    assert there.min_mm == pytest.approx(here.min_mm, abs=0.1)
    assert there.direction is not None


@FEW
@given(pairs(), st.sampled_from([0.1, 0.5, 2.0, 10.0]))
def test_the_margin_grows_with_the_unit_of_length(pair: Pair, factor: float) -> None:
    """Sizes that the fit states in mm (meshing, details) are not scaled along; a tenth of a voxel covers them."""
    larger = pair.on(on(GRID, np.diag([factor, factor, factor, 1.0])))
    here = pair.measured().min_mm
    assert here is not None
    assert larger.measured().min_mm == pytest.approx(factor * here, abs=0.25 * max(1.0, factor))


@FEW
@given(pairs(), st.floats(0.5, 4.0))
def test_growing_the_zone_by_voxels_never_lowers_the_margin(pair: Pair, by_mm: float) -> None:
    """By more than 0.3 mm: each mask is fitted by itself."""
    tree = cKDTree(pair.zone.centres_lps_mm())
    grown = (tree.query(centres(GRID))[0] <= by_mm).reshape(GRID.shape_kji)
    here, there = pair.measured().min_mm, Pair(pair.tumour, Mask(grown, GRID)).measured().min_mm
    assert here is not None
    assert there is not None
    assert there >= here - 0.3


@FEW
@given(pairs(), st.integers(1, 200))
def test_further_ablated_voxels_anywhere_never_lower_the_margin(pair: Pair, count: int) -> None:
    """By more than 0.6 mm: what is added in one place changes how far the fit may bend in all."""
    rng = np.random.default_rng(count)
    more = pair.zone.voxels_kji.copy()
    near = np.argwhere(~more & (cKDTree(pair.zone.centres_lps_mm()).query(centres(GRID))[0] < 4.0).reshape(more.shape))
    more[tuple(near[rng.choice(len(near), min(count, len(near)), replace=False)].T)] = True
    here, there = pair.measured().min_mm, Pair(pair.tumour, Mask(more, GRID)).measured().min_mm
    assert here is not None
    assert there is not None
    assert there >= here - 0.6


@FEW
@given(st.integers(0, 2**31))
def test_a_tumour_well_inside_has_a_positive_margin_and_one_well_outside_a_negative_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    zone = voxelised(ellipsoid((0, 0, 0), rng.uniform(12, 18, 3)), GRID)
    towards = rng.normal(size=3)
    towards /= np.linalg.norm(towards)
    inside = voxelised(ball(4.0 * towards, rng.uniform(3, 6)), GRID)
    outside = voxelised(ball(16.0 * towards, 6.0), GRID)
    found = [Pair(tumour, zone).measured().min_mm for tumour in (inside, outside)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] > 0.0 > found[1]


@FEW
@given(pairs())
def test_the_margin_is_not_beyond_the_nearest_centre_that_was_not_ablated(pair: Pair) -> None:
    found = pair.measured().min_mm
    empty = centres(GRID)[~pair.zone.voxels_kji.ravel()]
    assert found is not None
    assert found <= cKDTree(empty).query(pair.tumour.centres_lps_mm())[0].min() + 0.1


@FEW
@given(pairs())
def test_the_surface_leaves_the_centres_on_their_sides(pair: Pair) -> None:
    """Of those within two voxels, at least 99.5 %."""
    for mask in (pair.tumour, pair.zone):
        points, inside = centres(GRID), mask.voxels_kji.ravel()
        reach = 2.0 * max(GRID.spacing_kji_mm)
        near = np.where(
            inside,
            cKDTree(points[~inside]).query(points)[0] <= reach,
            cKDTree(points[inside]).query(points)[0] <= reach,
        )
        depth = surface_of(mask).signed_depth_mm(points[near])
        assert np.mean((depth > 0) == inside[near]) >= 0.995
