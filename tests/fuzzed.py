"""Files with masks, changed at random, and what reading them may end in."""

from __future__ import annotations

import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import nrrd
import numpy as np
from cli_runs import save
from dicom_files import FRAME, affine, series_datasets, stored_values, write_seg
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from test_rtstruct import SQUARE, on_slice, rtstruct

from pipelines.dicom.rtstruct import read_rtstruct
from pipelines.dicom.seg import read_seg
from pipelines.formats.slicer import holds_segments, read_slicer_segmentation
from pipelines.formats.voxel_file import read_voxel_file
from planner.errors import PlannerError
from planner.grid import Grid

SHAPE = (6, 12, 14)
LONGEST_S = 20
READERS = ("seg", "fractional", "rtstruct", "nifti", "nifti_gz", "nrrd", "slicer")

Outcome = Literal["same", "refused", "other"]
Masks = dict[int, tuple[bytes, bytes]]
Read = tuple[Masks, tuple[str, ...]]


@dataclass
class Tally:
    """What became of the files that were read, and the finds: how to make the file, and what went wrong."""

    outcomes: Counter[str] = field(default_factory=Counter)
    finds: list[str] = field(default_factory=list)


def near() -> Grid:
    return Grid(SHAPE, affine(), FRAME)


def blob() -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[1:5, 3:9, 4:11] = True
    mask[2, 5, 6] = False
    return mask


@cache
def original(reader: str) -> bytes:
    """Return the bytes of a good file."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"file{SUFFIXES[reader]}"
        if reader in ("seg", "fractional"):
            masks: dict[str, np.ndarray] = {"tumour": blob()}
            if reader == "seg":
                masks["liver"] = np.roll(blob(), 1, axis=2)
            else:
                masks = {"tumour": blob().astype(float)}
            more = {"segmentation_type": "FRACTIONAL"} if reader == "fractional" else {}
            write_seg(path, series_datasets(stored_values(SHAPE), affine()), masks, {}, **more)
        elif reader == "rtstruct":
            rtstruct(path, [on_slice(SQUARE * 0.6, k, affine()) for k in range(1, 5)])
        elif reader.startswith("nifti"):
            save(path, blob(), affine())
        else:
            header = {"space": "left-posterior-superior", "space origin": affine()[:3, 3]}
            header["space directions"] = affine()[:3, :3].T
            if reader == "slicer":
                header |= {
                    "Segment0_ID": "s",
                    "Segment0_Name": "tumour",
                    "Segment0_LabelValue": "1",
                    "Segment0_Layer": "0",
                }
            nrrd.write(str(path), blob().astype(np.uint8).T, header)
        return path.read_bytes()


SUFFIXES = {
    "seg": ".dcm", "fractional": ".dcm", "rtstruct": ".dcm", "nifti": ".nii", "nifti_gz": ".nii.gz",
    "nrrd": ".nrrd", "slicer": ".seg.nrrd",
}  # fmt: skip


def read(reader: str, path: Path) -> Read:
    """Return the masks of a file by number, each as bytes of voxels and of geometry, and the notes on them."""
    if reader in ("seg", "fractional", "rtstruct") or (reader == "slicer" and holds_segments(path)):
        by = {"rtstruct": read_rtstruct, "slicer": read_slicer_segmentation}.get(reader, read_seg)
        found = by(path, "file")
        drawn = {s.number: found.drawn(s.number, near(), "x") for s in found.segments}
        notes = (*found.notes, *(note for d in drawn.values() for note in d.notes))
        return {n: _plain(d.mask) for n, d in drawn.items()}, notes
    return {1: _plain(read_voxel_file(path).mask("x"))}, ()


def _plain(mask) -> tuple[bytes, bytes]:
    assert mask.voxels_kji.shape == mask.grid.shape_kji
    assert np.isfinite(mask.grid.lps_mm_from_ijk).all()
    return mask.voxels_kji.tobytes(), np.round(mask.grid.lps_mm_from_ijk, 6).tobytes()


@cache
def right(reader: str) -> Masks:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"file{SUFFIXES[reader]}"
        path.write_bytes(original(reader))
        return read(reader, path)[0]


EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7F800000, 0x7FC00000)


WORDS = (b"nan", b"inf", b"-1", b"1e308", b"0", b"9" * 40, b"\\", b"..\\..\\", b"%s%n", b"\xff\xfe")


@st.composite
def changed(draw: st.DrawFn, content: bytes) -> tuple[str, bytes]:
    """Draw a change: its kind, and the bytes after it. A file that was cut short is never as good as before."""
    last = len(content) - 1
    if draw(st.booleans()):  # most of what is read first lies in front
        last = min(last, 1500)
    at, length = draw(st.integers(1, last)), draw(st.integers(1, 64))
    before, here, after = content[:at], content[at : at + length], content[at + length :]
    size = draw(st.sampled_from([1, 2, 4]))
    number = (draw(st.sampled_from(EXTREMES)) % 256**size).to_bytes(size, "little")
    word = draw(st.sampled_from(WORDS))
    changes = {
        "bytes": lambda: before + draw(st.binary(min_size=len(here), max_size=len(here))) + after,
        "number": lambda: before + number + content[at + size :],
        "cut out": lambda: before + after,
        "put in": lambda: before + draw(st.binary(min_size=1, max_size=64)) + here + after,
        "twice": lambda: before + here + here + after,
        "text": lambda: before + word + content[at + len(word) :],
        "truncated": lambda: before,
    }
    kind = draw(st.sampled_from(sorted(changes)))
    return kind, changes[kind]()


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in code that takes longer."""

    def late(_number: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(reader: str, path: Path, kind: str) -> tuple[Outcome, str]:
    """Read a changed file; return what came of it, and what is wrong with that ("" where nothing is)."""
    try:
        with time_limit(LONGEST_S):
            found, notes = read(reader, path)
    except PlannerError as error:
        said = str(error)
        fault = "a message of several lines" if not said.isprintable() or len(said) > 400 else ""
        return "refused", fault
    except TimeoutError:
        return "other", f"more than {LONGEST_S} s"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a find
        return "other", f"{type(error).__name__}: {error}"
    if found == right(reader):
        return "same", ""
    if kind == "truncated" and not notes:
        return "other", "a truncated file gave other masks without a word"
    return "other", ""


def fuzz(reader: str, number: int, examples: int, on_find: Callable[[str, bytes, str], None]) -> Tally:
    """Read so many changed files, drawn by the seed `number`, and tell of each find: kind, bytes, what is wrong."""
    tally = Tally()
    content = original(reader)
    assert right(reader)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"file{SUFFIXES[reader]}"

        @seed(number)
        @settings(
            max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(changed(content))
        def run(change: tuple[str, bytes]) -> None:
            kind, data = change
            path.write_bytes(data)
            came, fault = outcome(reader, path, kind)
            tally.outcomes[came] += 1
            if fault:
                tally.finds.append(f"{reader} {kind}: {fault}")
                on_find(kind, data, fault)

        run()
    return tally
