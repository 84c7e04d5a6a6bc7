from __future__ import annotations

import numpy as np
import pytest
from analytic import lattice

from planner.case import STRUCTURES, VESSELS, Case, Study, aligned_notes, is_role, mask_notes
from planner.errors import FrameMismatchError, InputError
from planner.volume import Mask, Volume

GRID = lattice(4.0, (2.0, 2.0, 2.0), frame_uid="1.2.3")
IMAGE = Volume(np.zeros(GRID.shape_kji), GRID)


def mask(name: str = "x", *, full: bool = True, frame: str = "1.2.3") -> Mask:
    grid = lattice(4.0, (2.0, 2.0, 2.0), frame_uid=frame)
    return Mask(np.full(grid.shape_kji, full), grid, name)


def study(*roles: str) -> Study:
    return Study(IMAGE, {role: mask(role) for role in roles})


@pytest.mark.parametrize(
    "name", [*STRUCTURES, "rib_left_1", "lung_upper_lobe_left", "vertebra_l1", "tumour_1", "ablation_12"]
)
def test_roles_are_structures_families_and_numbered_lesions(name: str) -> None:
    assert is_role(name)


@pytest.mark.parametrize(
    "name", ["", "tumour", "tumour_0", "tumour_01", "tumor_1", "Liver", "liver ", "ablation_1a", "aribs"]
)
def test_anything_else_is_no_role(name: str) -> None:
    assert not is_role(name)
    with pytest.raises(InputError) as caught:
        study(name)
    assert caught.value.code == "unknown-role"


def test_every_vessel_is_a_structure() -> None:
    assert set(VESSELS) <= set(STRUCTURES)


def test_lesions_come_in_numeric_not_alphabetic_order() -> None:
    found = study("tumour_10", "tumour_9", "ablation_2", "tumour_1", "ablation_11")
    assert list(found.tumours) == ["1", "9", "10"]
    assert list(found.ablations) == ["2", "11"]


def test_only_vessel_roles_are_vessels() -> None:
    assert set(study("portal_vein", "bile_duct", "liver", "ivc").vessels) == {"portal_vein", "ivc"}


def test_an_empty_liver_mask_is_no_liver() -> None:
    assert Study(IMAGE, {"liver": mask("liver", full=False)}).liver is None
    assert study("tumour_1").liver is None
    assert study("liver").liver is not None


def test_a_mask_of_another_frame_of_reference_is_refused_by_its_role() -> None:
    with pytest.raises(FrameMismatchError, match="tumour_1"):
        Study(IMAGE, {"tumour_1": mask(frame="1.2.4")})


def test_the_masks_of_a_study_cannot_be_changed() -> None:
    masks = {"tumour_1": mask()}
    found = Study(IMAGE, masks)
    masks["liver"] = mask()
    assert "liver" not in found.masks
    with pytest.raises(TypeError):
        found.masks["liver"] = mask()  # type: ignore[index]  # what must not be possible


def test_a_pair_names_lesions_and_zones_that_exist() -> None:
    pre, post = study("tumour_1"), study("ablation_1")
    assert Case("c", "p", pre, post, {"1": ("1",)}).pairs["1"] == ("1",)
    with pytest.raises(InputError) as caught:
        Case("c", "p", pre, post, {"2": ("1",)})
    assert caught.value.code == "unknown-lesion"
    with pytest.raises(InputError) as caught:
        Case("c", "p", pre, post, {"1": ("1", "2")})
    assert caught.value.code == "unknown-zone"


def test_a_scan_for_the_registration_has_the_image_the_liver_and_the_lesions() -> None:
    found = study("liver", "tumour_1")
    scan = found.scan(found.tumours)
    assert scan.image is found.image
    assert scan.liver is found.masks["liver"]
    assert list(scan.lesions) == ["1"]


def test_studies_in_the_wrong_order_are_no_case() -> None:
    with pytest.raises(InputError, match="swapped") as caught:
        Case("a", "b", study("ablation_1", "liver"), study("tumour_1"))
    assert caught.value.code == "swapped-studies"
    both = study("tumour_1", "ablation_1")
    for pre, post in ((both, study("tumour_1")), (study("ablation_1"), both), (study("ablation_1"), study("liver"))):
        assert Case("a", "b", pre, post).pre is pre


def part(name: str, *bounds: tuple[int, int]) -> Mask:
    voxels = np.zeros(GRID.shape_kji, dtype=bool)
    voxels[tuple(slice(first, past) for first, past in bounds)] = True
    return Mask(voxels, GRID, name)


def test_only_a_single_voxel_and_a_full_lattice_are_odd() -> None:
    assert mask_notes(part("tumour_1", (1, 2), (1, 2), (1, 3))) == ()
    (single,) = mask_notes(part("tumour_1", (1, 2), (1, 2), (1, 2)))
    (full,) = mask_notes(mask("ablation_1"))
    assert "single voxel" in single
    assert "whole lattice" in full
    assert mask_notes(mask("empty", full=False)) == ()


def test_aligned_masks_are_noted_one_by_one_and_where_no_zone_leaves_the_tumour() -> None:
    large, small = part("large", (0, 3), (0, 3), (0, 3)), part("small", (1, 3), (1, 3), (1, 3))
    beside = part("beside", (2, 4), (2, 4), (2, 4))
    assert aligned_notes(small, [large]) == ()
    assert aligned_notes(large, [beside]) == ()
    assert aligned_notes(large, [small, beside]) == ()
    assert aligned_notes(large, [large]) == aligned_notes(large, []) == ()
    (note,) = aligned_notes(large, [small])
    assert note.startswith("small: wholly inside the tumour")
    assert len(aligned_notes(small, [mask("ablation_1"), part("ablation_2", (1, 2), (1, 2), (1, 2))])) == 2


def test_a_zone_that_is_named_twice_for_a_lesion_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        Case("c", "p", study("tumour_1"), study("ablation_1"), {"1": ("1", "1")})
    assert caught.value.code == "duplicate-zone"
