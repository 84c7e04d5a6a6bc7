"""One image series of a folder as a volume, its geometry from the headers."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from pipelines.dicom.geometry import FEWEST_SLICES, Plane, Stack, image_plane, numbers, stack
from pipelines.dicom.index import Index, Instance, safe_text, text, uid_end
from pipelines.dicom.pixels import SliceSource, read_pixels
from pipelines.dicom.stated import cautions_of, is_simulated
from planner.case import Caution
from planner.errors import AmbiguousInputError, InputError, located
from planner.volume import Volume

LARGEST_INTERCEPT = 1e6
"""A rescale intercept beyond this is taken for a malformed header."""

SHORTEST_UID_END = 6
"""A series may be chosen by the end of its UID, as error messages print it, of at least this many characters."""


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
    """

    volume: Volume
    series_uid: str
    sop_uids: tuple[str, ...]
    sha256: str
    patient: str
    notes: tuple[str, ...]
    cautions: tuple[Caution, ...]
    simulated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The instances of the series that is to be read, and why others are not."""

    instances: tuple[Instance, ...]
    notes: tuple[str, ...]

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID of the series."""
        return self.instances[0].series_uid


def choose_series(index: Index, wanted_uid: str = "") -> Chosen:
    """Return the only image series of a folder, or the one of UID `wanted_uid` (whole, or its end).

    Raises
    ------
    InputError
        No image series, or none of that UID.
    AmbiguousInputError
        Several, and nothing chooses.
    """
    groups: dict[str, list[Instance]] = defaultdict(list)
    for instance in index.of_kind("image"):
        groups[instance.series_uid].append(instance)
    if not groups:
        raise InputError("no CT or MR image series found", code="no-image")
    if wanted_uid:
        return _wanted(groups, wanted_uid)
    series = list(groups.values())
    long_enough = [s for s in series if len(s) >= FEWEST_SLICES]
    if not long_enough:
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
    return Chosen(tuple(long_enough[0]), notes)


def read_series(chosen: Chosen, on_slice: Callable[[int, int], None] = lambda _k, _n: None) -> Series:
    """Return the series as a volume.

    `on_slice` is called with (slice, number of slices) as each is decoded.

    Raises
    ------
    InputError
        The slices do not make one evenly spaced stack, a header element is malformed, or pixels cannot be decoded.
    """
    instances, notes = _without_copies(chosen.instances)
    frame_uid, modality = _shared(instances, "frame-of-reference"), _shared(instances, "modality")
    lattice = _lattice(instances, frame_uid)
    ordered = [instances[n] for n in lattice.order]
    count = len(ordered)
    sources = [_source(instance, f"slice {k + 1} of {count}") for k, instance in enumerate(ordered)]
    shape = lattice.grid.shape_kji[1:]
    pixels = read_pixels(sources, shape, lambda k: on_slice(k, count))
    return Series(
        volume=Volume(pixels.voxels_kji, lattice.grid, modality),
        series_uid=chosen.series_uid,
        sop_uids=tuple(text(i.header, "SOPInstanceUID") for i in ordered),
        sha256=pixels.sha256,
        patient=_patient(ordered),
        notes=(*chosen.notes, *notes, *lattice.notes(), *_tolerated(ordered, frame_uid)),
        cautions=cautions_of(ordered),
        simulated=is_simulated(ordered),
    )


def describe(series: Sequence[Instance]) -> str:
    """Return what tells a series from others, without its description, which may hold patient data."""
    header = series[0].header
    try:
        k, j, i = stack([image_plane(s.header, "slice") for s in series], "").grid.spacing_kji_mm
        spacing = f"{i:.3g} x {j:.3g} x {k:.3g} mm"
    except InputError as error:
        spacing = error.code
    number = safe_text(text(header, "SeriesNumber") or "?", 12)
    return f"{series[0].modality} {len(series)} slices {spacing} number {number} uid {uid_end(series[0].series_uid)}"


def _listed(several: Sequence[Sequence[Instance]]) -> str:
    return "; ".join(sorted(describe(s) for s in several))


def _wanted(groups: dict[str, list[Instance]], wanted_uid: str) -> Chosen:
    ending = wanted_uid.removeprefix("...")
    found = [s for uid, s in groups.items() if uid == wanted_uid]
    if not found and len(ending) >= SHORTEST_UID_END:
        found = [s for uid, s in groups.items() if uid.endswith(ending)]
    if len(found) == 1:
        return Chosen(tuple(found[0]), ())
    if found:
        raise AmbiguousInputError(f"series_uid fits {len(found)} series: {_listed(found)}", code="several-series")
    raise InputError(
        f"no image series of series_uid {uid_end(wanted_uid)}, found: {_listed(list(groups.values()))}",
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
        shown = ", ".join(uid_end(v) if by_frame else v for v in values[:4])
        raise InputError(f"slices of {len(values)} {what} values: {shown}", code=f"mixed-{what}")
    return values[0]


def _lattice(instances: Sequence[Instance], frame_uid: str) -> Stack:
    count = len(instances)
    return stack([_plane(i, f"file {n} of {count} of the series") for n, i in enumerate(instances, start=1)], frame_uid)


def _plane(instance: Instance, name: str) -> Plane:
    with located(safe_text(instance.path.name)):
        return image_plane(instance.header, name)


def _source(instance: Instance, name: str) -> SliceSource:
    header = instance.header
    with located(safe_text(instance.path.name)):
        _require_grey(header, name)
        slope = numbers(header, "RescaleSlope", 1, name)[0] if text(header, "RescaleSlope") else 1.0
        intercept = numbers(header, "RescaleIntercept", 1, name)[0] if text(header, "RescaleIntercept") else 0.0
        if slope == 0 or abs(intercept) > LARGEST_INTERCEPT:
            raise InputError(f"{name}: rescale slope {slope:g}, intercept {intercept:g}", code="bad-rescale")
    return SliceSource(instance.path, slope, intercept)


def _require_grey(header: Dataset, name: str) -> None:
    photometric = text(header, "PhotometricInterpretation")
    if not photometric.startswith("MONOCHROME") or text(header, "NumberOfFrames") not in ("", "0", "1"):
        raise InputError(
            f"{name}: expected one grey-scale frame, found {safe_text(photometric) or 'no PhotometricInterpretation'},"
            f" {safe_text(text(header, 'NumberOfFrames') or '1')} frames",
            code="not-grey",
        )


def _patient(instances: Sequence[Instance]) -> str:
    values = {i.patient for i in instances}
    if len(values) > 1:
        raise InputError(f"slices of {len(values)} different patients in one series", code="mixed-patient")
    return values.pop()


def _tolerated(instances: Sequence[Instance], frame_uid: str) -> tuple[str, ...]:
    """Return a sentence for each missing element that was tolerated."""
    count = len(instances)

    def lacking(keyword: str) -> int:
        return sum(not text(i.header, keyword) for i in instances)

    found = [
        f"{keyword} is empty in {lacking(keyword)} of {count} slices, tolerated"
        for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID")
        if lacking(keyword)
    ]
    if not frame_uid:
        found.append("FrameOfReferenceUID is missing, the frame of reference is unstated")
    if instances[0].modality == "CT" and lacking("RescaleSlope"):
        found.append(f"RescaleSlope is missing in {lacking('RescaleSlope')} slices, stored values are taken as HU")
    if any(text(i.header, "LossyImageCompression") == "01" for i in instances):
        found.append("the image was compressed with loss")
    return tuple(found)
