"""One image series of a folder as a volume, its geometry from the headers."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.dicom.dates import scanned_on
from pipelines.dicom.frames import Frame, frames_of
from pipelines.dicom.geometry import FEWEST_SLICES, stack
from pipelines.dicom.index import Index, Instance, text
from pipelines.dicom.phases import volume_of
from pipelines.dicom.pixels import read_pixels
from pipelines.dicom.stated import cautions_of, cautions_of_values, is_simulated
from planner.caution import Caution
from planner.errors import AmbiguousInputError, InputError
from planner.marks import uid_mark
from planner.volume import Volume

READ_MODALITIES = ("CT", "MR")
"""Images that a review takes."""

SHORTEST_UID_END = 6
"""A series may be chosen by the end of its UID of at least this many characters."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """An image series as read.

    Parameters
    ----------
    volume
        Voxels (HU for CT) on the lattice of the headers.
    series_uid
        SeriesInstanceUID; empty where an anonymiser emptied it.
    sop_uids
        SOPInstanceUID of each slice, in slice order; empty ones are kept.
    sha256
        SHA-256 over the SHA-256 of each file's bytes, in slice order.
    patient
        Keyed hash of PatientID and issuer, empty where there is no id.
    notes
        What was tolerated while reading.
    cautions
        What a reader must know of the series before its numbers.
    simulated
        Whether it says that its contrast is simulated.
    scanned_on
        The day of the scan, None where no valid one is stated; never written or printed.
    born
        Keyed hash of PatientBirthDate, for comparison alone; empty where there is none or several.
    """

    volume: Volume
    series_uid: str
    sop_uids: tuple[str, ...]
    sha256: str
    patient: str
    notes: tuple[str, ...]
    cautions: tuple[Caution, ...]
    simulated: bool
    scanned_on: date | None = None
    born: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The instances of the series that is to be read, and why others are not."""

    instances: tuple[Instance, ...]
    notes: tuple[str, ...]

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID of the series."""
        return self.instances[0].series_uid


def choose_series(index: Index, wanted_uid: str = "", modalities: Sequence[str] = READ_MODALITIES) -> Chosen:
    """Return the only image series of a folder, or the one of UID `wanted_uid` (whole, its end, or its mark).

    Series of other than the `modalities` do not count, and are named in a note.

    Raises
    ------
    InputError
        No image series, or none of that UID.
    AmbiguousInputError
        Several, and nothing chooses.
    """
    groups: dict[str, list[Instance]] = defaultdict(list)
    others: Counter[str] = Counter()
    for instance in index.of_kind("image"):
        if instance.modality in modalities:
            groups[instance.series_uid].append(instance)
        else:
            others[instance.modality] += 1
    unread = tuple(f"{count} {name} images were not read" for name, count in sorted(others.items()))
    if not groups:
        seen = f", only {', '.join(sorted(others))}" if others else ""
        raise InputError(f"no {' or '.join(modalities)} image series found{seen}", code="no-image")
    if wanted_uid:
        return _wanted(groups, wanted_uid, unread)
    series = list(groups.values())
    long_enough = [s for s in series if len(s) >= FEWEST_SLICES or any(i.enhanced for i in s)]
    if not long_enough:
        if len(series) == 1:
            return Chosen(tuple(series[0]), unread)  # whoever reads it says what is wrong with it
        raise InputError(
            f"the longest image series has {max(map(len, series))} slices, expected at least {FEWEST_SLICES}",
            code="too-few-slices",
        )
    if len(long_enough) > 1:
        raise AmbiguousInputError(
            f"{len(long_enough)} image series, choose one by series_uid in the case file: {_listed(long_enough)}",
            code="several-series",
        )
    short = len(series) - 1
    notes = (f"{short} image series of fewer than {FEWEST_SLICES} slices were left out",) if short else ()
    return Chosen(tuple(long_enough[0]), (*unread, *notes))


def read_series(
    chosen: Chosen, on_slice: Callable[[int, int], None] = lambda _k, _n: None, volume: int | None = None
) -> Series:
    """Return the series as a volume.

    Parameters
    ----------
    chosen
        The series.
    on_slice
        Called with (slice, number of slices) as each is decoded.
    volume
        Which volume, from 1, where the series holds several (phases, echoes, b-values); None where nobody chose.

    Raises
    ------
    InputError
        The slices do not make one evenly spaced stack, a header element is malformed, or pixels cannot be decoded.
    AmbiguousInputError
        The series holds several volumes and `volume` is None.
    """
    instances, notes = _without_copies(chosen.instances)
    frame_uid, modality = _shared(instances, "frame-of-reference"), _shared(instances, "modality")
    frames, which = volume_of(frames_of(instances), volume)
    lattice = stack([f.plane for f in frames], frame_uid)
    ordered = [frames[n] for n in lattice.order]
    count = len(ordered)
    files = list(dict.fromkeys(f.instance for f in ordered))
    patient = _patient(files)
    pixels = read_pixels(ordered, lattice.grid.shape_kji[1:], lambda k: on_slice(k, count))
    return Series(
        volume=Volume(pixels.voxels_kji, lattice.grid, modality),
        series_uid=chosen.series_uid,
        sop_uids=tuple(text(f.instance.header, "SOPInstanceUID") for f in ordered),
        sha256=pixels.sha256,
        patient=patient,
        notes=(*chosen.notes, *notes, *which, *lattice.notes(), *_tolerated(files, ordered, frame_uid)),
        cautions=(*cautions_of(files), *cautions_of_values(pixels.voxels_kji, modality)),
        simulated=is_simulated(files),
        scanned_on=scanned_on(files),
        born=_born(files),
    )


def describe(series: Sequence[Instance]) -> str:
    """Return what tells a series from others, without its description, which may hold patient data."""
    header, count = series[0].header, len(series)
    try:
        frames = frames_of(series)
        count = len(frames)
        k, j, i = stack([f.plane for f in frames], "").grid.spacing_kji_mm
        spacing = f"{i:.3g} x {j:.3g} x {k:.3g} mm"
    except InputError as error:
        spacing = error.code
    number = text(header, "SeriesNumber")
    number = number if re.fullmatch("[0-9]{1,5}", number) else "?"
    return f"{series[0].modality} {count} slices {spacing} number {number} {uid_mark(series[0].series_uid)}"


def _listed(several: Sequence[Sequence[Instance]]) -> str:
    return "; ".join(sorted(describe(s) for s in several))


def _wanted(groups: dict[str, list[Instance]], wanted_uid: str, notes: tuple[str, ...]) -> Chosen:
    ending = wanted_uid.removeprefix("...")
    found = [s for uid, s in groups.items() if wanted_uid in (uid, uid_mark(uid))]
    if not found and len(ending) >= SHORTEST_UID_END:
        found = [s for uid, s in groups.items() if uid.endswith(ending)]
    if len(found) == 1:
        return Chosen(tuple(found[0]), notes)
    if found:
        raise AmbiguousInputError(f"series_uid fits {len(found)} series: {_listed(found)}", code="several-series")
    raise InputError(
        f"no image series of series_{uid_mark(wanted_uid)}, found: {_listed(list(groups.values()))}",
        code="no-such-series",
    )


def _without_copies(instances: Sequence[Instance]) -> tuple[list[Instance], tuple[str, ...]]:
    """Return the instances without byte-identical copies of a SOP instance, and a note where there were any."""
    kept: list[Instance] = []
    seen: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        uid = text(instance.header, "SOPInstanceUID")
        if uid and any(_same_bytes(instance, other) for other in seen[uid]):
            continue
        seen[uid].append(instance)
        kept.append(instance)
    copies = len(instances) - len(kept)
    return kept, ((f"{copies} files are copies of others and were left out",) if copies else ())


def _same_bytes(one: Instance, other: Instance) -> bool:
    digests = [hashlib.sha256(i.path.read_bytes()).digest() for i in (one, other)]
    return digests[0] == digests[1]


def _shared(instances: Sequence[Instance], what: str) -> str:
    """Return the one frame of reference, or the one modality, of all slices."""
    by_frame = what == "frame-of-reference"
    values = sorted({text(i.header, "FrameOfReferenceUID") if by_frame else i.modality for i in instances})
    if len(values) > 1:
        shown = ", ".join(uid_mark(v) if by_frame else v for v in values[:4])
        raise InputError(f"slices of {len(values)} {what} values: {shown}", code=f"mixed-{what}")
    return values[0]


def _patient(instances: Sequence[Instance]) -> str:
    values = {i.patient for i in instances}
    if len(values) > 1:
        raise InputError(f"slices of {len(values)} different patients in one series", code="mixed-patient")
    return values.pop()


def _born(instances: Sequence[Instance]) -> str:
    values = {i.born for i in instances}
    return values.pop() if len(values) == 1 else ""


def _tolerated(files: Sequence[Instance], frames: Sequence[Frame], frame_uid: str) -> tuple[str, ...]:
    """Return a sentence for each missing element that was tolerated, and for what a reader might not expect."""
    found = [
        f"{keyword} is empty in {lacking} of {len(frames)} slices, tolerated"
        for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID")
        if (lacking := sum(not text(f.instance.header, keyword) for f in frames))
    ]
    uids = [uid for f in frames if not f.instance.enhanced and (uid := text(f.instance.header, "SOPInstanceUID"))]
    if len(set(uids)) < len(uids):
        found.append(f"{len(uids) - len(set(uids))} slices share a SOPInstanceUID with another one, tolerated")
    if not frame_uid:
        found.append("FrameOfReferenceUID is missing, the frame of reference is unstated")
    unscaled = sum(not f.rescaled for f in frames)
    if files[0].modality == "CT" and unscaled:
        found.append(f"RescaleSlope is missing in {unscaled} slices, stored values are taken as HU")
    if any(text(i.header, "LossyImageCompression") == "01" for i in files):
        found.append("the image was compressed with loss")
    if any(text(i.header, "PhotometricInterpretation") == "MONOCHROME1" for i in files):
        found.append("MONOCHROME1 (low values are shown bright): values are taken as stored, not inverted")
    return tuple(found)
