"""The image series and the masks of a tree, and which mask was drawn on which series."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from pipelines.pairing.places import box_mm, folder_of, is_axial, lies_inside, places_mm
from pipelines.pairing.seen import File, Head, Part, Tree
from pipelines.pairing.words import phase_at

FEWEST_SLICES = 20
"""A series of fewer slices is no scan of a liver, unless masks say that it is meant."""

MODALITIES = ("CT", "MR")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A file with masks: the file, and the rule by which it belongs to a series."""

    file: File
    rule: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """What it holds."""
        return self.file.head.parts


@dataclass(frozen=True, slots=True)
class Series:
    """An image series.

    Parameters
    ----------
    head
        What its first file says.
    folder
        The innermost folder, below the root, that holds a copy of each of its files.
    files
        How many different SOP instances.
    slices, slice_mm
        Slice positions, and the median distance of neighbours (0 where unknown).
    volumes
        How many slices share a position.
    axial
        Whether its slices are; None where nothing says it.
    time_s
        Earliest acquisition, seconds after midnight, -1 where unknown.
    box
        Where its voxel centres lie, LPS, mm; empty where unknown.
    trouble
        What is wrong with it that forbids a pick; empty: nothing.
    masks
        What was drawn on it.
    """

    head: Head
    folder: str
    files: int
    slices: int
    slice_mm: float
    volumes: int
    axial: bool | None
    time_s: float
    box: tuple[float, ...]
    trouble: str = ""
    masks: tuple[Drawn, ...] = ()

    @property
    def mark(self) -> str:
        """The mark of its UID."""
        return self.head.series

    @property
    def study(self) -> str:
        """What tells its study from others: its UID's mark, else its date."""
        return self.head.study or f"of {self.head.date or 'no date'}"

    @property
    def day(self) -> date | None:
        """The day of the scan; None where it is unknown or two elements contradict each other."""
        days = [_day(d) for d in (self.head.date, self.head.acquired) if d]
        known = [d for d in days if d is not None]
        if not known or len(known) < len(days) or abs((known[-1] - known[0]).days) > 1:
            return None
        return known[0]

    @property
    def phase(self) -> tuple[str, str]:
        """Contrast phase and the rule that found it; empty where nothing says it."""
        if self.head.phase:
            return self.head.phase, self.head.phase_rule
        if self.head.contrast_s < 0 or self.time_s < 0:
            return "", ""
        seconds = self.time_s - self.head.contrast_s
        return (found, f"{seconds:.0f} s after contrast") if (found := phase_at(seconds)) else ("", "")

    def parts(self, kind: str) -> tuple[Part, ...]:
        """Return the tumours, or the ablation zones, that were drawn on it."""
        return tuple(p for drawn in self.masks for p in drawn.parts if p.role == kind)

    def unfit(self) -> tuple[str, ...]:
        """Return why others of its study are preferred to it."""
        found = []
        if self.head.reformatted:
            found.append("a reformat or projection")
        if self.axial is False:
            found.append("not axial")
        if not self.head.original:
            found.append("not ORIGINAL")
        if self.slices < FEWEST_SLICES:
            found.append(f"fewer than {FEWEST_SLICES} slices")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Loose:
    """A file with masks of lesions that belongs to no one series, and why."""

    file: File
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The series of a tree, and the masks that belong to none."""

    series: tuple[Series, ...]
    loose: tuple[Loose, ...] = field(default=())


def series_of(tree: Tree) -> Seen:
    """Return the image series of a tree with the masks that were drawn on each."""
    groups: dict[str, list[File]] = defaultdict(list)
    for file in tree.of_kind("image"):
        if file.head.modality in MODALITIES:
            groups[_group(file)].append(file)
    found = {mark: _series(files) for mark, files in groups.items()}
    masks: dict[str, list[Drawn]] = defaultdict(list)
    loose = []
    for file in _without_copies(tree.of_kind("seg", "rtstruct")):
        marks, rule = _belongs(file, list(found.values()))
        if len(marks) == 1 and marks[0]:
            masks[marks[0]].append(Drawn(file, rule))
        elif any(p.role in ("tumour", "ablation") or p.unclear for p in file.head.parts):
            loose.append(Loose(file, "its series has no SeriesInstanceUID" if marks == ("",) else rule))
    series = [_with_masks(one, masks.get(one.mark, [])) for one in found.values()]
    return Seen(tuple(sorted(series, key=_order)), tuple(loose))


def _group(file: File) -> str:
    """Return what files of one series share; without a SeriesInstanceUID: patient, study, frame and folder."""
    head = file.head
    return head.series or " ".join(("none", head.patient, head.study, head.frame, os.path.dirname(file.path)))  # noqa: PTH120


def _order(series: Series) -> tuple[str, str, float, str]:
    return series.head.patient, series.head.date, series.time_s, series.mark


def _belongs(file: File, every: Sequence[Series]) -> tuple[tuple[str, ...], str]:
    """Return the marks of the series a mask may have been drawn on, and the rule, or why it is not one."""
    head = file.head
    named = [s.mark for s in every if s.mark and s.mark in head.references]
    if named:
        return tuple(named), "a reference to the series" if len(named) == 1 else "it references several series"
    frames = set(head.frames_of_reference) - {""}
    alike = [s for s in every if s.head.frame in frames and s.head.patient == head.patient]
    if head.box:
        alike = [s for s in alike if lies_inside(head.box, s.box)]
    if len(alike) > 1:
        fit = [s for s in alike if not s.unfit()]
        if len(fit) == 1:
            return (
                fit[0].mark,
            ), f"an equal frame of reference, the other {len(alike) - 1} are no original axial scans"
        return tuple(s.mark for s in alike), f"{len(alike)} series have its frame of reference, and it references none"
    if alike:
        return (alike[0].mark,), "an equal frame of reference"
    return (), "it belongs to no series here"


def _without_copies(files: Iterable[File]) -> list[File]:
    """Return masks without byte-identical copies of a SOP instance."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for file in files:
        key = (file.sop, file.head.sha256)
        if not file.sop or key not in seen:
            kept.append(file)
        seen.add(key)
    return kept


def _with_masks(series: Series, masks: list[Drawn]) -> Series:
    trouble = series.trouble
    strangers = [m for m in masks if m.file.head.patient and m.file.head.patient != series.head.patient]
    if strangers and not trouble:
        trouble = "a mask states another patient"
    return Series(
        series.head, series.folder, series.files, series.slices, series.slice_mm, series.volumes, series.axial,
        series.time_s, series.box, trouble, tuple(masks),
    )  # fmt: skip


def _series(files: list[File]) -> Series:
    head = files[0].head
    single: dict[str, File] = {}
    for file in files:
        single.setdefault(file.sop or file.path, file)
    own = list(single.values())
    places = places_mm(own)
    steps = sorted(b - a for a, b in pairwise(places))
    slices = len(places) or sum(f.head.frames or 1 for f in own)
    per_place = math.ceil(len(own) / len(places)) if places else 1
    times = [f.time_s for f in own if f.time_s >= 0]
    return Series(
        head=head,
        folder=folder_of(files, set(single)),
        files=len(own),
        slices=slices,
        slice_mm=round(steps[len(steps) // 2], 3) if steps else 0.0,
        volumes=per_place,
        axial=is_axial(head.orientation),
        time_s=min(times, default=-1.0),
        box=box_mm(own),
        trouble=_trouble(files),
    )


def _trouble(files: Sequence[File]) -> str:
    """Return what is wrong with a series that forbids a pick."""
    for what, values in (
        ("several patients in one series", {f.head.patient for f in files}),
        ("several frames of reference in one series", {f.head.frame for f in files}),
        ("several dates in one series", {f.head.date for f in files}),
    ):
        if len(values) > 1:
            return what
    return "" if files[0].head.series else "it has no SeriesInstanceUID"


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
