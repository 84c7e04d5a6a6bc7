"""Work in a process of its own: what it returns, what it raises, and each way in which it may die."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from functools import partial
from types import MappingProxyType

import numpy as np
import pytest

from pipelines.isolated import MEMORY_GB, STALL_S, Limits, WorkFailedError, isolated
from planner.errors import AmbiguousInputError, EmptyMaskError, InputError, OutputError, PlannerError, UsageError
from planner.grid import Grid
from planner.volume import Mask, Volume

QUICK = Limits(memory_gb=1.0, stall_s=1.5)


def nowhere(_what: str, _share: float) -> None:
    """Take progress and say nothing."""


def volumes(_observe):
    grid = Grid.axis_aligned((40, 50, 60), (2.0, 1.0, 1.0), frame_uid="1.2.3")
    values = np.arange(grid.shape_kji[0] * 3000, dtype=np.float32).reshape(grid.shape_kji)
    turned = Mask(values.reshape(grid.shape_kji) > 5000, grid, "liver")
    return MappingProxyType({"image": Volume(values, grid, "CT"), "mask": turned, "none": np.empty((0, 3))})


def test_arrays_come_back_whole_and_read_only():
    found = isolated(volumes, nowhere)
    image, mask = found["image"], found["mask"]
    assert np.array_equal(image.voxels_kji, volumes(nowhere)["image"].voxels_kji)
    assert np.array_equal(mask.voxels_kji, image.voxels_kji > 5000)
    assert mask.grid.same_lattice(image.grid)
    assert image.grid.frame_uid == "1.2.3"
    for voxels in (image.voxels_kji, mask.voxels_kji):
        with pytest.raises(ValueError, match="read-only"):
            voxels[0, 0, 0] = 1
    with pytest.raises(TypeError):
        found["more"] = 1
    assert found["none"].shape == (0, 3)


def told(observe):
    for n in range(3):
        observe(f"step {n}", n / 3)
    return os.getpid()


def test_progress_is_passed_on_and_the_process_is_another():
    seen = []
    assert isolated(told, lambda what, share: seen.append((what, share))) != os.getpid()
    assert [what for what, _ in seen] == ["step 0", "step 1", "step 2"]


def raises(error, _observe):
    raise error


@pytest.mark.parametrize(
    "error",
    [
        InputError("slice 3 is odd", code="odd", where="3.dcm"),
        AmbiguousInputError("two fit"),
        EmptyMaskError("empty", where="x"),
        OutputError("no room", code="full"),
    ],
)
def test_our_errors_come_back_as_they_were(error):
    with pytest.raises(PlannerError) as caught:
        isolated(partial(raises, error), nowhere)
    assert type(caught.value) is type(error)
    for name in ("code", "where", "exit_code"):
        assert getattr(caught.value, name) == getattr(error, name)
    assert str(caught.value) == str(error)


def test_a_bug_tells_its_type_and_place_but_not_what_was_read():
    with pytest.raises(WorkFailedError) as caught:
        isolated(partial(raises, KeyError("Mustermann")), nowhere)
    assert "KeyError" in str(caught.value)
    assert "in raises" in str(caught.value)
    assert "Mustermann" not in str(caught.value)


def dies(number, observe):
    observe("PRE: image", 0.25)
    os.kill(os.getpid(), number)
    time.sleep(30)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGSEGV, "reader-crashed"), (signal.SIGABRT, "reader-crashed"), (signal.SIGKILL, "too-large")],
)
def test_a_crash_is_a_refusal_that_says_where(number, code):
    with pytest.raises(InputError) as caught:
        isolated(partial(dies, number), nowhere)
    assert caught.value.code == code
    assert str(caught.value).startswith("PRE: image (25 % read): ")


def reads_nowhere(_observe):
    ctypes.string_at(0)


def test_a_true_segmentation_fault_does_not_reach_us():
    with pytest.raises(InputError, match="SIGSEGV"):
        isolated(reads_nowhere, nowhere)


def grows(observe):
    observe("bomb", 0.5)
    return np.ones(300_000_000).sum()


def test_memory_has_an_end():
    with pytest.raises(InputError, match="more than 1 GB of memory") as caught:
        isolated(grows, nowhere, QUICK)
    assert caught.value.code == "too-large"


def hangs(observe):
    observe("endless", 0.1)
    time.sleep(60)


def test_a_stall_has_an_end():
    started = time.monotonic()
    with pytest.raises(InputError, match=r"no progress for 1\.5 s") as caught:
        isolated(hangs, nowhere, QUICK)
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 30


def takes_its_time(observe):
    for n in range(8):
        time.sleep(0.4)
        observe("slow", n / 8)
    return "done"


def test_slow_work_that_moves_on_is_no_stall():
    assert isolated(takes_its_time, nowhere, QUICK) == "done"


def leaves(_observe):
    sys.exit(3)


def test_a_process_that_leaves_without_a_word_is_a_refusal():
    with pytest.raises(InputError, match="exit code 3"):
        isolated(leaves, nowhere)


def speaks(_observe):
    os.write(1, b"Mustermann")
    os.write(2, b"Mustermann")
    print("Mustermann", flush=True)  # noqa: T201
    return True


def test_what_libraries_say_of_a_file_stays_inside(capfd):
    assert isolated(speaks, nowhere)
    said = capfd.readouterr()
    assert "Mustermann" not in said.out + said.err


def test_an_interrupt_of_the_caller_ends_the_process(tmp_path):
    pid = tmp_path / "pid"

    def interrupted(_what, _share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        isolated(partial(writes_its_number, pid), interrupted)
    number = int(pid.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def writes_its_number(path, observe):
    path.write_text(str(os.getpid()))
    observe("at work", 0.0)
    time.sleep(60)


@pytest.mark.parametrize(("stated", "held"), [("", 3.0), ("5.5", 5.5)])
def test_the_environment_states_the_limits(monkeypatch, stated, held):
    monkeypatch.setenv(MEMORY_GB, stated)
    monkeypatch.setenv(STALL_S, "7")
    assert Limits() == Limits(memory_gb=held, stall_s=7.0)


@pytest.mark.parametrize("stated", ["0", "-1", "nan", "inf", "much"])
def test_a_limit_that_is_none_is_refused(monkeypatch, stated):
    monkeypatch.setenv(MEMORY_GB, stated)
    with pytest.raises(UsageError, match=MEMORY_GB):
        isolated(told, nowhere)


def works(_observe):
    started = time.process_time()
    while time.process_time() - started < 0.3:
        pass
    return True


def test_the_time_of_the_process_is_told():
    seconds = []
    assert isolated(works, nowhere, on_cpu=seconds.append)
    assert 0.3 <= seconds[0] < 60
