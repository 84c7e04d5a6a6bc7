"""One folder per case, whole or not at all: `result.json` comes last, and without it a folder is not done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.ports import Pages, Review
from pipelines.store.plan_names import clear_plan, plan_files
from pipelines.store.post_folders import clear_posts
from pipelines.store.result import result_bytes, result_document
from pipelines.store.spatial import margin_map_bytes, nifti_bytes, tumours_in_post, write_transform
from planner.errors import OutputError

RESULT = "result.json"
LOG = "log.txt"
FILES = ("report.html", "report.pdf", "tumour_registered.nii.gz", "margin_map.vtp", "transform.h5")
"""What a review leaves beside its result and log."""

_UNFINISHED = ".unfinished"


def _no_log() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class FolderStore:
    """Keeps a review in a folder.

    Parameters
    ----------
    out
        The folder; it is made where it is absent. Files of other names in it are left alone.
    log
        Gives the text of `log.txt` when it is written.
    """

    out: Path
    log: Callable[[], str] = _no_log

    def prepare(self) -> None:
        """Make the folder, take back an earlier result, and see that files can be written: before any long work.

        Raises
        ------
        OutputError
            The folder cannot be made or written.
        """
        with as_output_error(self.out):
            _require_text(self.out)
            self._clear()
            self.stage.mkdir(parents=True)
            write_file(self.stage / RESULT, b"{}\n")
            shutil.rmtree(self.stage)

    def put(self, review: Review, pages: Pages) -> None:
        """Keep the review whole, or leave nothing but `log.txt`.

        Raises
        ------
        OutputError
            The folder cannot be made or written.
        """
        self.keep(lambda: self._fill(review, pages))

    def keep(self, fill: Callable[[], None]) -> None:
        """Keep what `fill` writes into the stage whole, or leave nothing but `log.txt`.

        Raises
        ------
        OutputError
            The folder cannot be made or written.
        """
        try:
            with as_output_error(self.out):
                self._clear()
                self.stage.mkdir(parents=True)
                fill()
                self._publish()
        except BaseException:
            # Interrupts too: a half-written case must not look like anything.
            self.abandon()
            raise

    def abandon(self) -> None:
        """Leave nothing of ours but `log.txt`; what cannot be removed or written is left to the error under way."""
        try:
            self._clear()
            if self.out.is_dir():
                write_file(self.out / LOG, self.log().encode("utf-8"))
        except OSError:
            return

    @property
    def stage(self) -> Path:
        """Return the hidden folder in which a result is made up."""
        return self.out / _UNFINISHED

    def _clear(self) -> None:
        """Remove what an earlier run left, its result first, so that the folder is "not done" from here on."""
        clear_plan(self.out, self.out / RESULT)
        for name in (RESULT, *FILES, LOG):
            (self.out / name).unlink(missing_ok=True)
        clear_posts(self.out, (RESULT, *FILES, LOG))
        self.clear_stage()

    def clear_stage(self) -> None:
        """Remove the hidden folder."""
        if self.stage.is_dir():
            shutil.rmtree(self.stage)

    def _fill(self, review: Review, pages: Pages) -> None:
        stage, case, assessment = self.stage, review.intake.case, review.assessment
        moved = assessment.alignment.map
        write_report(stage, pages)
        write_file(stage / "tumour_registered.nii.gz", nifti_bytes(tumours_in_post(case, moved), case.post.image.grid))
        surfaces = margin_map_bytes(assessment)
        if surfaces is not None:
            write_file(stage / "margin_map.vtp", surfaces)
        write_transform(moved, stage / "transform.h5")
        write_file(stage / LOG, self.log().encode("utf-8"))
        write_file(stage / RESULT, result_bytes(result_document(review)))

    def _publish(self) -> None:
        """Move the files into place, the result last."""
        for name in (*FILES, LOG, *plan_files(self.stage)):
            if (self.stage / name).exists():
                (self.out / name).parent.mkdir(exist_ok=True)
                (self.stage / name).replace(self.out / name)
        sync_folder(self.out)
        (self.stage / RESULT).replace(self.out / RESULT)
        sync_folder(self.out)
        self.clear_stage()


def write_report(stage: Path, pages: Pages) -> None:
    """Write a report into a folder: the page, and the PDF where there is one.

    Raises
    ------
    OSError
        A file cannot be written.
    """
    write_file(stage / "report.html", pages.html.encode("utf-8"))
    if pages.pdf is not None:
        write_file(stage / "report.pdf", pages.pdf)


def _require_text(out: Path) -> None:
    """Raise where a path is no text: a library that we write with ends the process over it."""
    try:
        str(out.absolute()).encode("utf-8")
    except UnicodeEncodeError as error:
        raise OutputError("OUT: its path holds bytes that are not UTF-8, expected a path of text") from error


@contextmanager
def as_output_error(out: Path) -> Iterator[None]:
    """Turn an error of the operating system into one clear line about OUT."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"OUT: {out}: cannot be written: {reason}") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file, and see it on the disk."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folder(path: Path) -> None:
    """Make renames last through a power cut, where the system can open folders."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
