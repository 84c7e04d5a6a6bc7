"""Every number of the evidence files on risk against the project's evidence notes, written here a second time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.catalogue import packaged_baselines, packaged_comparisons, packaged_hazards
from planner.errors import EvidenceError
from planner.evidence.comparison import NOT_COVERED_HERE, Contrast, Slope
from planner.evidence.models_text import load_comparisons, load_hazards
from planner.evidence.population import Setting
from planner.facts import MODALITY, PRIMARY

ROOT = Path(__file__).resolve().parents[1]
FILES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "planner/evidence").glob("*/*.toml")}
FIGURES = {figure.id: figure for figure in packaged_comparisons()}
STUDIED = Setting("colorectal", "radiofrequency", 42)

# id: measure, ratio, published 95 % interval, patients, lesions, part of the citation
NOTES = {
    "LA-01": ("odds_ratio", 0.70, (0.5, 0.98), 110, 176, "doi 10.1007/s00330-019-06609-7"),
    "LI-01": ("hazard_ratio", 0.72, (0.61, 0.85), 444, None, "2021;8:1375-88"),
    "CH-01": ("risk_ratio", 3.60, (2.58, 5.03), 2005, 2873, "Cancers 2023;15:5806"),
    "CH-02": ("risk_ratio", 5.10, (1.45, 17.90), None, None, "Cancers 2023;15:5806"),
    "CH-03": ("risk_ratio", 3.64, (1.31, 10.10), None, None, "Cancers 2023;15:5806"),
    "RB-01": ("hazard_ratio", 2.48, (1.31, 4.72), 92, 137, "Br J Surg 2017;104:760-8"),
    "RP-01": ("subdistribution_hazard_ratio", 7.94, None, 163, 284, "PMID 39658020"),
}  # fmt: skip


def test_the_figures_are_those_of_the_notes():
    assert set(FIGURES) == set(NOTES)


@pytest.mark.parametrize("name", NOTES)
def test_a_figure_has_the_numbers_of_the_notes(name):
    measure, ratio, ends, patients, lesions, cited = NOTES[name]
    figure = FIGURES[name]
    published, ci95 = figure.form.published
    assert (figure.measure, published) == (measure, ratio)
    assert (None if ci95 is None else (ci95.low_ratio, ci95.high_ratio)) == ends
    assert ci95 is None or ci95.origin == "published"
    assert (figure.population.patients, figure.population.lesions) == (patients, lesions)
    assert cited in figure.source.text


@pytest.mark.parametrize(("name", "per_5_mm"), [("LA-01", 0.168), ("LI-01", 0.193)])
def test_a_slope_per_mm_gives_the_notes_equivalent_per_5_mm(name, per_5_mm):
    form = FIGURES[name].form
    assert isinstance(form, Slope)
    assert 1.0 / form.ratio_at(0.0) == pytest.approx(per_5_mm, abs=6e-4)
    assert form.ratio_at(5.0) == 1.0
    assert form.ratio_at(4.0) == pytest.approx(1.0 / NOTES[name][1])


@pytest.mark.parametrize("name", ["LA-01", "LI-01"])
def test_a_slope_gives_no_number_outside_the_margins_that_are_shown(name):
    beyond = FIGURES[name].at(5.1, (4.0, 6.0), STUDIED)
    assert (beyond.ratio, beyond.model_interval, beyond.over_margin_ratio) == (None, None, (None, None))
    assert "no number is made up beyond" in beyond.reason
    within = FIGURES[name].at(3.0, (-1.0, 6.0), STUDIED)
    assert within.over_margin_ratio == (None, None)
    assert within.reason is None


def test_a_slope_over_the_margins_interval_is_high_where_the_margin_is_thin():
    found = FIGURES["LA-01"].at(3.0, (2.0, 4.0), STUDIED)
    assert found.over_margin_ratio == (pytest.approx(0.7**-1), pytest.approx(0.7**-3))
    assert (found.model_interval.low_ratio, found.model_interval.high_ratio) == (
        pytest.approx(0.98**-2), pytest.approx(0.5**-2),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["CH-01", "CH-02", "RB-01", "RP-01"])
def test_five_mm_itself_belongs_to_the_thicker_class(name):
    figure, ratio = FIGURES[name], NOTES[name][1]
    assert isinstance(figure.form, Contrast)
    assert [figure.at(m, None, STUDIED).ratio for m in (0.0, 4.999, 5.0, 12.0)] == [ratio, ratio, 1.0, 1.0]
    assert figure.at(6.0, (4.0, 8.0), STUDIED).over_margin_ratio == (1.0, ratio)
    assert figure.at(6.0, (-0.5, 8.0), STUDIED).over_margin_ratio == (1.0, None)
    assert figure.at(6.0, (5.0, 8.0), STUDIED).over_margin_ratio == (1.0, 1.0)


def test_ten_mm_itself_belongs_to_the_class_of_5_to_10():
    figure = FIGURES["CH-03"]
    assert [figure.at(m, None, STUDIED).ratio for m in (4.9, 5.0, 10.0, 10.1)] == [None, 3.64, 3.64, 1.0]
    assert "lies in neither class" in figure.at(4.9, None, STUDIED).reason
    assert figure.at(8.0, (4.0, 12.0), STUDIED).over_margin_ratio == (1.0, None)


@pytest.mark.parametrize("name", NOTES)
@pytest.mark.parametrize(("margin", "why"), [(-0.001, NOT_COVERED_HERE), (None, "no margin was measured")])
def test_no_figure_speaks_of_a_tumour_that_is_not_covered_or_not_measured(name, margin, why):
    found = FIGURES[name].at(margin, None, STUDIED)
    assert (found.ratio, found.model_interval, found.over_margin_ratio) == (None, None, (None, None))
    assert found.reason == why


@pytest.mark.parametrize("name", [n for n, (measure, *_) in NOTES.items() if measure != "hazard_ratio"])
def test_another_measure_than_a_hazard_ratio_says_that_it_is_none(name):
    assert any("is no hazard ratio" in note for note in FIGURES[name].at(3.0, None, STUDIED).notes)


def test_figures_and_cohorts_use_registered_words():
    for entry in (*packaged_comparisons(), *packaged_baselines(), *packaged_hazards()):
        assert set(entry.population.primary) <= set(PRIMARY.choices)
        assert set(entry.population.modality) <= set(MODALITY.choices)
        assert entry.source.title
        assert entry.source.published


def shipped() -> dict[str, str]:
    """Return every text that comes with the program or tells of it."""
    ends = {".py", ".toml", ".jinja", ".md"}
    paths = [path for top in ("planner", "pipelines", "docs") for path in (ROOT / top).rglob("*")]
    paths += [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    return {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in paths if p.suffix in ends}


@pytest.mark.parametrize(
    "unverified",
    [r"\bLin YM\b", r"\bLin (et al\.? )?2023\b", r"\b23\.3\b", r"radiol\.221373", r"\bLaimer (et al\.? )?2025\b",
     r"s00330-024-10956", r"\bShady\b", r"radiol\.2021203715", r"\[R\]", r"\[2nd\]"],
)  # fmt: skip
def test_nothing_that_the_notes_call_unverified_is_shipped(unverified):
    texts = shipped()
    assert len(texts) > 300
    assert [name for name, text in texts.items() if re.search(unverified, text)] == []


def test_no_code_holds_a_published_ratio_or_rate():
    bare = re.compile(r"(?<![\d.])(0?\.54|0\.46|1\.22|2\.48|3\.60?|3\.64|5\.10|7\.94|24\.9|47\.6)(?![\d.])")
    files = [path for top in ("planner", "pipelines") for path in (ROOT / top).rglob("*.py")]
    assert len(files) > 250
    drawn = {"sample", "figures"}  # lengths of the synthetic patient and of pictures
    files = [path for path in files if path.parent.name not in drawn]
    assert [path.name for path in files if bare.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("file", "found", "put", "said"),
    [
        ("hepatocellular.toml", "ratio        = 0.70", "ratio = 1.70", "LA-01, ratio"),
        ("hepatocellular.toml", "step_mm      = 1.0", "step_mm = 0.0", "LA-01, step_mm"),
        ("hepatocellular.toml", 'measure      = "odds_ratio"', 'measure = "odds"', "LA-01, measure"),
        ("hepatocellular.toml", 'ci95_origin  = "published"\n', "", "LA-01: ci95 and ci95_origin are stated together"),
        ("hepatocellular.toml", "[0.5, 0.98]", "[0.98, 0.5]", "LA-01: ci95 is .* low end first"),
        ("hepatocellular.toml", "[0.5, 0.98]", "[0.8, 0.98]", "LA-01: ci95 is .* hold the ratio 0.7"),
        ("hepatocellular.toml", '[0.5, 0.98]\nci95_origin  = "published"',
         '[0.6, 0.98]\nci95_origin = "back_calculated"',
         "LA-01: ci95 is 0.6 to 0.98, the p-value implies 0.50 to 0.98"),
        ("hepatocellular.toml", "shown_mm     = [0.0, 5.0]", "shown_mm = [-1.0, 5.0]", "LA-01: shown_mm begins at -1"),
        ("hepatocellular.toml", "reference_mm = 5.0", "reference_mm = 6.0", "LA-01: reference_mm 6 lies outside"),
        ("five_mm_classes.toml", "{ lt = 5.0 }", "{ le = 5.0 }", "CH-01: both classes hold 5 mm"),
        ("five_mm_classes.toml", "{ ge = 5.0 }", "{ ge = 4.0 }", "CH-01: .* expected them in order"),
        ("five_mm_classes.toml", "{ lt = 5.0 }", "{ }", "CH-01, thinner: no end at all"),
        ("five_mm_classes.toml", "{ ge = 5.0, le = 10.0 }", "{ ge = 5.0, gt = 5.0 }", "CH-03, thinner: two low"),
        ("five_mm_classes.toml", "{ ge = 5.0, le = 10.0 }", "{ ge = 12.0, le = 10.0 }", "CH-03, thinner: holds"),
        ("five_mm_classes.toml", "ratio        = 3.60", "ratio = 0.36", "CH-01, ratio"),
        ("five_mm_classes.toml", "label        = ", "lable = ", "CH-01, lable: unknown key"),
        ("five_mm_classes.toml", "schema_version = 1", "schema_version = 2", "schema_version"),
    ],
)  # fmt: skip
def test_a_malformed_figure_is_refused_with_file_id_and_reason(file, found, put, said):
    assert found in FILES[file]
    with pytest.raises(EvidenceError, match=f"m.toml: {said}"):
        load_comparisons(FILES[file].replace(found, put, 1), "m.toml")


@pytest.mark.parametrize(
    ("found", "put", "said"),
    [
        ("[0.37, 0.80]", "[0.30, 0.80]", "WA-01: ci95 is 0.3 to 0.8, the p-value implies 0.37 to 0.80"),
        ("p_value      = 0.002\n", "", "WA-01: p_value is missing"),
        ("ci95         = [1.02, 1.46]", "ci95 = [1.10, 1.46]", "WA-01, size: ci95 is 1.1 to 1.46"),
        ('quantity     = "lesion.max_axial_diameter_mm"', 'quantity = "lesion.volume_ml"', "WA-01, size, quantity"),
    ],
)  # fmt: skip
def test_a_back_calculated_interval_that_its_p_value_does_not_imply_is_refused(found, put, said):
    text = FILES["wang2013.toml"]
    assert found in text
    with pytest.raises(EvidenceError, match=f"m.toml: {said}"):
        load_hazards(text.replace(found, put, 1), "m.toml")


def test_a_file_without_an_entry_is_refused():
    for load in (load_hazards, load_comparisons):
        with pytest.raises(EvidenceError, match=r"m.toml: the whole: holds no entry"):
            load("schema_version = 1\n", "m.toml")
