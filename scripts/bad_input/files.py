"""Cases 1 to 16: what a folder may hold in place of files."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
from pathlib import Path

from bad_input.base import Place, affine, case, datasets, image, save_nifti, slice_of, write_slices
from bad_input.raw import File

WATCHED = "zz-notes.txt"
"""Last in the order of names, so that it is opened after every header and before the pixels."""


def cut(path: Path, keep: int) -> None:
    """Shorten a file; a negative number is that much less."""
    path.write_bytes(path.read_bytes()[:keep])


@case("1a", "1b")
def truncated_pixels(place: Place) -> None:
    cut(place.slices[3] if place.letter == "a" else place.seg, -40)


@case("2")
def truncated_header(place: Place) -> None:
    cut(place.slices[3], 500)


@case("3a", "3b")
def empty_file(place: Place) -> None:
    place.slices[7 if place.letter == "a" else 3].write_bytes(b"")


@case("4a", "4b", "4c")
def text_file(place: Place) -> None:
    path = place.pre / "ct" / ("notes.txt" if place.letter == "c" else "notes.dcm")
    path.write_text("Dear colleague, the images follow.\n" * 20)
    if place.letter == "b":
        place.call(pre="pre/ct/notes.dcm")


@case("5a", "5b")
def no_preamble(place: Place) -> None:
    for path in place.slices:
        content = File.read(path)
        path.write_bytes((content.coded_meta() if place.letter == "b" else b"") + content.coded_body())


@case("6")
def preamble_only(place: Place) -> None:
    (place.pre / "ct" / "extra.dcm").write_bytes(b"\0" * 128 + b"DICM")


@case("7a", "7b", "8")
def random_bytes(place: Place) -> None:
    start = b"\0" * 128 + b"DICM" if place.number == "8" else b""
    name = "extra" if place.letter == "b" else "extra.dcm"
    (place.pre / "ct" / name).write_bytes(start + b"\xff" + place.chance.randbytes(4000))


@case("9")
def folders_named_as_files(place: Place) -> None:
    (place.pre / "ct").rename(place.pre / "x.dcm")
    (place.pre / "x.dcm" / "y.dcm").mkdir()


@case("10a", "10b", "10f", "10i")
def no_regular_slice(place: Place) -> None:
    path = place.pre / "ct" / "008.dcm"
    if place.letter == "a":
        os.mkfifo(path)
    elif place.letter == "i":
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's path may be no longer than 108 bytes
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as bound:
            bound.bind(path.name)
        os.chdir(here)
    elif place.letter == "f":
        path.symlink_to("/dev/zero")
    else:
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
        except PermissionError:
            path.symlink_to("/dev/zero")  # the same to a reader


@case("10c", "10d", "10e", "10g", "10h")
def pipe_that_is_asked_for(place: Place) -> None:
    if place.letter == "c":
        place.voxels()
        (place.pre / "image.nii.gz").unlink()
        os.mkfifo(place.pre / "image.nii.gz")
        return
    name, call = {
        "d": ("pipe", {"pre": "pipe"}),
        "e": ("case.toml", {"case": "case.toml"}),
        "g": ("pipe.tfm", {"arguments": ["--registration", "pipe.tfm"]}),
        "h": ("pipe.csv", {"arguments": ["--landmarks", "pipe.csv"]}),
    }[place.letter]
    os.mkfifo(place.folder / name)
    place.call(**call)


@case("11a", "11b", "11c", "11d", "11e")
def link_loop(place: Place) -> None:
    if place.letter == "a":
        (place.pre / "ct" / "again").symlink_to("..")
    elif place.letter == "b":
        (place.pre / "ct" / "008.dcm").symlink_to("008.dcm")
    else:
        (place.folder / "loop").symlink_to("loop")
        place.call(**{"c": {"out": "loop"}, "d": {"pre": "loop"}, "e": {"case": "loop"}}[place.letter])


@case("12a", "12b", "12c", "12d", "12e")
def link_out(place: Place) -> None:
    other = place.folder / "other"
    write_slices(other, datasets("pre"))
    if place.letter == "a":
        place.slices[7].unlink()
        (place.pre / "ct" / "007.dcm").symlink_to("../../other/007.dcm")
    elif place.letter == "b":
        (place.pre / "more").symlink_to("../other")
    elif place.letter == "c":
        place.voxels()
        (place.pre / "image.nii.gz").rename(other / "image.nii.gz")
        (place.pre / "image.nii.gz").symlink_to("../other/image.nii.gz")
    elif place.letter == "d":
        place.slices[7].unlink()
        (place.pre / "ct" / "007.dcm").symlink_to("../../gone/007.dcm")
    else:
        (place.pre / "ct" / "007.dcm").rename(place.pre / "last.dcm")
        (place.pre / "ct" / "007.dcm").symlink_to("../last.dcm")


@case("13a", "13b", "13c", "13d")
def unreadable(place: Place) -> None:
    if place.letter == "c":
        place.voxels()
    if place.letter == "d":
        place.case_file("")
    paths = {"a": place.pre / "ct" / "003.dcm", "b": place.pre / "ct", "c": place.pre / "tumour.nii.gz"}
    paths.get(place.letter, place.folder / "case.toml").chmod(0)
    place.call(unprivileged=True)


NAMES = {
    "a": "new\nline.dcm",
    "b": "\x1b[2J\x1b[31mred.dcm",
    "c": "x" * 251 + ".dcm",
    "d": b"\xff\xfe caf\xe9.dcm".decode("utf-8", "surrogateescape"),
}


@case("14a", "14b", "14c", "14d", "14e", "14f", "14g", "14h", "14i", "14j", "14k")
def strange_name(place: Place) -> None:
    letter = place.letter
    if letter in NAMES:
        path = place.slices[3].rename(place.pre / "ct" / NAMES[letter])
        cut(path, -40)
    elif letter == "e":
        place.call(out=b"out \xff\xfe".decode("utf-8", "surrogateescape"))
    elif letter == "f":
        place.call(out="out\x1b[2J\n<script>alert(1)</script>")
    elif letter == "g":
        place.case_file('[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "a\\u0000b.nii"\n')
    elif letter == "h":
        place.case_file('[registration]\nfile = "a\\u0000b.tfm"\n')
    elif letter == "i":
        place.case_file(f'[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "{"x" * 300}.nii"\n')
    elif letter == "j":
        place.call(pre="x" * 300)
    else:
        place.case_file(f'[pre]\npath = "{"x" * 300}"\n')


@case("15a", "15b", "15c", "15d")
def changing_file(place: Place) -> None:
    (place.pre / WATCHED).write_text("not DICOM, and opened once\n" * 20)
    changed = place.folder / "changed"
    if place.letter in "ad":
        other = slice_of("pre", 3, affine(), image() + 50)
        if place.letter == "a":
            other.ImagePositionPatient = ["-30", "14", "107.5"]
        other.save_as(changed, enforce_file_format=True)
    elif place.letter == "b":
        shutil.copy(place.slices[3], changed)
        cut(changed, -40)
    else:
        shutil.copy(place.post / "seg.dcm", changed)
    target = "pre/seg.dcm" if place.letter == "c" else "pre/ct/003.dcm"
    place.call(when_opened={"file": f"pre/{WATCHED}", "take": "changed", "to": target})


@case("16")
def dicomdir(place: Place) -> None:
    from pydicom.config import disable_value_validation
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.sequence import Sequence
    from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

    write_slices(place.folder / "other", datasets("post"))
    listing, record = Dataset(), Dataset()
    record.DirectoryRecordType = "IMAGE"
    with disable_value_validation():
        record.ReferencedFileID = ["..", "..", "OTHER", "000"]
    record.add_new(0x00041511, "UI", "1.2.3")
    listing.FileSetID = ""
    listing.DirectoryRecordSequence = Sequence([record])
    listing.file_meta = FileMetaDataset()
    listing.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    listing.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    listing.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    listing.preamble = b"\0" * 128
    with disable_value_validation():
        listing.save_as(place.pre / "DICOMDIR")
    content = (place.pre / "DICOMDIR").read_bytes()
    (place.pre / "DICOMDIR").write_bytes(content.replace(b"..\\..\\OTHER\\000", b"..\\..\\other\\000"))
    save_nifti(place.folder / "other" / "image.nii.gz", image())
