"""How far a case resembles those in whom a figure was found."""

from __future__ import annotations

import pytest

from pipelines.catalogue import packaged_comparisons, packaged_hazards
from planner.evidence.population import Population, Setting, flags_of, matched, population_notes

WANG = packaged_hazards()[0].population
STUDIED = Setting("colorectal", "radiofrequency", 42, "2d_manual")


def flags(setting: Setting, population: Population = WANG) -> dict[str, str]:
    found = flags_of(population, matched(population, setting), setting)
    assert len({flag.code for flag in found}) == len(found)
    return {flag.code: flag.text for flag in found}


def test_a_case_like_those_studied_has_no_flag():
    assert flags(STUDIED) == {}


@pytest.mark.parametrize(
    ("setting", "code", "said"),
    [
        (Setting("hepatocellular", "radiofrequency", 42, "2d_manual"), "primary_mismatch", "hepatocellular"),
        (Setting("colorectal", "microwave", 42, "2d_manual"), "modality_mismatch", "microwave"),
        (Setting("colorectal", "laser", 42, "2d_manual"), "modality_mismatch", "laser"),
        (Setting("colorectal", "radiofrequency", 1, "2d_manual"), "scan_day_mismatch", "here 1 day after"),
        (Setting("colorectal", "radiofrequency", 42), "method_mismatch", "3D from segmentations"),
        (Setting(None, "radiofrequency", 42, "2d_manual"), "primary_unknown", "was not entered"),
        (Setting("colorectal", "radiofrequency", None, "2d_manual"), "scan_day_unknown", "not known"),
    ],
)
def test_each_difference_is_one_flag_that_says_what_is_here(setting, code, said):
    found = flags(setting)
    assert list(found) == [code]
    assert said in found[code]


def test_an_unknown_modality_is_said_plainly():
    (text,) = flags(Setting("colorectal", None, 42, "2d_manual")).values()
    assert text.startswith("the ablation modality was not entered, which the figure needs")
    assert "radiofrequency" in text


def test_cryoablation_and_electroporation_have_a_sentence_of_their_own():
    frozen = flags(Setting("colorectal", "cryoablation", 42, "2d_manual"))
    pulsed = flags(Setting("colorectal", "irreversible_electroporation", 42, "2d_manual"))
    assert list(frozen) == ["cryoablation_zone"]
    assert list(pulsed) == ["electroporation_zone"]
    for text in (*frozen.values(), *pulsed.values()):
        assert "measured after radiofrequency" in text
    assert "drawn on the ice ball" in frozen["cryoablation_zone"]
    assert frozen["cryoablation_zone"] != pulsed["electroporation_zone"]


def test_what_differs_is_noted_with_what_was_studied_and_what_is_here():
    setting = Setting("hepatocellular", "microwave", 3)
    (note,) = population_notes(WANG, matched(WANG, setting), setting)
    assert note == (
        "differs from those studied in primary (studied: colorectal; here: hepatocellular), ablation modality (studied:"
        " radiofrequency; here: microwave), scan date (studied: 28 to 56 days after the ablation; here: 3 days after"
        " the ablation), method (studied: margins read by hand in 2D; here: measured in 3D from segmentations)"
    )


def test_what_is_not_known_of_a_study_is_never_a_match_nor_laid_on_the_user():
    for figure in packaged_comparisons():
        people = figure.population
        match = matched(people, STUDIED)
        for known, found in ((people.modality, match.modality), (people.scan_days, match.scan_days)):
            assert bool(known) == (found != "unknown")
        assert not any("not entered" in note for note in population_notes(people, match, STUDIED))
        assert ("modality_not_stated" in flags(STUDIED, people)) == (not people.modality)


@pytest.mark.parametrize("modality", ["cryoablation", "irreversible_electroporation", "microwave", None])
def test_of_a_study_whose_modality_is_not_known_nothing_is_said_but_that(modality):
    software = Population(("colorectal",), (), None, "3d_software", None, None)
    assert list(flags(Setting("colorectal", modality, 42), software)) == ["modality_not_stated"]


def test_margins_of_3d_software_are_like_ours():
    software = Population(("colorectal",), (), None, "3d_software", None, None)
    assert matched(software, Setting()).method == "match"
    assert matched(WANG, Setting()).method == "mismatch"
