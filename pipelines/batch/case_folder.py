"""One case's folder as the batch sees it: not done, done on the same grounds, or failed.

`batch.json` holds the key and is written before the child starts, `result.json` comes from the child, last; so a result
beside an equal key was made on these grounds, whenever the driver or the child was killed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.batch.failure import Failure, Reason
from pipelines.store.atomic import write_atomically
from pipelines.store.folder import RESULT

FAILURE = "failure.json"
KEY = "batch.json"


@dataclass(frozen=True, slots=True)
class KnownResult:
    """What the result in a folder is known to say without being read: whether it is whole, and its remarks."""

    whole: bool
    remarks: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class CaseFolder:
    """The folder of a case; `known` stands for its result until the case is begun again."""

    path: Path
    known: KnownResult | None = None

    def is_finished(self, key: str) -> bool:
        """Return whether a whole result lies here that rests on the same grounds."""
        return self.has_result() and _document(self.path / KEY).get("key") == key

    def has_result(self) -> bool:
        """Return whether a whole result lies here."""
        if self.known is not None:
            return self.known.whole
        return known_result(_document(self.path / RESULT)).whole

    def begin(self, key: str) -> None:
        """Take back what rests on other grounds and note those of the run to come.

        Raises
        ------
        OSError
            The folder cannot be made or written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / RESULT).unlink(missing_ok=True)
        write_atomically(self.path / KEY, _bytes({"key": key}))

    def succeeded(self) -> None:
        """Forget an earlier failure; one that cannot be removed is outweighed by the result beside it."""
        try:
            (self.path / FAILURE).unlink(missing_ok=True)
        except OSError:
            return

    def attempts(self) -> int:
        """Return how often this case has failed so far."""
        attempts = _document(self.path / FAILURE).get("attempts", 0)
        return attempts if isinstance(attempts, int) else 0

    def remarks(self) -> tuple[Reason, ...]:
        """Return what the result says of the case as a whole: cautions, and why nothing could be assessed."""
        if self.known is not None:
            return self.known.remarks
        return known_result(_document(self.path / RESULT)).remarks

    def failed(self, failure: Failure) -> str:
        """Keep why the case failed; return why that could not be written, "" where it was."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / RESULT).unlink(missing_ok=True)
            write_atomically(self.path / FAILURE, _bytes(failure.document()))
        except OSError as error:
            return error.strerror or type(error).__name__
        return ""


def known_result(document: Mapping[str, Any]) -> KnownResult:
    """Return what a result says of its case as a whole."""
    found = document.get("reasons")
    reasons = [reason for reason in found if isinstance(reason, dict)] if isinstance(found, list) else []
    remarks = tuple(Reason(str(reason.get("code")), str(reason.get("text"))) for reason in reasons)
    return KnownResult(bool(document.get("status")), remarks)


def _document(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one where there is none, or half of one."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _bytes(document: dict[str, object]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
