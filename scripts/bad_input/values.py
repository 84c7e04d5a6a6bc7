"""Cases 37 to 45: values that no image can have."""

from __future__ import annotations

import numpy as np

from bad_input.base import (
    INTERCEPT,
    ORIENTATION,
    POSITION,
    SHAPE,
    SLOPE,
    SPACING,
    Place,
    affine,
    case,
    image,
    nifti_header,
)  # fmt: skip
from bad_input.raw import PIXEL_DATA, TRANSFER_SYNTAX, File
from bad_input.sizes import J2K, us

NAME, PATIENT_ID, CHARSET = 0x00100010, 0x00100020, 0x00080005


@case("37a", "37b", "37c", "37d", "37e")
def spacing(place: Place) -> None:
    said = {"a": b"0\\0", "b": b"-0.8\\-0.7", "c": b"NaN\\NaN", "d": b"inf\\inf", "e": b"0,8\\0,7"}[place.letter]
    place.edit(lambda f: f.put(SPACING, b"DS", said))


@case("38a", "38b", "38c")
def orientation(place: Place) -> None:
    said = {"a": b"0\\0\\0\\0\\0\\0", "b": b"1\\0\\0\\1\\0\\0", "c": b"2\\0\\0\\0\\2\\0"}[place.letter]
    place.edit(lambda f: f.put(ORIENTATION, b"DS", said))


@case("39a", "39b")
def position(place: Place) -> None:
    place.edit(lambda f: f.drop(POSITION) if place.letter == "a" else f.put(POSITION, b"DS", b"-30\\12"), [3])


@case("40a", "40b", "40c")
def rescale(place: Place) -> None:
    tag, said = {"a": (SLOPE, b"0"), "b": (INTERCEPT, b"1e308"), "c": (SLOPE, b"1e300")}[place.letter]
    place.edit(lambda f: f.put(tag, b"DS", said))


@case("41a", "41b", "41c", "41d")
def bits(place: Place) -> None:
    if place.letter == "a":
        place.edit(
            lambda f: f.put(0x00280100, b"US", us(12)).put(0x00280101, b"US", us(12)).put(0x00280102, b"US", us(11))
        )
    elif place.letter == "b":
        place.edit(lambda f: f.put(0x00280101, b"US", us(20)).put(0x00280102, b"US", us(19)))
    else:  # air below 0 read as if no value could be: 65 thousand HU
        below = (image() - 2000).astype("<i2")
        for n in range(len(place.slices)):
            place.edit(lambda f, n=n: f.put(PIXEL_DATA, b"OW", below[n].tobytes()), [n])
        place.edit(lambda f: f.put(0x00280103, b"US", us(0)), None if place.letter == "c" else [3])


@case("42a", "42b", "42c")
def photometric(place: Place) -> None:
    if place.letter == "a":
        place.edit(lambda f: f.put(0x00280004, b"CS", b"MONOCHROME1"))
        return
    said = b"RGB" if place.letter == "b" else b"PALETTE COLOR"

    def change(content: File) -> None:
        content.put(0x00280004, b"CS", said)
        if place.letter == "b":
            content.put(0x00280002, b"US", us(3)).put(0x00280006, b"US", us(0))
            content.put(PIXEL_DATA, b"OW", content.value(PIXEL_DATA) * 3)

    place.edit(change)


@case("43a", "43b", "43c", "43d")
def syntax(place: Place) -> None:
    said = {"a": "1.2.3.4.5.6", "b": J2K, "c": "1.2.840.10008.1.2", "d": "1.2.840.10008.1.2.2"}[place.letter]
    place.edit(lambda f: f.put(TRANSFER_SYNTAX, b"UI", said.encode()))


@case("44a", "44b", "44c")
def charset(place: Place) -> None:
    if place.letter == "a":
        place.edit(lambda f: f.put(CHARSET, b"CS", b"ISO_IR 999").put(NAME, b"PN", b"M\xfcller^K\xe4the"))
    elif place.letter == "b":
        place.edit(lambda f: f.put(CHARSET, b"CS", b"ISO_IR 192").put(NAME, b"PN", b"\xff\xfe\x1b[31m^\x00\x80"))
    else:
        place.edit(lambda f: f.put(CHARSET, b"CS", b"ISO_IR 192").put(PATIENT_ID, b"LO", b"INV\xff\xfe\x80"))


@case("45a", "45b", "45c", "45d")
def nifti_affine(place: Place) -> None:
    place.voxels()
    path, kind = place.pre / "image.nii", np.dtype("<i2")
    (place.pre / "image.nii.gz").unlink()
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine()
    qform = None
    if place.letter == "a":
        ras = np.full((4, 4), np.nan)
    elif place.letter == "b":
        qform = (0.0, 0.0, 1.0, 30.0, -12.0, 150.0)
    elif place.letter == "c":
        ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine(shear_mm=0.3)
    else:
        ras = np.zeros((4, 4))
    path.write_bytes(nifti_header(SHAPE[::-1], kind, ras, qform) + image().tobytes())
