"""What an index of a tree keeps of its files: plain values without any name, id, birth date, UID or free text.

UIDs stand as marks (`uid_mark`), PatientID as its keyed hash, descriptions as the words that rules know. Nothing here
imports pydicom: a tree that is read from the cache needs none of it.
"""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float, float, float]
"""Least x, y, z and greatest x, y, z: LPS, mm."""


@dataclass(frozen=True, slots=True)
class Part:
    """One segment of a SEG, or one region of an RTSTRUCT.

    `role` is a structure, `tumour`, `ablation`, or empty; `lesion` the number that its label states, 0 where it states
    none; `unclear` says that it speaks of a tumour or a zone without saying which.
    """

    segment: int
    role: str
    lesion: int = 0
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What the files of one series share.

    Parameters
    ----------
    kind
        image, localizer, seg, rtstruct, other (DICOM that is not read), none (no DICOM) or broken.
    modality
        As stated.
    patient
        Keyed hash of PatientID and issuer, empty where there is no id.
    check
        Two digits that tell most persons of one PatientID apart; empty where birth date and sex are.
    study, series, frame
        Marks of StudyInstanceUID, SeriesInstanceUID, FrameOfReferenceUID; empty where there is none.
    date, acquired
        StudyDate (else SeriesDate) and AcquisitionDate as YYYYMMDD, empty where missing or no date.
    contrast_s
        ContrastBolusStartTime, seconds after midnight; -1 where unknown.
    modified
        Whether it says that its dates were modified or removed.
    words
        What its descriptions say of those that rules know.
    phase, phase_rule
        Contrast phase, and where it was read; empty where nothing says it.
    original, reformatted
        Whether ImageType says ORIGINAL, and whether anything says it is a reformat or projection.
    orientation
        ImageOrientationPatient; empty where unknown.
    spacing_mm
        PixelSpacing: between rows, between columns; empty where unknown.
    rows, columns, frames
        Size, and the number of frames of a multi-frame file (0: single).
    references, frames_of_reference
        Of masks: marks of the series they reference, and of the frames of reference they lie in.
    parts, sha256, box
        Of masks: what they hold, their bytes' hash, and where they lie (empty: not read, as a reference decides).
    """

    kind: str
    modality: str = ""
    patient: str = ""
    check: str = ""
    study: str = ""
    series: str = ""
    frame: str = ""
    date: str = ""
    acquired: str = ""
    contrast_s: float = -1.0
    modified: bool = False
    words: tuple[str, ...] = ()
    phase: str = ""
    phase_rule: str = ""
    original: bool = False
    reformatted: bool = False
    orientation: tuple[float, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    rows: int = 0
    columns: int = 0
    frames: int = 0
    references: tuple[str, ...] = ()
    frames_of_reference: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    sha256: str = ""
    box: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """A file below the root: path relative to it, what it shares with its series, and what is its own.

    `size` is in bytes, `sop` the mark of SOPInstanceUID, `origin_mm` ImagePositionPatient (empty where unknown),
    `time_s` when it was acquired, in seconds after midnight (-1 where unknown).
    """

    path: str
    size: int
    head: Head
    sop: str = ""
    origin_mm: tuple[float, ...] = ()
    time_s: float = -1.0


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree as indexed.

    Parameters
    ----------
    root
        Absolute path.
    files
        In the order of their paths.
    unread_folders
        How many folders could not be listed.
    read
        How many files were opened; the others came from the cache.
    cache
        What became of the cache: "", or why it was not written.
    passed_over
        How many entries are no files that can be opened: pipes, devices, links that lead nowhere.
    ended
        How many files ended the process that read them: by a crash, by memory, or by no progress.
    """

    root: str
    files: tuple[File, ...]
    unread_folders: int
    read: int
    cache: str = ""
    passed_over: int = 0
    ended: int = 0

    def of_kind(self, *kinds: str) -> tuple[File, ...]:
        """Return the files of these kinds."""
        return tuple(f for f in self.files if f.head.kind in kinds)

    def broken(self) -> tuple[int, ...]:
        """Return the numbers, from 1 in the order of paths, of files that begin as DICOM does and cannot be read on."""
        return tuple(n for n, f in enumerate(self.files, start=1) if f.head.kind == "broken")
