"""Cases 17 to 36: sizes that are not true, or more than anything can hold."""

from __future__ import annotations

import bz2
import gzip
import io
import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from bad_input.base import (
    COLUMNS,
    ROWS,
    SHAPE,
    Place,
    affine,
    case,
    datasets,
    image,
    nifti_header,
    nrrd_header,
    tumour,
    zeros_deflated,
)  # fmt: skip
from bad_input.raw import (
    ITEM_END,
    PIXEL_DATA,
    SEQUENCE_END,
    TRANSFER_SYNTAX,
    UNDEFINED,
    Element,
    File,
    delimiter,
    item,
)  # fmt: skip

J2K, JPEG_LS, RLE, DEFLATED = (f"1.2.840.10008.1.2.{end}" for end in ("4.90", "4.80", "5", "1.99"))
MEGABYTE = 2**20


def us(value: int) -> bytes:
    """Return an unsigned short."""
    return struct.pack("<H", value)


def sized(content: File, rows: int, columns: int) -> File:
    """State another matrix."""
    return content.put(ROWS, b"US", us(rows)).put(COLUMNS, b"US", us(columns))


@case("17a", "17b", "17c", "17d", "19")
def matrix(place: Place) -> None:
    rows, which = {"a": (65535, None), "b": (65535, [3]), "c": (9000, None), "d": (9000, None), "": (0, None)}[
        place.letter
    ]
    place.edit(lambda f: sized(f, rows, rows or SHAPE[2]), which)
    if place.letter == "d":  # the pixels are there: a sparse file holds no disk
        for path in place.slices:
            content = File.read(path)
            content.body = [e for e in content.body if e.tag != PIXEL_DATA]
            content.write(path)
            with path.open("ab") as stream:
                stream.write(Element(PIXEL_DATA, b"OW", b"", 2 * rows * rows).coded())
                stream.truncate(stream.tell() + 2 * rows * rows)


@case("18a", "18b", "18c")
def frames(place: Place) -> None:
    many = str(2**31 - 1).encode()
    if place.letter == "c":
        place.edit_file(place.seg, lambda f: f.put(0x00280008, b"IS", many))
        return

    def change(content: File) -> None:
        content.put(0x00280008, b"IS", many)
        if place.letter == "b":
            for part in (0x00020002, 0x00080016):
                content.put(part, b"UI", b"1.2.840.10008.5.1.4.1.1.2.1")

    place.edit(change, [3] if place.letter == "a" else None)
    if place.letter == "b":
        for path in place.slices[1:]:
            path.unlink()


@case("20")
def deflate_bomb(place: Place) -> None:
    path = place.slices[3]
    content = File.read(path).put(TRANSFER_SYNTAX, b"UI", DEFLATED.encode())
    content.body = [e for e in content.body if e.tag != PIXEL_DATA]
    start = content.coded_body() + Element(0x00410010, b"OB", b"", 1600 * MEGABYTE).coded()
    packed = zeros_deflated(1600, -zlib.MAX_WBITS, start)
    path.write_bytes(b"\0" * 128 + b"DICM" + content.coded_meta() + packed)


def j2k_header(rows: int, columns: int) -> bytes:
    """Return the main header of a JPEG 2000 codestream, and an empty tile."""
    siz = struct.pack(">HIIIIIIIIH", 0, columns, rows, 0, 0, columns, rows, 0, 0, 1) + b"\x8f\x01\x01"
    cod = b"\x00\x00\x00\x01\x00\x05\x04\x04\x00\x01"
    qcd = b"\x40" + bytes(0x80 for _ in range(16))
    parts = [(0xFF51, siz), (0xFF52, cod), (0xFF5C, qcd)]
    head = b"\xff\x4f" + b"".join(struct.pack(">HH", marker, len(body) + 2) + body for marker, body in parts)
    return head + struct.pack(">HHHIBB", 0xFF90, 10, 0, 14, 0, 1) + b"\xff\x93" + b"\xff\xd9"


def jpeg_ls_header(rows: int, columns: int) -> bytes:
    """Return a JPEG-LS codestream whose scan is empty."""
    frame = struct.pack(">BHHB", 16, rows, columns, 1) + b"\x01\x11\x00"
    scan = b"\x01\x01\x00\x00\x00\x00"
    said = b"".join(struct.pack(">HH", m, len(b) + 2) + b for m, b in ((0xFFF7, frame), (0xFFDA, scan)))
    return b"\xff\xd8" + said + bytes(160_000) + b"\xff\xd9"


def rle_frame(segments: list[bytes]) -> bytes:
    """Return an RLE frame."""
    starts = [64 + sum(map(len, segments[:n])) for n in range(len(segments))]
    return struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(segments))) + b"".join(segments)


@case("21a", "21b", "22a", "22b")
def codestream_header(place: Place) -> None:
    syntax, header, size = (J2K, j2k_header, 60_000) if place.number[:2] == "21" else (JPEG_LS, jpeg_ls_header, 65_000)
    lying = place.letter == "a"

    def change(content: File) -> None:
        sized(content, *(SHAPE[1:] if lying else (size, size))).compress(syntax, [header(size, size)])

    place.edit(change, [3] if lying else None)


@case("23a", "23b")
def rle_bomb(place: Place) -> None:
    if place.letter == "a":  # 2 bytes become 128: 28 MB would become 1.8 GB
        bomb = rle_frame([b"\x81\x00" * (7 * MEGABYTE), b"\x81\x00" * (7 * MEGABYTE)])
        place.edit(lambda f: f.compress(RLE, [bomb]), [3])
    else:
        frame = rle_frame([b"\x81\x00" * 16, b"\x81\x00" * 16])
        place.edit(lambda f: sized(f, 30_000, 30_000).compress(RLE, [frame]))


@case("24")
def fragments(place: Place) -> None:
    place.edit(lambda f: f.compress(J2K, [b"\xff\x4f"] * 200_000), [3])


@case("25a", "25b")
def elements(place: Place) -> None:
    if place.letter == "a":  # in one private group after another
        more = [Element(group << 16 | n, b"LO", b"ab") for group in range(0x29, 0x35, 2) for n in range(0x1000, 0x9200)]
    else:  # in a sequence that does not say how long it is
        inner = b"".join(Element(0x00290000 | n, b"LO", b"ab").coded() for n in range(0x1000, 0xFFFF))
        held = item(inner + delimiter(ITEM_END), UNDEFINED) * 4 + delimiter(SEQUENCE_END)
        more = [Element(0x00291010, b"SQ", held, UNDEFINED)]
    place.edit(lambda f: f.body.__setitem__(slice(-1, -1), more), [3])


@case("26a", "26b", "26c")
def nesting(place: Place) -> None:
    tag, depth = 0x00400275, 50_000 if place.letter == "b" else 500
    if place.letter == "c":  # of stated length: skipped by whoever wants none of it
        made = Element(tag, b"SQ", item(b""))
        for _ in range(depth):
            made = Element(tag, b"SQ", item(made.coded()))
    else:
        start = Element(tag, b"SQ", item(b"", UNDEFINED), UNDEFINED).coded()
        end = delimiter(ITEM_END) + delimiter(SEQUENCE_END)
        made = Element(tag, b"SQ", item(b"", UNDEFINED) + start * depth + end * depth + end, UNDEFINED)
    place.edit(lambda f: f.body.insert(-1, made), [3])


@case("27a", "27b", "28", "29")
def lengths(place: Place) -> None:
    made = {
        "27a": Element(0x00081030, b"UT", b"abdomen", 0xFFFFFFFE),
        "27b": Element(0x00080008, b"UT", b"ORIGINAL", 0xFFFFFFFE),
        "28": Element(0x00081140, b"SQ", item(Element(0x00081150, b"UI", b"1.2.3\0").coded(), UNDEFINED), UNDEFINED),
        "29": Element(0x00081140, b"SQ", item(Element(0x00081150, b"UI", b"1.2.3\0").coded()), 10**6),
    }[place.number]

    def change(content: File) -> None:
        content.body = sorted([e for e in content.body if e.tag != made.tag] + [made], key=lambda e: e.tag)

    place.edit(change, [3])


@case("30a", "30b", "30c")
def pixel_length(place: Place) -> None:
    factor = {"a": 10, "b": 1, "c": 1}[place.letter]
    held = image()[3].tobytes() * factor
    if place.letter == "b":
        held = held[:-30]
    place.edit(lambda f: f.put(PIXEL_DATA, b"OW", held), [3])
    if place.letter == "c":
        place.edit_file(place.seg, lambda f: f.put(PIXEL_DATA, b"OB", f.value(PIXEL_DATA)[:2]))


@case("31a", "31b", "32a", "32b")
def nifti_size(place: Place) -> None:
    place.voxels()
    path = place.pre / "image.nii.gz"
    if place.number == "31a":
        path.write_bytes(gzip.compress(nifti_header([32767] * 3, np.dtype("<i2")) + image().tobytes()))
    elif place.number == "31b":
        path.unlink()
        (place.pre / "image.nii").write_bytes(nifti_header([600] * 3, np.dtype("<f4")) + image().tobytes())
    else:
        sizes, kind = ([1000, 1000, 1200], "u1") if place.letter == "a" else (SHAPE[::-1], "<i2")
        start = nifti_header(sizes, np.dtype(kind)) + (b"" if place.letter == "a" else image().tobytes())
        path.write_bytes(zeros_deflated(1200, zlib.MAX_WBITS | 16, start))


@case("33a", "33b", "33c", "33d")
def nrrd_size(place: Place) -> None:
    place.voxels()
    (place.pre / "tumour.nii.gz").unlink()
    path, held = place.pre / "tumour.nrrd", tumour().astype("u1").tobytes()
    if place.letter == "a":
        path.write_bytes(nrrd_header([100_000] * 3) + held)
    elif place.letter == "b":
        path.write_bytes(nrrd_header([700, 700, 700], "raw", "float") + held)
    elif place.letter == "c":
        path.write_bytes(nrrd_header(SHAPE[::-1], "gzip") + zeros_deflated(1600, zlib.MAX_WBITS | 16, held))
    else:
        packer = bz2.BZ2Compressor()
        packed = packer.compress(held) + packer.compress(bytes(200 * MEGABYTE)) + packer.flush()
        path.write_bytes(nrrd_header(SHAPE[::-1], "bzip2") + packed)


@case("34a", "34b", "34c", "34d")
def archives(place: Place) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("../../../../tmp/owned.txt", "slipped")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        with archive.open("bomb", "w", force_zip64=True) as stream:
            for _ in range(64):
                stream.write(bytes(MEGABYTE))
    inner = held.getvalue()
    for _ in range(3):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.zip", inner)
        inner = outer.getvalue()
    (place.pre / "images.zip").write_bytes(held.getvalue())
    (place.pre / "nested.zip").write_bytes(inner)
    if place.letter == "b":
        shutil.copy(place.pre / "images.zip", place.pre / "ct" / "images.dcm")
    if place.letter == "c":
        place.call(pre="pre/images.zip")
    if place.letter == "d":
        place.case_file('[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "pre/images.zip"\n')


def segment(number: int) -> bytes:
    """Return a described segment, no more than its number."""
    return item(Element(0x00620004, b"US", us(number)).coded())


@case("35a", "35b", "35c", "35d")
def many_parts(place: Place) -> None:
    def change(content: File) -> None:
        if place.letter == "a":
            content.put(0x00620002, b"SQ", b"".join(map(segment, range(1, 65_536))))
            return
        many = item(b"") * 1_000_000
        if place.letter == "c":
            many = item(delimiter(ITEM_END), UNDEFINED) * 1_000_000 + delimiter(SEQUENCE_END)
        content.put(0x52009230, b"SQ", many, UNDEFINED if place.letter == "c" else None)
        if place.letter != "d":
            content.put(0x00280008, b"IS", b"1000000")

    place.edit_file(place.seg, change)


def rtstruct(path: Path, contours: list[bytes], kind: bytes = b"CLOSED_PLANAR", name: bytes = b"Tumour") -> None:
    """Write a structure set with one region, each contour as the text of its numbers."""
    source = datasets("pre")[0]
    meta = [(0x00020001, b"OB", b"\0\1"), (0x00020002, b"UI", b"1.2.840.10008.5.1.4.1.1.481.3"),
            (0x00020003, b"UI", b"1.2.3.4"), (TRANSFER_SYNTAX, b"UI", b"1.2.840.10008.1.2")]  # fmt: skip
    content = File()
    for tag, vr, value in meta:
        content.put(tag, vr, value)

    def plain(tag: int, value: bytes, length: int | None = None) -> bytes:
        """Return an element in implicit VR, where a text may be longer than 64 kB."""
        value += b" " * (len(value) % 2)
        return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value

    def text(value: str) -> bytes:
        return value.encode() + b"\0" * (len(value) % 2)

    frame = plain(0x00200052, text(source.FrameOfReferenceUID))
    series = plain(0x0020000E, text(source.SeriesInstanceUID))
    study = plain(0x30060012, item(plain(0x30060014, item(series))))
    drawn = b"".join(item(plain(0x30060042, kind) + plain(0x30060046, str(c.count(b"\\") // 3 + 1).encode()) + plain(0x30060050, c)) for c in contours)  # fmt: skip  # noqa: E501
    body = plain(0x00080016, text("1.2.840.10008.5.1.4.1.1.481.3")) + plain(0x00080018, text("1.2.3.4"))
    body += plain(0x00080060, b"RTSTRUCT") + plain(0x00100020, b"INV-1") + plain(0x0020000E, text("1.2.3.5"))
    body += plain(0x30060010, item(frame + study))
    body += plain(0x30060020, item(plain(0x30060022, b"1") + plain(0x30060024, text(source.FrameOfReferenceUID)) + plain(0x30060026, name)))  # fmt: skip  # noqa: E501
    body += plain(0x30060039, item(plain(0x30060040, drawn) + plain(0x30060084, b"1")))
    path.write_bytes(b"\0" * 128 + b"DICM" + content.coded_meta() + body)


def square(k: float, low: float = 2.5, high: float = 4.5) -> np.ndarray:
    """Return a square contour on slice k, LPS mm."""
    ij = np.asarray([(low, low), (high, low), (high, high), (low, high)])
    return (affine() @ np.column_stack([ij, np.full(4, k), np.ones(4)]).T).T[:, :3]


def as_text(points: np.ndarray) -> bytes:
    """Return points as an element holds them."""
    return "\\".join(f"{v:.6g}" for v in points.ravel()).encode()


@case("36a", "36b")
def many_points(place: Place) -> None:
    place.seg.unlink()
    one = [b"1\\" * (3 * 10**7 - 1) + b"1"]  # ten million points of one digit each: 60 MB, the corpus's largest file
    rtstruct(place.pre / "rs.dcm", one if place.letter == "a" else [as_text(square(3))] * 300_000)
