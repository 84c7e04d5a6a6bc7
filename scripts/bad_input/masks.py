"""Cases 58 to 65: masks that hold nothing, lie elsewhere, or are cut."""

from __future__ import annotations

import numpy as np

from bad_input.base import FRAME, SHAPE, Place, block, case, datasets, save_nifti, tumour, write_seg, write_study
from bad_input.raw import PIXEL_DATA, File
from bad_input.sizes import as_text, rtstruct, square, us


@case("58a", "58b")
def empty(place: Place) -> None:
    study = place.pre if place.letter == "a" else place.post
    write_study(study, masks={"Tumour" if place.letter == "a" else "Ablation": np.zeros(SHAPE, bool)})


@case("59")
def other_frame(place: Place) -> None:
    place.edit_file(place.seg, lambda f: f.put(FRAME, b"UI", b"1.2.3.4"))


@case("60a", "60b")
def overlapping(place: Place) -> None:
    more = (
        {"Liver": block((1, 7), (1, 8), (1, 9))} if place.letter == "a" else {"Tumour 2": block((3, 5), (3, 5), (4, 6))}
    )
    first = "Tumour" if place.letter == "a" else "Tumour 1"
    write_study(place.pre, masks={first: tumour()} | more)


@case("61")
def fractional(place: Place) -> None:
    write_study(place.pre, masks={"Tumour": tumour().astype(float)}, segmentation_type="FRACTIONAL")
    place.edit_file(place.seg, lambda f: f.put(0x0062000E, b"US", us(0)))


@case("62")
def undescribed(place: Place) -> None:
    slices = datasets("pre")
    masks = {"Tumour": tumour(), "Liver": block((1, 2), (1, 8), (1, 9))}
    place.seg.unlink()
    write_seg(place.seg, slices, masks, segmentation_type="LABELMAP")

    def change(content: File) -> None:
        pixels = np.frombuffer(content.value(PIXEL_DATA), np.uint8).copy()
        pixels[pixels == 2] = 7
        content.put(PIXEL_DATA, b"OB", pixels.tobytes())

    place.edit_file(place.seg, change)


@case("63")
def unaligned(place: Place) -> None:
    write_study(place.pre)  # 9 x 10 pixels are 90 bits: no frame but the first begins with a byte


@case("64a", "64b", "64c", "64d", "64e", "64f", "64g", "64h")
def contours(place: Place) -> None:
    place.seg.unlink()
    sound = [as_text(square(3)), as_text(square(4))]
    bow = square(3, 1.5, 6.5)[[0, 2, 1, 3]]
    found = {
        "a": [*sound, as_text(square(4)[:2])],
        "b": [sound[0].replace(b"\\", b"\\NaN\\", 1)[: len(sound[0])], sound[1]],
        "c": [sound[0] + b"\\7", sound[1]],
        "d": [as_text(bow), sound[1]],
        "e": [as_text(square(3.4)), as_text(square(9.3))],
        "f": [as_text(square(3) + np.asarray((0, 0, 5000.0))), sound[1]],
        "g": [as_text(square(3)[:2])],
        "h": [as_text(square(3) + np.asarray([[0, 0, 0], [0, 0, 0], [0, 0, 2], [0, 0, 2]])), sound[1]],
    }[place.letter]
    if place.letter == "b":
        numbers = sound[0].split(b"\\")
        numbers[4] = b"NaN"
        found[0] = b"\\".join(numbers)
    rtstruct(place.pre / "rs.dcm", found)


@case("65a", "65b", "65c")
def cut_mask(place: Place) -> None:
    if place.letter == "a":
        write_study(place.pre, masks={"Tumour": block((0, 3), (3, 5), (3, 5))})
        write_study(place.post, masks={"Ablation": block((0, 5), (2, 6), (2, 6))})
    elif place.letter == "c":  # masks alone, of which nobody knows where the scan ended
        save_nifti(place.folder / "tumour.nii", block((0, 3), (3, 6), (3, 6)).astype("u1"))
        save_nifti(place.folder / "zone.nii", block((0, 5), (1, 8), (1, 9)).astype("u1"))
        place.call(line=["margin", "tumour.nii", "zone.nii", "--json"])
    else:
        write_study(place.post, masks={"Ablation": block((2, 8), (0, 9), (0, 10))})
