from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from studies import MATRIX, in_liver, post, pre, pre_from_post

from planner.errors import RegistrationInputError
from planner.register import rigid
from planner.register.alignment import SpatialMap
from planner.register.prepare import metric_region, working_scan
from planner.register.rigid import matrix_of, rigid_pre_from_post
from planner.register.settings import RegistrationSettings

SETTINGS = RegistrationSettings(working_mm=3.5)


def found(*, liver: bool) -> np.ndarray:
    scans = [scan if liver else replace(scan, liver=None) for scan in (post()[0], pre())]
    fixed, moving = (working_scan(scan, SETTINGS) for scan in scans)
    return rigid_pre_from_post(fixed, moving, metric_region(fixed, SETTINGS), SETTINGS, same_frame=False)


@pytest.mark.parametrize("liver", [True, False], ids=["with livers", "without livers"])
def test_a_known_rigid_motion_is_found_to_half_a_millimetre(liver: bool) -> None:
    error = SpatialMap(found(liver=liver)).pre_from_post(in_liver()) - pre_from_post(in_liver())
    assert np.linalg.norm(error, axis=1).max() < 0.7


def test_scans_that_no_start_brings_to_overlap_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> None:
        raise RuntimeError("All samples map outside moving image buffer.")

    monkeypatch.setattr(rigid, "_refined", nothing)
    with pytest.raises(RegistrationInputError, match=r"^PRE and POST: no overlap found") as caught:
        found(liver=True)
    assert (caught.value.code, "\n" in str(caught.value)) == ("no-overlap", False)


def test_what_was_found_is_a_rotation_and_a_shift() -> None:
    turn = found(liver=True)[:3, :3]
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1.0)


def test_the_matrix_of_an_itk_transform_moves_points_as_it_does() -> None:
    transform = sitk.Euler3DTransform((10.0, -5.0, 3.0), 0.1, -0.2, 0.3, (4.0, 5.0, -6.0))
    point = (7.0, 8.0, 9.0)
    assert SpatialMap(matrix_of(transform)).pre_from_post(point)[0] == pytest.approx(transform.TransformPoint(point))
    assert MATRIX.shape == (4, 4)
