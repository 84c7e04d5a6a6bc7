from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from planner.register.blocks import LOST_MM, block_residual_mm

SPACING = 2.0
EVERYWHERE = np.ones((44, 48, 52), dtype=bool)


def structure(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.standard_normal(EVERYWHERE.shape), 2.0).astype(np.float32)


@pytest.mark.parametrize("shift_kji", [(0, 0, 0), (1, 0, 0), (0, -2, 1), (3, 2, -2)])
def test_the_residual_is_the_length_of_a_shift(shift_kji: tuple[int, int, int]) -> None:
    moved = np.roll(structure(1), shift_kji, axis=(0, 1, 2))
    wanted = SPACING * float(np.linalg.norm(shift_kji))
    assert block_residual_mm(structure(1), moved, EVERYWHERE, SPACING) == pytest.approx(wanted, abs=0.2)


def test_a_shift_by_parts_of_a_voxel_is_seen() -> None:
    moved = ndimage.shift(structure(2), (0.0, 0.5, 0.0), order=3, mode="nearest")
    assert block_residual_mm(structure(2), moved, EVERYWHERE, SPACING) == pytest.approx(1.0, abs=0.3)


def test_another_contrast_does_not_matter() -> None:
    moved = 3.0 * np.roll(structure(3), 2, axis=1) - 40.0
    assert block_residual_mm(structure(3), moved, EVERYWHERE, SPACING) == pytest.approx(4.0, abs=0.2)


def test_images_of_nothing_in_common_are_lost() -> None:
    assert block_residual_mm(structure(4), structure(5), EVERYWHERE, SPACING) > 6.0


def test_nowhere_to_look_counts_as_lost() -> None:
    assert block_residual_mm(structure(6), structure(6), ~EVERYWHERE, SPACING) == LOST_MM


def test_a_constant_image_is_lost_and_raises_nothing() -> None:
    assert block_residual_mm(structure(7), np.zeros_like(structure(7)), EVERYWHERE, SPACING) == LOST_MM
