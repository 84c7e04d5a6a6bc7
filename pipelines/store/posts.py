"""The folder of a case with several posts: whole or not at all, as that of one is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.store.folder import FILES, LOG, RESULT, FolderStore, as_output_error, sync_folder, write_file
from pipelines.store.post_folders import post_folders
from pipelines.store.result import result_bytes
from planner.errors import InputError, OutputError

REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class PostsStore:
    """Keeps several reviews of one case in a folder each, and their common report above them.

    Until all are done they lie in a hidden folder: what is interrupted looks like nothing.

    Parameters
    ----------
    out
        The folder of the case.
    log
        Gives the text of `log.txt` when it is written.
    """

    out: Path
    log: Callable[[], str]

    def prepare(self, inputs: Mapping[str, Path]) -> None:
        """Make the folder, take back an earlier result, and see that nothing else lies where the posts are to go.

        Raises
        ------
        planner.errors.InputError
            An input, by what it is called, lies there.
        planner.errors.OutputError
            The folder cannot be made or written, or a result of another review lies there.
        """
        places = [self.out.resolve() / f"post_{number}" for number in range(1, len(inputs) + 1)]
        for name, path in inputs.items():
            if any(path.resolve().is_relative_to(place) for place in places):
                text = f"{name}: lies in OUT where the result of a post is to go, expected it elsewhere"
                raise InputError(text, code="input-in-output")
        self._whole().prepare()
        for folder in post_folders(self.out):
            if any((folder / name).exists() for name in (RESULT, *FILES)):
                raise OutputError(f"OUT: {self.out}: {folder.name} there holds another result, expected no such folder")

    def of_post(self, number: int, log: Callable[[], str]) -> FolderStore:
        """Return where one post's review goes until all are done."""
        return FolderStore(self._whole().stage / f"post_{number}", log)

    def put(self, document: Mapping[str, Any], report_html: str, folders: tuple[str, ...]) -> None:
        """Keep the common report with the reviews in `folders`, or leave nothing but `log.txt`.

        Raises
        ------
        planner.errors.OutputError
            They cannot be written.
        """
        stage = self._whole().stage
        try:
            with as_output_error(self.out):
                write_file(stage / REPORT, report_html.encode("utf-8"))
                write_file(stage / LOG, self.log().encode("utf-8"))
                write_file(stage / RESULT, result_bytes(document))
                for folder in folders:
                    self._publish(stage / folder, (*FILES, LOG, RESULT))
                self._publish(stage, (REPORT, LOG, RESULT))
                self._whole().clear_stage()
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Leave nothing of ours but `log.txt`."""
        self._whole().abandon()

    def _whole(self) -> FolderStore:
        return FolderStore(self.out, self.log)

    def _publish(self, stage: Path, names: tuple[str, ...]) -> None:
        """Move files out of the hidden folder, the result last."""
        place = self.out / stage.relative_to(self._whole().stage)
        place.mkdir(exist_ok=True)
        for name in names:
            if name == RESULT:
                sync_folder(place)
            if (stage / name).exists():
                (stage / name).replace(place / name)
        sync_folder(place)
