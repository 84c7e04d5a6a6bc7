"""The batch as an operator calls it."""

from __future__ import annotations

import errno
import json
import signal
import time
from pathlib import Path

import pytest
from batch_child import fake
from cli_runs import ablation, post_study, pre_study, run_apart
from test_batch_runner import a_manifest, gone, results, started, twelve

from pipelines.batch.child import review_command
from pipelines.store.atomic import write_atomically


@pytest.fixture
def stand_in(tmp_path, monkeypatch) -> Path:
    """Let a stand-in be run in place of `ablation review`."""
    command = fake(tmp_path / "starts")
    monkeypatch.setattr("pipelines.batch.child.review_command", lambda row, folder, **_: command(row, folder))
    return tmp_path


def test_different_patients_are_allowed_for_every_case_or_for_none(tmp_path, monkeypatch):
    """The batch tells each case's process what it was told itself."""
    calls = []

    def noted(row, folder, **told):
        calls.append(review_command(row, folder, **told))
        return fake(tmp_path / "starts")(row, folder)

    monkeypatch.setattr("pipelines.batch.child.review_command", noted)
    for name, more in (("one", []), ("other", ["--allow-different-patients"])):
        assert ablation("batch", a_manifest(tmp_path, a="ok"), "-o", tmp_path / name, *more).code == 0
    assert ["--allow-different-patients" in call for call in calls] == [False, True]


def test_twelve_cases_of_which_two_fail_end_with_code_8_and_a_re_run_tries_those_two(stand_in):
    call = ["batch", twelve(stand_in), "-o", stand_in / "out", "--jobs", "2"]
    ran = ablation(*call)
    assert ran.code == 8
    assert len(results(stand_in)) == 10
    assert ran.stdout.splitlines()[0] == "12 cases: 10 finished now, 0 finished before, 2 failed"
    assert "1 x bug: c03" in ran.stdout
    assert "1 x killed: c08" in ran.stdout
    assert "12/12 cases, 2 failed, 0 skipped" in ran.stderr.splitlines()[-1]
    assert "left" in ran.stderr
    started(stand_in)
    ran = ablation(*call)
    assert (ran.code, sorted(started(stand_in))) == (8, ["c03", "c08"])
    assert ran.stdout.splitlines()[0] == "12 cases: 0 finished now, 10 finished before, 2 failed"


def test_all_well_is_code_0_and_quiet_says_only_the_result(stand_in):
    ran = ablation("batch", a_manifest(stand_in, a="ok", b="gate"), "-o", stand_in / "out", "--quiet")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == "2 cases: 2 finished now, 0 finished before, 0 failed\n"


def test_other_settings_have_finished_cases_done_again(stand_in):
    call = ["batch", a_manifest(stand_in, a="ok"), "-o", stand_in / "out"]
    ablation(*call)
    assert "0 finished now" in ablation(*call).stdout
    assert "1 finished now" in ablation(*call, "--registration", "rigid").stdout


@pytest.mark.parametrize(
    ("text", "code"),
    [("case_id,pre\n", 3), ("case_id,pre,post\n../a,m.csv,m.csv\n", 3), ("case_id,pre,post\na,gone,m.csv\n", 3)],
)
def test_a_faulty_manifest_is_one_line_with_its_place_and_nothing_runs(stand_in, text, code):
    (stand_in / "m.csv").write_text(text)
    ran = ablation("batch", stand_in / "m.csv", "-o", stand_in / "out")
    assert ran.code == code
    _, where = ran.stderr.splitlines()
    assert where.startswith("  where: m.csv")
    assert not (stand_in / "out").exists()
    assert started(stand_in) == []


def test_an_out_that_cannot_be_written_is_code_5(stand_in):
    (stand_in / "file").write_text("")
    ran = ablation("batch", a_manifest(stand_in, a="ok"), "-o", stand_in / "file")
    assert (ran.code, len(ran.stderr.splitlines())) == (5, 1)
    assert started(stand_in) == []


@pytest.mark.parametrize("option", [["--jobs", "0"], ["--timeout", "0"], ["--timeout", "soon"]])
def test_senseless_options_are_code_2(stand_in, option):
    assert ablation("batch", a_manifest(stand_in, a="ok"), "-o", stand_in / "out", *option).code == 2


@pytest.mark.slow
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_code_130_and_ends_the_reviews(tmp_path, by):
    pre, post = pre_study(tmp_path / "pre"), post_study(tmp_path / "post")
    (tmp_path / "m.csv").write_text(f"case_id,pre,post\na,{pre.name},{post.name}\n")
    driver = run_apart("batch", tmp_path / "m.csv", "-o", tmp_path / "out")
    until = time.monotonic() + 60
    while not (tmp_path / "out" / "a" / "batch.json").exists() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)
    child = int(Path(f"/proc/{driver.pid}/task/{driver.pid}/children").read_text().split()[0])
    driver.send_signal(by)
    out, err = driver.communicate(timeout=60)
    assert (driver.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted: 0 cases were finished and are kept; the same call goes on from there"
    assert "Traceback" not in err
    assert gone(child)
    assert results(tmp_path) == set()


@pytest.mark.slow
def test_a_real_review_beside_one_that_is_refused(tmp_path):
    pre, post = pre_study(tmp_path / "pre"), post_study(tmp_path / "post")
    (tmp_path / "own.toml").write_text('[case]\nid = "of the case file"\n')
    (tmp_path / "m.csv").write_text(
        f"case_id,patient,pre,post,case\nc-1,p-9,{pre.name},{post.name},own.toml\nc-2,,{post.name},{pre.name},\n"
    )
    ran = ablation("batch", tmp_path / "m.csv", "-o", tmp_path / "out", "--jobs", "1", "--registration", "identity")
    assert ran.code == 8, ran.stderr
    result = json.loads((tmp_path / "out" / "c-1" / "result.json").read_text())
    assert (result["case_id"], result["patient_key"]) == ("c-1", "p-9")
    # A ball of radius 9 in one of 14 about the same centre: 5 mm, to the half voxel that rasters of 3 x 3 x 4 mm leave.
    assert result["lesions"][0]["margin"]["min_mm"] == pytest.approx(5.0, abs=1.5)
    assert (tmp_path / "out" / "c-1" / "report.html").exists()
    failure = json.loads((tmp_path / "out" / "c-2" / "failure.json").read_text())
    assert failure["exit_code"] == 3
    assert failure["text"]
    before = (tmp_path / "out" / "c-1" / "result.json").stat().st_mtime_ns
    again = ablation("batch", tmp_path / "m.csv", "-o", tmp_path / "out", "--registration", "identity")
    assert again.stdout.splitlines()[0] == "2 cases: 0 finished now, 1 finished before, 1 failed"
    assert (tmp_path / "out" / "c-1" / "result.json").stat().st_mtime_ns == before


def test_why_that_cannot_be_written_down_is_code_5_and_one_line(stand_in, monkeypatch):
    def full(path, content):
        if path.name == "failure.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        write_atomically(path, content)

    monkeypatch.setattr("pipelines.batch.case_folder.write_atomically", full)
    ran = ablation("batch", a_manifest(stand_in, a="refuse", b="ok"), "-o", stand_in / "out", "--quiet")
    assert (ran.code, "failure.json" in ran.stdout) == (5, False)
    assert "1 x empty-mask: a" in ran.stdout
    assert ran.stderr == (
        f"error [output]: OUT: {stand_in / 'out'}: failure.json could not be written for 1 case (a):"
        " No space left on device\n"
    )


def test_a_case_of_two_patients_is_said_now_and_when_it_is_skipped(stand_in):
    call = ["batch", a_manifest(stand_in, a="two patients", b="ok"), "-o", stand_in / "out", "--jobs", "1"]
    ran = ablation(*call)
    assert ran.code == 0
    assert any(line.endswith(": a finished [different-patients]") for line in ran.stderr.splitlines())
    said = [
        "To keep in mind of cases that have a result:", "    1 x different-patients: a",
        "        PRE and POST state different patients",
    ]  # fmt: skip
    assert ran.stdout.splitlines()[1:] == said
    assert ablation(*call).stdout.splitlines()[1:] == said
