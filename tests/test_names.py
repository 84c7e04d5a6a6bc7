from __future__ import annotations

import pytest

from pipelines.formats.names import hints_at_lesion, role_of_name
from pipelines.formats.totalsegmentator import TOTAL_V2, label_table
from planner.case import STRUCTURES, is_role
from planner.errors import InputError


@pytest.mark.parametrize("role", [*STRUCTURES, "tumour_1", "tumour_12", "ablation_2", "rib_left_7", "lung_left"])
def test_a_role_is_its_own_name(role):
    assert role_of_name(role).role == role


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("tumour", "tumour_1"),
        ("Tumor", "tumour_1"),
        ("tumor_2", "tumour_2"),
        ("Tumour 2", "tumour_2"),
        ("tumour3", "tumour_3"),
        ("lesion-04", "tumour_4"),
        ("GTV", "tumour_1"),
        ("gtv2", "tumour_2"),
        ("liver_tumor", "tumour_1"),
        ("Neoplasm, Primary", "tumour_1"),
        ("metastasis_2", "tumour_2"),
        ("tumour_mask", "tumour_1"),
        ("ablation", "ablation_1"),
        ("Ablation zone", "ablation_1"),
        ("ablation_zone_2", "ablation_2"),
        ("coagulation", "ablation_1"),
        ("Necrosis 2", "ablation_2"),
        ("inferior_vena_cava", "ivc"),
        ("portal_vein_and_splenic_vein", "portal_vein"),
        ("Liver", "liver"),
        ("Right kidney", "kidney_right"),
        ("vertebrae_L1", "vertebrae_l1"),
    ],
)
def test_common_names_mean_their_role(name, role):
    assert role_of_name(name).role == role
    assert is_role(role)


@pytest.mark.parametrize("name", ["image", "sternum", "liver_vessels", "esophagus", "delivery", "", "kidney"])
def test_other_names_mean_nothing(name):
    assert role_of_name(name) is None
    assert not hints_at_lesion(name)


@pytest.mark.parametrize("name", ["GTV_Mass", "tumour_left_lobe", "liver_lesions", "ablation_margin", "old necrosis"])
def test_a_name_that_speaks_of_a_lesion_unclearly_is_told_apart(name):
    assert role_of_name(name) is None
    assert hints_at_lesion(name)


def test_lesions_are_numbered_from_one():
    with pytest.raises(InputError):
        role_of_name("tumour_0")


def test_the_label_table_of_totalsegmentator_has_its_117_structures_at_their_values():
    assert len(TOTAL_V2) == 117
    assert {TOTAL_V2[v] for v in (1, 5, 63, 64, 117)} == {
        "spleen", "liver", "inferior_vena_cava", "portal_vein_and_splenic_vein", "costal_cartilages",
    }  # fmt: skip
    assert (TOTAL_V2[5], TOTAL_V2[26], TOTAL_V2[50], TOTAL_V2[92]) == (
        "liver",
        "vertebrae_S1",
        "vertebrae_C1",
        "rib_left_1",
    )


def test_a_label_table_is_found_in_a_header_extension():
    xml = b'<x><Label Key="5" Red="0" Alpha="1"><![CDATA[liver]]></Label>\n<Label Key="7"><![CDATA[aorta]]></Label>'
    assert label_table(xml) == {5: "liver", 7: "aorta"}
    assert label_table(b"") == {}
