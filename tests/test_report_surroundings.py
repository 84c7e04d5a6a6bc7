from __future__ import annotations

import pytest

from planner.assessment import Distance
from planner.case import STRUCTURES
from planner.report.surroundings import distance_table, structure_words


def tumour(role: str, mm: float | None) -> Distance:
    return Distance(role, "tumour", mm, None)


def zone(role: str, mm: float | None) -> Distance:
    return Distance(role, "ablation", mm, None)


@pytest.mark.parametrize(
    ("role", "printed"),
    [("ivc", "inferior vena cava"), ("hepatic_vein_left", "left hepatic vein"), ("kidney_right", "right kidney"),
     ("left_hepatic_duct", "left hepatic duct"), ("portal_vein", "portal vein"), ("colon", "colon"),
     ("lung_left", "left lung"), ("ablation_2", "ablation zone 2")],
)  # fmt: skip
def test_structures_are_spelled_out(role: str, printed: str) -> None:
    assert structure_words(role) == printed


def test_no_structure_is_printed_by_its_role_alone() -> None:
    assert not any("_" in structure_words(role) for role in STRUCTURES)
    assert len({structure_words(role) for role in STRUCTURES}) == len(STRUCTURES)


def test_rows_hold_both_distances_and_begin_with_the_nearest_of_either() -> None:
    table = distance_table(
        [tumour("portal_vein", 2.1), tumour("ivc", 12.0), zone("ivc", -0.4), zone("portal_vein", 1.0)]
    )
    assert table.heads == ("From the tumour, mm", "From the ablation zone, mm")
    assert [(row.structure, *row.cells) for row in table.near] == [
        ("inferior vena cava", "12.0", "overlapping, -0.4"), ("portal vein", "2.1", "1.0"),
    ]  # fmt: skip
    assert table.far == ()


def test_only_what_is_far_from_tumour_and_zone_is_folded_away() -> None:
    table = distance_table(
        [tumour("colon", 30.1), zone("colon", 30.1), tumour("stomach", 31.0), zone("stomach", 30.0),
         tumour("spleen", 90.0), zone("spleen", None), tumour("heart", 80.0)]
    )  # fmt: skip
    assert [row.structure for row in table.near] == ["stomach", "heart", "spleen"]
    assert [row.structure for row in table.far] == ["colon"]
    assert table.far_words == "1 structure farther than 30 mm"
    assert table.near[1].cells == ("80.0", "n/a")


def test_an_untreated_lesion_has_no_column_of_a_zone() -> None:
    table = distance_table([tumour("colon", 45.0), tumour("kidney_left", 31.0), tumour("ablation_1", 15.7)])
    assert table.heads == ("From the tumour, mm",)
    assert [row.structure for row in table.near] == ["ablation zone 1"]
    assert [row.structure for row in table.far] == ["left kidney", "colon"]
    assert table.far_words == "2 structures farther than 30 mm"


def test_intervals_stand_beside_their_distance() -> None:
    near = Distance("colon", "tumour", 6.25, None, (3.0, 9.0))
    assert distance_table([near]).near[0].cells == ("6.2 (3.0 to 9.0)",)


def test_without_distances_there_is_no_table() -> None:
    assert distance_table(()).heads == ()


def test_vessels_have_two_columns_more_and_what_is_none_leaves_them_empty() -> None:
    table = distance_table([
        Distance("portal_vein", "tumour", 2.0, None, calibre_mm=7.46),
        Distance("portal_vein", "ablation", -1.0, None, calibre_mm=7.1, contact_mm=12.34),
        Distance("ivc", "tumour", 12.0, None, calibre_reason="too coarse"),
        Distance("ivc", "ablation", 9.0, None, contact_mm=0.0),
        tumour("colon", 20.0), zone("colon", 15.0),
    ])  # fmt: skip
    assert table.heads[2:] == ("Calibre of the vessel, mm", "In contact with the zone, mm")
    assert [row.cells[2:] for row in table.near] == [("7.5", "12.3"), ("n/a", "0.0"), ("", "")]
    assert table.order_words == "sorted by the smaller of the two distances"


def test_the_order_of_one_start_is_nearest_first_with_vessels_too() -> None:
    table = distance_table([Distance("portal_vein", "tumour", 2.0, None, calibre_mm=7.46)])
    assert table.heads == ("From the tumour, mm", "Calibre of the vessel, mm")
    assert table.order_words == "nearest first"


def test_the_capsule_is_spelled_out() -> None:
    assert structure_words("liver_capsule") == "liver capsule"
