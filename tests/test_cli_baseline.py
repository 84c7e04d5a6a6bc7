"""A baseline cohort, as a user names it."""

from __future__ import annotations

import json

import pytest
from batch_child import fake
from cli_runs import ablation, post_study, pre_study
from test_batch_runner import a_manifest

from pipelines.batch.child import review_command
from pipelines.catalogue import packaged_baselines, packaged_comparisons
from pipelines.settings import Settings, with_registration


@pytest.mark.parametrize("command", ["review", "batch"])
def test_an_unknown_cohort_is_wrong_usage_that_lists_the_known_ones_before_anything_is_read(command, tmp_path):
    given = ["gone", "gone"] if command == "review" else ["gone.csv"]
    ran = ablation(command, *given, "-o", tmp_path / "out", "--baseline", "wang", "--quiet")
    assert (ran.code, ran.stdout) == (2, "")
    assert "baseline 'wang' is not known, did you mean 'wang-2013'?" in ran.stderr
    assert all(cohort.name in ran.stderr for cohort in packaged_baselines())
    assert not (tmp_path / "out").exists()


def test_a_batch_names_the_cohort_to_every_case_and_does_finished_ones_again(tmp_path, monkeypatch):
    calls = []

    def noted(row, folder, **told):
        calls.append(review_command(row, folder, **told))
        return fake(tmp_path / "starts")(row, folder)

    monkeypatch.setattr("pipelines.batch.child.review_command", noted)
    call = ["batch", a_manifest(tmp_path, a="ok"), "-o", tmp_path / "out"]
    assert ablation(*call).code == 0
    assert ablation(*call, "--baseline", "laimer-2021").code == 0
    assert ["--baseline=laimer-2021" in said for said in calls] == [False, True]


def test_the_cohort_is_a_setting_that_the_hash_follows():
    named = with_registration("deformable", baseline="wang-2013")
    assert named.document()["baseline"] == "wang-2013"
    assert Settings().document()["baseline"] is None
    assert named.sha256() != Settings().sha256()
    assert Settings.model_validate(named.document()) == named


def test_rules_lists_and_explains_every_figure_and_every_cohort():
    listed = ablation("rules").stdout
    first_words = {line.split()[0] for line in listed.splitlines() if line.strip()}
    names = [*(figure.id for figure in packaged_comparisons()), *(cohort.name for cohort in packaged_baselines())]
    assert set(names) <= first_words
    for name in names:
        ran = ablation("rules", name)
        assert ran.code == 0
        assert ran.stdout.startswith(f"{name}  ")
        assert "Source: " in ran.stdout
        assert "Studied: " in ran.stdout


def test_rules_as_json_hold_figures_and_cohorts():
    document = json.loads(ablation("rules", "--json").stdout)
    assert [entry["id"] for entry in document["comparisons"]] == [figure.id for figure in packaged_comparisons()]
    assert [entry["name"] for entry in document["baselines"]] == [cohort.name for cohort in packaged_baselines()]
    (alone,) = json.loads(ablation("rules", "wang-2013", "--json").stdout)["baselines"]
    assert [one["rates"][0]["percent"] for one in alone["classes"]] == [74.0, 54.0, 26.0, 20.0]


@pytest.mark.slow
def test_a_review_shows_the_named_cohort_and_no_other_absolute_rate(tmp_path):
    pre, post = pre_study(tmp_path / "pre"), post_study(tmp_path / "post")
    call = ["review", pre, post, "--registration", "identity", "--quiet"]
    assert ablation(*call, "-o", tmp_path / "without").code == 0
    assert ablation(*call, "-o", tmp_path / "with", "--baseline", "ras-prospective-wild-type").code == 0
    without, named = (json.loads((tmp_path / x / "result.json").read_text()) for x in ("without", "with"))
    assert named["provenance"]["settings"]["baseline"] == "ras-prospective-wild-type"
    for one, other in zip(without["lesions"], named["lesions"], strict=True):
        assert one["ltp"]["absolute"] is None
        assert other["ltp"]["absolute"]["cohort"] == "ras-prospective-wild-type"
        del one["ltp"]["absolute"], other["ltp"]["absolute"]
        assert one["ltp"] == other["ltp"]
        assert one["margin"] == other["margin"]
    cohort = "RAS prospective cohort, wild type"
    assert cohort in (tmp_path / "with" / "report.html").read_text()
    assert cohort not in (tmp_path / "without" / "report.html").read_text()
