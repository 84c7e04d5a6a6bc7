"""Cases 46 to 57: slices that make no volume, or another one than they seem to."""

from __future__ import annotations

import shutil

import numpy as np

from bad_input.base import (
    FRAME,
    INTERCEPT,
    ORIENTATION,
    POSITION,
    ROOT_UID,
    SHAPE,
    Place,
    affine,
    case,
    datasets,
    image,
    slice_of,
    write_slices,
    write_study,
)  # fmt: skip
from bad_input.sizes import sized


def written(place: Place, *heights_mm: float) -> None:
    """Move slices to other heights; NaN drops one."""
    for path, height in zip(place.slices, heights_mm, strict=True):
        if np.isnan(height):
            path.unlink()
    kept = [h for h in heights_mm if not np.isnan(h)]
    for n, height in enumerate(kept):
        place.edit(lambda f, h=height: f.put(POSITION, b"DS", f"-30\\12\\{h:g}".encode()), [n])


@case("46a", "46b", "47")
def duplicates(place: Place) -> None:
    if place.number == "46b":
        same = place.slices[0]
        from bad_input.raw import File

        uid = File.read(same).value(0x00080018)
        place.edit(lambda f: f.put(0x00080018, b"UI", uid), [5])
        return
    extra = slice_of("pre", 3, affine(), image() + 300)
    if place.number == "47":
        extra.SOPInstanceUID = f"{ROOT_UID}.77"
        extra.file_meta.MediaStorageSOPInstanceUID = extra.SOPInstanceUID
    extra.save_as(place.pre / "ct" / "extra.dcm", enforce_file_format=True)


@case("48", "50")
def gaps(place: Place) -> None:
    even = [100 + 2.5 * k for k in range(SHAPE[0])]
    if place.number == "48":
        even[4] = float("nan")
    else:
        even = [100 + 2.5 * k + 0.2 * k * k for k in range(SHAPE[0])]
    written(place, *even)


@case("49")
def tilt(place: Place) -> None:
    write_study(place.pre, shear_mm=0.6)


@case("51a", "51b", "51c", "51d", "51e")
def mixed(place: Place) -> None:
    if place.letter == "a":
        place.edit(lambda f: sized(f, 5, 18), [3])
    elif place.letter == "b":
        place.edit(lambda f: f.put(ORIENTATION, b"DS", b"1\\0\\0\\0\\0\\-1"), [3])
    elif place.letter == "c":
        place.edit(lambda f: f.put(FRAME, b"UI", b"1.2.3.4"), [3])
    elif place.letter == "d":
        place.edit(lambda f: f.put(INTERCEPT, b"DS", b"-1000"), [3])
    else:
        place.edit(lambda f: f.put(0x00100020, b"LO", b"INV-2"), [3])


@case("52")
def two_phases(place: Place) -> None:
    place.edit(lambda f: f.put(0x00200012, b"IS", b"1"))
    for n, dataset in enumerate(datasets("pre", stored=image() + 200)):
        dataset.AcquisitionNumber = 2
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{ROOT_UID}.88.{n + 1}"
        dataset.save_as(place.pre / "ct" / f"late{n}.dcm", enforce_file_format=True)


@case("53")
def reversed_numbers(place: Place) -> None:
    for n in range(SHAPE[0]):
        place.edit(lambda f, n=n: f.put(0x00200013, b"IS", str(SHAPE[0] - n).encode()), [n])


@case("54a", "54b")
def localizer(place: Place) -> None:
    matrix = np.array(affine())
    scout = slice_of("pre", 0, matrix, image())
    scout.SOPInstanceUID = scout.file_meta.MediaStorageSOPInstanceUID = f"{ROOT_UID}.99"
    scout.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    if place.letter == "a":
        scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.save_as(place.pre / "ct" / "scout.dcm", enforce_file_format=True)


@case("55")
def stated_gap(place: Place) -> None:
    place.edit(lambda f: f.put(0x00180088, b"DS", b"1.25"))


@case("56")
def no_class(place: Place) -> None:
    place.edit(lambda f: f.put(0x00080016, b"UI", b""))


@case("57a", "57b")
def no_frame(place: Place) -> None:
    place.edit(lambda f: f.drop(FRAME))
    if place.letter == "b":
        shutil.rmtree(place.post / "ct")
        write_slices(place.post / "ct", datasets("post"))
        place.edit_file(place.seg, lambda f: f.drop(FRAME))
