"""The regular files below a folder, and what of it is not read."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines.limits import real
from planner.caution import Caution
from planner.errors import InputError, quoted

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
"""Ends of names that promise DICOM."""

_KINDS = (
    (stat.S_ISFIFO, "pipes"),
    (stat.S_ISSOCK, "sockets"),
    (stat.S_ISCHR, "devices"),
    (stat.S_ISBLK, "devices"),
)
_FILE, _OUTSIDE = "file", "outside"


@dataclass(frozen=True, slots=True)
class Found:
    """The regular files below a folder, in the order of their paths, and sentences on what is not read.

    `outside` are links in place of files that lead out of the folder, or nowhere.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...]
    outside: tuple[Path, ...] = ()

    def require_inside(self) -> None:
        """Raise where a link in place of a file leads out of the folder: what it leads to may be another patient's.

        Raises
        ------
        InputError
            One does.
        """
        if self.outside:
            raise InputError(
                f"{len(self.outside)} of its files are links that lead out of the folder or nowhere, expected the files"
                " themselves (copy the study with its links followed)",
                code="link-outside",
                where=quoted(self.outside[0].name),
            )


def look_below(folder: Path) -> Found:
    """Return what lies below `folder`; links to folders are not followed.

    Raises
    ------
    InputError
        A folder in it cannot be listed.
    """
    files, outside, root = [], [], os.path.realpath(folder)
    unread: Counter[str] = Counter()
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        unread["links to folders"] += sum(Path(parent, name).is_symlink() for name in folders)
        for name in names:
            path = Path(parent, name)
            what = _what(path, root)
            if what == _FILE:
                files.append(path)
            elif what == _OUTSIDE:
                outside.append(path)
            else:
                unread[what] += 1
    notes = (f"{n} {what} in the folder were not followed or read" for what, n in sorted(unread.items()) if n)
    return Found(tuple(sorted(files)), tuple(notes), tuple(sorted(outside)))


def regular_files(folder: Path) -> list[Path]:
    """Return the regular files below `folder`.

    Raises
    ------
    InputError
        A folder in it cannot be listed, or a link in place of a file leads out of it, or nowhere.
    """
    found = look_below(folder)
    found.require_inside()
    return list(found.files)


def cautions_of_files(others: Iterable[Path]) -> tuple[Caution, ...]:
    """Return that some of the files that are not DICOM are named as if they were: they may be slices that were lost."""
    lost = [p for p in others if p.suffix.lower() in DICOM_SUFFIXES and not p.name.startswith(".")]
    empty = sum(not p.stat().st_size for p in lost)
    said = f"{len(lost)} files are named as DICOM and are none ({empty} of them empty): slices may be missing"
    return (Caution("damaged-files", said),) if lost else ()


def _what(path: Path, root: str) -> str:
    """Return what a path is: a file in the folder, a link out of it, or something that is not read."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return _OUTSIDE if path.is_symlink() else "entries"
    if stat.S_ISREG(mode):
        inside = not path.is_symlink() or real(path).is_relative_to(root)
        return _FILE if inside else _OUTSIDE
    return next((called for is_kind, called in _KINDS if is_kind(mode)), "other entries")


def _refuse(error: OSError) -> None:
    raise InputError(
        f"a folder in it cannot be read ({error.strerror})",
        code="unreadable",
        where=quoted(Path(str(error.filename)).name),
    ) from error
