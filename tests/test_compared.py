from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, voxelised
from studies import ZONE_CENTRE, bent_pre, bent_pre_from_post, post, pre, pre_from_post, stranger

from planner.errors import RegistrationInputError
from planner.register.align import register
from planner.register.compared import compared_by, intensities, self_similarity
from planner.register.mirrored import require_not_mirrored
from planner.register.prepare import Scan, working_scan
from planner.register.quality import likeness
from planner.register.settings import RegistrationSettings
from planner.volume import Mask, Volume

SETTINGS = RegistrationSettings(working_mm=3.0)


def textured(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100.0, 30.0, (24, 22, 20)).astype(np.float32)


def test_two_cts_are_compared_by_their_intensities() -> None:
    image = textured()
    assert compared_by(both_ct=True)(image) == (image,)
    assert compared_by(both_ct=True) is intensities


def test_self_similarity_has_six_channels_the_best_of_them_one() -> None:
    channels = np.stack(compared_by(both_ct=False)(textured()))
    assert channels.shape == (6, 24, 22, 20)
    assert channels.max(axis=0) == pytest.approx(1.0)
    assert 0.0 <= channels.min() < 0.5


@pytest.mark.parametrize("change", [lambda x: -x, lambda x: 3.0 * x + 50.0], ids=["inverted", "scaled"])
def test_self_similarity_does_not_see_which_side_is_bright(change) -> None:
    one, other = (np.stack(self_similarity(image)) for image in (textured(), change(textured())))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_slow_bias_changes_self_similarity_little() -> None:
    image = textured()
    bias = np.exp(0.3 * np.cos(np.arange(24) / 12.0))[:, None, None].astype(np.float32)
    everywhere = np.ones(image.shape, dtype=bool)
    assert likeness(image, image * bias, everywhere, self_similarity) > 0.9
    assert likeness(image, textured(1), everywhere, self_similarity) < 0.1


def test_a_constant_image_has_channels_too() -> None:
    assert np.isfinite(np.stack(self_similarity(np.zeros((8, 8, 8), dtype=np.float32)))).all()


def as_mr(scan: Scan) -> Scan:
    """The same body in another contrast: dark where it was bright, over another range, above zero."""
    image = scan.image
    return Scan(Volume(2.0 * np.maximum(400.0 - image.voxels_kji, 0.0), image.grid, "MR"), scan.liver, scan.lesions)


def mean_error_mm(found, before) -> float:
    points = ZONE_CENTRE + np.random.default_rng(0).uniform(-25, 25, (400, 3))
    true = (bent_pre_from_post if before is bent_pre else pre_from_post)(points)
    return float(np.linalg.norm(found.map.pre_from_post(points) - true, axis=1).mean())


@pytest.fixture(scope="module")
def found():
    here, zones = post()
    return {before: register(as_mr(before()), here, zones, SETTINGS) for before in (pre, bent_pre)}


def check(alignment, name):
    return next(c for c in alignment.checks if c.name == name)


def test_between_contrasts_a_rigid_motion_is_found_and_nothing_deformed_without_need(found) -> None:
    assert mean_error_mm(found[pre], pre) < 1.0
    assert "rigid" in check(found[pre], "proof").text
    assert found[pre].kind == "rigid"


def test_between_contrasts_a_deformation_is_used_where_the_gate_prefers_it_and_said(found) -> None:
    alignment = found[bent_pre]
    assert alignment.kind == "deformable"
    assert "proved itself" in check(alignment, "proof").text
    off = alignment.rigid.pre_from_post(ZONE_CENTRE[None]) - bent_pre_from_post(ZONE_CENTRE[None])
    assert mean_error_mm(alignment, bent_pre) < 1.5 < float(np.linalg.norm(off))


def test_another_contrast_is_said_never_to_have_been_measured_on_patients(found) -> None:
    assert "simulated contrast only" in check(found[pre], "contrast").text
    here, zones = post()
    assert "contrast" not in {c.name for c in register(pre(), here, zones, SETTINGS).checks}


def test_another_body_in_another_contrast_fails() -> None:
    here, zones = post()
    assert register(as_mr(stranger()), here, zones, SETTINGS).verdict("1") == "fail"


def test_mr_that_states_ct_is_refused() -> None:
    here, zones = post()
    wrong = as_mr(pre())
    wrong = Scan(Volume(wrong.image.voxels_kji, wrong.image.grid, "CT"), wrong.liver, {})
    with pytest.raises(RegistrationInputError, match="PRE: states CT, but no value lies below") as caught:
        register(wrong, here, zones, SETTINGS)
    assert caught.value.code == "not-hounsfield"


def lopsided(flip: int | None) -> Scan:
    """A liver of four balls of different sizes, stored the right way round or mirrored along an axis."""
    here, _ = post()
    grid = here.image.grid
    parts = (((-8, -8, -12), 10.0), ((30, -8, -12), 22.0), ((-8, 34, -12), 18.0), ((-8, -8, 30), 18.0))
    mask = np.any([voxelised(ball(at, radius), grid, "part").voxels_kji for at, radius in parts], axis=0)
    voxels = here.image.voxels_kji
    if flip is not None:
        voxels, mask = np.flip(voxels, flip), np.flip(mask, flip)
    return Scan(Volume(voxels, grid, "CT"), Mask(mask, grid, "liver"), {})


def test_a_liver_that_lies_the_same_way_round_is_none_in_a_mirror() -> None:
    require_not_mirrored(working_scan(lopsided(None), SETTINGS), working_scan(lopsided(None), SETTINGS))


@pytest.mark.parametrize(("axis", "words"), [(2, "left to right"), (1, "front to back"), (0, "head to feet")])
def test_a_volume_stored_the_wrong_way_round_is_refused(axis: int, words: str) -> None:
    with pytest.raises(RegistrationInputError, match="only mirrored") as caught:
        require_not_mirrored(working_scan(lopsided(None), SETTINGS), working_scan(lopsided(axis), SETTINGS))
    assert caught.value.code == "mirrored"
    assert words in str(caught.value)
