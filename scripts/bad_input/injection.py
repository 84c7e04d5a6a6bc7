"""Cases 66 to 74: text that wants to be a path, a page, a formula, a terminal's command or a program."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from bad_input.base import SERIES, SHAPE, Place, case, nrrd_header, tumour
from bad_input.raw import File

PATIENT_ID, NAME, BIRTH, DESCRIPTION, SOP, STUDY = (
    0x00100020, 0x00100010, 0x00100030, 0x0008103E, 0x00080018, 0x0020000D,
)  # fmt: skip

UIDS = {
    "a": b"../../../../tmp/owned", "b": b"/tmp/owned", "c": b"", "d": b"1." * 50 + b"1", "e": b"1.2\n[  0.0 s] forged",
}  # fmt: skip


def everywhere(place: Place, tag: int, vr: bytes, value: bytes) -> None:
    """Set an element in PRE and its segmentation."""
    place.edit(lambda f: f.put(tag, vr, value))
    place.edit_file(place.seg, lambda f: f.put(tag, vr, value))


@case("66a", "66b", "66c", "66d", "66e")
def uids(place: Place) -> None:
    value = UIDS[place.letter]
    for tag in (SERIES, STUDY):
        place.edit(lambda f, tag=tag: f.put(tag, b"UI", value))
    for n in range(SHAPE[0]):
        place.edit(lambda f, n=n: f.put(SOP, b"UI", value + (str(n).encode() if value else b"")), [n])


@case("67a", "67b")
def names(place: Place) -> None:
    everywhere(place, NAME, b"PN", b"<script>alert(1)</script>" if place.letter == "a" else b"../../etc/passwd^x")


@case("68")
def formula(place: Place) -> None:
    said = b"=cmd|'/C calc'!A0"
    everywhere(place, PATIENT_ID, b"LO", said)
    for path in (*sorted((place.post / "ct").iterdir()), place.post / "seg.dcm"):
        place.edit_file(path, lambda f: f.put(PATIENT_ID, b"LO", said))


@case("69")
def forged_log(place: Place) -> None:
    everywhere(place, DESCRIPTION, b"LO", b"\x1b[2J\x1b[31mx\n[  0.0 s] forged line")


@case("70a", "70b")
def lookalikes(place: Place) -> None:
    said = "\u202eINV-1" if place.letter == "a" else "\u0406NV-1"  # right-to-left override; a Cyrillic letter
    for tag, vr, value in ((0x00080005, b"CS", b"ISO_IR 192"), (PATIENT_ID, b"LO", said.encode())):
        everywhere(place, tag, vr, value)


@case("71")
def other_birth(place: Place) -> None:
    everywhere(place, BIRTH, b"DA", b"19820304")


@case("72")
def labels(place: Place) -> None:
    evil = b"<img src=x onerror=alert(1)>"

    def change(content: File) -> None:
        for tag in (0x00620002,):
            value = content.value(tag)
            content.put(tag, b"SQ", relabelled(value, evil))

    place.edit_file(place.seg, change)


def relabelled(sequence: bytes, label: bytes) -> bytes:
    """Return a segment sequence of one item whose label and code meanings are another text."""
    from io import BytesIO

    import pydicom
    from pydicom.filebase import DicomBytesIO
    from pydicom.filereader import read_sequence
    from pydicom.filewriter import write_sequence

    found = read_sequence(DicomBytesIO(sequence), False, True, len(sequence), ["utf8"], 0)
    items = pydicom.Sequence(list(found))
    text = label.decode()
    items[0].SegmentLabel = text
    for code in (*items[0].SegmentedPropertyTypeCodeSequence, *items[0].SegmentedPropertyCategoryCodeSequence):
        code.CodeMeaning = text
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    element = pydicom.DataElement(0x00620002, "SQ", items)
    write_sequence(out, element, ["utf8"])
    assert isinstance(out, BytesIO) or out  # noqa: S101 - what pydicom writes into
    return out.getvalue()


@case("73a", "73b", "73c", "73d")
def detached(place: Place) -> None:
    place.voxels()
    image_file, mask = place.pre / "image.nii.gz", place.pre / "tumour.nii.gz"
    if place.letter in "ad":
        mask.unlink()
        said = f"data file: {'/etc/passwd' if place.letter == 'a' else '../../../etc/passwd'}\n"
        (place.pre / ("tumour.nhdr" if place.letter == "a" else "tumour.nrrd")).write_bytes(
            nrrd_header(SHAPE[::-1], more=said)
        )
    elif place.letter == "b":
        image_file.unlink()
        (place.pre / "image.mhd").write_text(
            "ObjectType = Image\nNDims = 3\nDimSize = 10 9 8\nElementType = MET_UCHAR\nElementDataFile = /etc/passwd\n"
        )
    else:
        mask.unlink()
        (place.pre / "tumour.nrrd").write_bytes(
            nrrd_header(SHAPE[::-1], more="data file: LIST\n/etc/passwd\n") + tumour().astype("u1").tobytes()
        )


class Owned:
    """An object whose pickle, where it is loaded, makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Return what unpickling calls."""
        return (Path.touch, (self.path,))


@case("74a", "74b", "74c", "74d")
def programs(place: Place) -> None:
    np.save(place.pre / "image.npy", np.array([Owned(place.folder / "owned")], dtype=object), allow_pickle=True)
    (place.pre / "study.pkl").write_bytes(pickle.dumps(Owned(place.folder / "owned")))
    yaml = f'!!python/object/apply:os.system ["touch {place.folder}/owned"]\n'
    (place.pre / "case.yaml").write_text(yaml)
    (place.pre / "case.xml").write_text(
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>\n'
    )
    if place.letter == "b":
        place.call(pre="pre/image.npy")
    elif place.letter == "c":
        (place.folder / "case.yaml").write_text(yaml)
        place.call(case="case.yaml")
    elif place.letter == "d":
        place.case_file('[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "pre/image.npy"\n')
