"""Ended from outside, a review leaves nothing that looks like a result."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest
from cli_runs import post_study, pre_study, run_apart

DURING = "registration"


def ended(tmp_path: Path, by: signal.Signals, after: str = DURING) -> tuple[int, str]:
    """Start a review over an earlier result, end it at a step by a signal, and return the exit code and stderr."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "result.json").write_text("{}")
    call = ["review", pre_study(tmp_path / "pre"), post_study(tmp_path / "post"), "-o", out]
    process = run_apart(*call)
    guard = threading.Timer(90, process.kill)
    guard.start()
    said = ""
    for line in process.stderr:
        said += line
        if after in line:
            process.send_signal(by)
            break
    rest, said_after = process.communicate()
    guard.cancel()
    assert rest == ""
    return process.returncode, said + said_after


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_the_log_and_one_line(tmp_path, by):
    code, said = ended(tmp_path, by)
    assert code == 130
    assert DURING in said
    assert said.splitlines()[-1] == "interrupted: nothing was kept"
    assert "Traceback" not in said
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["log.txt"]
    assert (tmp_path / "out" / "log.txt").read_text().splitlines()[-1].endswith("interrupted")


def test_a_kill_leaves_no_result_of_this_run_or_an_earlier_one(tmp_path):
    code, _ = ended(tmp_path, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not (tmp_path / "out" / "result.json").exists()


def test_an_interrupt_before_anything_is_read_is_said_too(tmp_path):
    code, said = ended(tmp_path, signal.SIGINT, after="starting")
    assert code == 130
    assert "interrupted" in said.splitlines()[-1]
    assert "Traceback" not in said
