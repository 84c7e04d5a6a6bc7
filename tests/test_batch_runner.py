"""Cases that fail in every way a process can, beside cases that must not notice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from batch_child import HERE, fake

from pipelines.batch.child import start
from pipelines.batch.failure import reason_of
from pipelines.batch.key import row_key
from pipelines.batch.manifest import read_manifest
from pipelines.batch.out_folder import held
from pipelines.batch.runner import Batch, Tally
from pipelines.batch.summary import closing, duration, finished_words, grouped, progress_line
from planner.errors import OutputError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def a_manifest(folder: Path, **what: str) -> Path:
    """Write a manifest of cases that do what is said."""
    for case_id, does in what.items():
        (folder / f"{case_id}.txt").write_text(does)
    path = folder / "manifest.csv"
    path.write_text("case_id,pre,post\n" + "".join(f"{name},{name}.txt,{name}.txt\n" for name in what))
    return path


def twelve(folder: Path) -> Path:
    return a_manifest(folder, **{f"c{n:02d}": {3: "raise", 8: "kill"}.get(n, "ok") for n in range(12)})


def run(
    folder: Path, manifest: Path, *, jobs: int = 2, timeout_s: float = 60.0, key=lambda row: row_key(row, "1", "s")
):
    said: list[str] = []
    batch = Batch(folder / "out", fake(folder / "starts"), key, jobs, timeout_s)
    tally = batch.run(read_manifest(manifest), lambda what, tally: said.append(progress_line(what, tally)))
    return tally, said


def started(folder: Path) -> list[str]:
    """Return the ids of the children started since last asked."""
    path = folder / "starts"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [line.split()[0] for line in lines]


def results(folder: Path) -> set[str]:
    return {path.parent.name for path in (folder / "out").glob("*/result.json")}


def failure(folder: Path, case_id: str) -> dict:
    return json.loads((folder / "out" / case_id / "failure.json").read_text())


def gone(pid: int, within_s: float = 5.0) -> bool:
    """Return whether a process has ended (a zombie has)."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


def test_a_case_that_raises_and_one_that_is_killed_leave_the_other_ten_and_two_reasons(tmp_path):
    manifest = twelve(tmp_path)
    tally, _ = run(tmp_path, manifest)
    assert results(tmp_path) == {f"c{n:02d}" for n in range(12)} - {"c03", "c08"}
    assert [group[0].code for group in grouped(tally.failures)] == ["bug", "killed"]
    assert failure(tmp_path, "c03") | {"seconds": 0} == {
        "case_id": "c03", "code": "bug", "exit_code": 1, "seconds": 0, "attempts": 1,
        "text": "ZeroDivisionError; run `ablation review` on this case alone for its origin",
    }  # fmt: skip
    assert failure(tmp_path, "c08")["exit_code"] == 137
    assert "SIGKILL" in failure(tmp_path, "c08")["text"]
    assert sorted(started(tmp_path)) == [f"c{n:02d}" for n in range(12)]

    tally, _ = run(tmp_path, manifest)
    assert sorted(started(tmp_path)) == ["c03", "c08"]
    assert (len(tally.skipped), len(tally.failures)) == (10, 2)
    assert failure(tmp_path, "c08")["attempts"] == 2


def test_a_case_that_is_mended_is_finished_and_its_failure_forgotten(tmp_path):
    manifest = a_manifest(tmp_path, a="ok", b="raise")
    run(tmp_path, manifest)
    (tmp_path / "b.txt").write_text("ok, now")
    tally, _ = run(tmp_path, manifest)
    assert tally.finished == ["b"]
    assert not (tmp_path / "out" / "b" / "failure.json").exists()


@pytest.mark.parametrize(
    ("does", "code", "exit_code"),
    [("refuse", "empty-mask", 3), ("no result", "no-result", 0)],
)
def test_a_failure_says_its_reason(tmp_path, does, code, exit_code):
    tally, said = run(tmp_path, a_manifest(tmp_path, a=does))
    assert (failure(tmp_path, "a")["code"], failure(tmp_path, "a")["exit_code"]) == (code, exit_code)
    assert [one.code for one in tally.failures] == [code]
    assert f"a failed [{code}]" in said[-1]


def test_a_case_that_is_not_assessable_is_finished(tmp_path):
    tally, _ = run(tmp_path, a_manifest(tmp_path, a="gate"))
    assert (tally.finished, tally.failures) == (["a"], [])


def test_what_a_library_says_of_a_patient_is_not_kept(tmp_path):
    run(tmp_path, a_manifest(tmp_path, a="raise"))
    kept = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"Jane" not in kept
    assert b"1960" not in kept


def test_a_hung_case_is_ended_at_its_time_limit_even_where_it_will_not_end(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.batch.child.GRACE_S", 0.3)
    begun = time.monotonic()
    tally, _ = run(tmp_path, a_manifest(tmp_path, a="hang", b="ok"), timeout_s=1.0)
    assert time.monotonic() - begun < 15
    assert (tally.finished, [one.code for one in tally.failures]) == (["b"], ["timeout"])
    assert failure(tmp_path, "a")["text"] == "ended at its time limit of 1 s"
    assert failure(tmp_path, "a")["exit_code"] is None


def test_what_a_child_leaves_running_is_ended_with_it(tmp_path):
    run(tmp_path, a_manifest(tmp_path, a="leave one behind"))
    assert gone(int((tmp_path / "out" / "a" / "left.txt").read_text()))


def test_no_more_cases_run_at_a_time_than_jobs(tmp_path):
    most = 0

    def report(what: str, tally: Tally) -> None:
        nonlocal most
        most = max(most, tally.running + (1 if what else 0))

    rows = read_manifest(a_manifest(tmp_path, **{f"c{n}": "ok" for n in range(5)}))
    Batch(tmp_path / "out", fake(tmp_path / "starts"), str, 1, 60.0).run(rows, report)
    assert most == 1


def test_a_killed_driver_loses_nothing_and_leaves_nothing_half_and_no_orphan(tmp_path):
    manifest = a_manifest(tmp_path, **{f"c{n}": "slow" for n in range(6)}, z="hang")
    starts, out = tmp_path / "starts", tmp_path / "out"
    driver = subprocess.Popen([sys.executable, str(HERE), str(manifest), str(out), str(starts)])
    until = time.monotonic() + 60
    while len(list(out.glob("*/result.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    children = [int(line.split()[1]) for line in starts.read_text().splitlines()]
    assert all(gone(pid) for pid in children)
    whole = results(tmp_path)
    assert len(whole) >= 3
    assert all(json.loads((out / name / "result.json").read_text())["case_id"] == name for name in whole)
    before = {name: (out / name / "result.json").stat().st_ino for name in whole}
    started(tmp_path)

    (tmp_path / "z.txt").write_text("ok")
    tally, _ = run(tmp_path, manifest, key=str)
    assert results(tmp_path) == {f"c{n}" for n in range(6)} | {"z"}
    again = Counter(started(tmp_path))
    assert not set(again) & whole
    assert {name: (out / name / "result.json").stat().st_ino for name in whole} == before
    assert len(tally.skipped) == len(whole)


def test_a_driver_killed_with_a_hung_child_leaves_no_process(tmp_path):
    manifest = a_manifest(tmp_path, z="hang")
    starts = tmp_path / "starts"
    driver = subprocess.Popen([sys.executable, str(HERE), str(manifest), str(tmp_path / "out"), str(starts)])
    until = time.monotonic() + 60
    while not (starts.exists() and starts.read_text().endswith("\n")) and time.monotonic() < until:
        time.sleep(0.01)
    child = int(starts.read_text().split()[1])
    assert not gone(child, within_s=0.3)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert gone(child)


def test_an_interrupt_ends_the_children_and_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.batch.child.GRACE_S", 0.2)
    rows = read_manifest(a_manifest(tmp_path, a="hang"))
    starts = tmp_path / "starts"

    def pause(seconds: float) -> None:
        if starts.exists() and starts.read_text().endswith("\n") and not asked:
            asked.append(1)
            raise KeyboardInterrupt
        real(seconds)

    asked: list[int] = []
    real = time.sleep
    monkeypatch.setattr("pipelines.batch.runner.time.sleep", pause)
    with pytest.raises(KeyboardInterrupt):
        Batch(tmp_path / "out", fake(starts), str, 1, 60.0).run(rows, lambda what, tally: None)
    assert gone(int(starts.read_text().split()[1]))


def test_a_command_that_cannot_be_started_fails_its_case_alone(tmp_path):
    rows = read_manifest(a_manifest(tmp_path, a="ok", b="ok"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("a file in the way")
    tally = Batch(tmp_path / "out", fake(tmp_path / "starts"), str, 1, 60.0).run(rows, lambda what, tally: None)
    assert (tally.finished, [one.code for one in tally.failures]) == (["b"], ["not-started"])


def test_the_child_has_one_thread_and_no_terminal(tmp_path):
    (row,) = read_manifest(a_manifest(tmp_path, a="ok"))
    code = (
        "import os, sys; "
        "one = [os.environ[name] for name in ('OMP_NUM_THREADS', 'ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS')];"
        " sys.exit(''.join(one) + str(os.getpid() == os.getpgid(0)) + sys.stdin.read())"
    )
    child = start(row, tmp_path, [sys.executable, "-c", code])
    while not child.ended():
        time.sleep(0.02)
    assert child.stderr().strip() == "11True"
    child.close()


class TestKey:
    def rows(self, folder: Path):
        manifest = a_manifest(folder, a="ok")
        (folder / "masks").mkdir(exist_ok=True)
        (folder / "masks" / "t.nii").write_text("mask")
        (folder / "case.toml").write_text('[[mask]]\nstudy = "pre"\nrole = "tumour"\nfile = "masks/t.nii"\n')
        (folder / "pre").mkdir(exist_ok=True)
        (folder / "pre" / "image.nii").write_text("image")
        manifest.write_text("case_id,patient,pre,post,case\na,p,pre,a.txt,case.toml\n")
        return read_manifest(manifest)

    def test_it_is_the_same_for_the_same(self, tmp_path):
        (row,) = self.rows(tmp_path)
        assert row_key(row, "1", "s") == row_key(row, "1", "s")

    @pytest.mark.parametrize("what", ["image", "mask", "case", "software", "settings", "patient", "new file"])
    def test_it_changes_with_all_that_a_result_rests_on(self, tmp_path, what):
        (row,) = self.rows(tmp_path)
        before = row_key(row, "1", "s")
        if what == "image":
            (tmp_path / "pre" / "image.nii").write_text("another")
        elif what == "mask":
            (tmp_path / "masks" / "t.nii").write_text("mended mask")
        elif what == "case":
            (tmp_path / "case.toml").write_text((tmp_path / "case.toml").read_text() + "\n")
        elif what == "new file":
            (tmp_path / "pre" / "tumour_2.nii").write_text("")
        elif what == "patient":
            path = tmp_path / "manifest.csv"
            path.write_text(path.read_text().replace("a,p,", "a,q,"))
            (row,) = read_manifest(path)
        assert row_key(row, "2" if what == "software" else "1", "t" if what == "settings" else "s") != before

    def test_a_case_file_that_is_no_toml_is_left_to_the_review(self, tmp_path):
        (row,) = self.rows(tmp_path)
        (tmp_path / "case.toml").write_text("mask = 3\npre = [")
        assert row_key(row, "1", "s")


def test_a_result_of_another_key_is_done_again(tmp_path):
    manifest = a_manifest(tmp_path, a="ok")
    run(tmp_path, manifest, key=lambda row: "one")
    tally, _ = run(tmp_path, manifest, key=lambda row: "two")
    assert (tally.finished, tally.skipped) == (["a"], [])


def test_an_outdated_result_does_not_outlive_a_failure(tmp_path):
    manifest = a_manifest(tmp_path, a="ok")
    run(tmp_path, manifest)
    (tmp_path / "a.txt").write_text("raise")
    run(tmp_path, manifest)
    assert results(tmp_path) == set()


def test_half_a_result_is_none(tmp_path):
    manifest = a_manifest(tmp_path, a="ok")
    run(tmp_path, manifest)
    (tmp_path / "out" / "a" / "result.json").write_text('{"status": "assess')
    tally, _ = run(tmp_path, manifest)
    assert tally.finished == ["a"]


def test_out_belongs_to_one_driver_at_a_time(tmp_path):
    with held(tmp_path / "out"), pytest.raises(OutputError, match="another batch"), held(tmp_path / "out"):
        pass
    with held(tmp_path / "out"):
        pass


@pytest.mark.parametrize(
    ("exit_code", "said", "code", "text"),
    [
        (-11, "", "killed", "SIGSEGV"),
        (-9, "error [x]: y", "killed", "out of memory"),
        (3, "noise\nerror [missing]: PRE: no such folder\n", "missing", "PRE: no such folder"),
        (1, "bug: KeyError; run again without --quiet for its origin", "bug", "KeyError;"),
        (1, "Segfault in Jane Doe's scan", "bug", "exit code 1;"),
        (1, "", "bug", "exit code 1;"),
        (130, "interrupted", "interrupted", "from outside"),
    ],
)
def test_reasons_of_ends(exit_code, said, code, text):
    reason = reason_of(exit_code, said)
    assert reason.code == code
    assert text in reason.text
    assert "Jane" not in reason.text


def test_the_closing_table_groups_failures_by_reason(tmp_path):
    tally, _ = run(tmp_path, a_manifest(tmp_path, a="ok", b="raise", c="raise", d="refuse"))
    lines = closing(tally).splitlines()
    assert lines[0] == "4 cases: 1 finished now, 0 finished before, 3 failed"
    assert lines[1].strip() == "2 x bug: b, c"
    assert lines[3].strip() == "1 x empty-mask: d"


def test_progress_counts_and_says_the_time_left():
    tally = Tally(10, skipped=["a"], finished=["b", "c"], started=time.monotonic() - 20)
    assert tally.seconds_left == pytest.approx(70, abs=1)
    assert progress_line("c finished", tally) == "3/10 cases, 0 failed, 1 skipped, about 70 s left: c finished"
    one, two = Tally(2, finished=["a"]), Tally(2, finished=["a", "b"])
    assert finished_words(one) == "1 case was finished and is kept"
    assert finished_words(two) == "2 cases were finished and are kept"
    assert (duration(200), duration(7500)) == ("3 min", "2 h 05 min")


def test_each_distinct_message_of_a_code_is_said_once_with_its_cases(tmp_path):
    tally, _ = run(tmp_path, a_manifest(tmp_path, a="refuse", b="refuse otherwise", c="refuse"), jobs=1)
    assert closing(tally).splitlines()[1:] == [
        "    3 x empty-mask",
        "        a, c: tumour_1: the mask is empty",
        "        b: ablation_1: the mask is empty",
        "Why is in failure.json of each case's folder; the same call tries them again.",
    ]
