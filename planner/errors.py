"""What can go wrong, and whose move it is.

::

    PlannerError                    exit code
    ├── InputError                  3   the study, mask or case file must change
    │   ├── FrameMismatchError      3   two things of different frames of reference, no transform between them
    │   ├── EmptyMaskError          3   a mask that must hold something holds nothing
    │   ├── AmbiguousInputError     3   several candidates and nothing that chooses
    │   └── RegistrationInputError  3   two studies that no method can align (no overlap, constant image)
    ├── EvidenceError               3   a rule, model or constant is malformed
    ├── UsageError                  2   the call itself is wrong
    └── OutputError                 5   the result cannot be written

Messages name the thing, what was found and what was expected, and never hold patient data. What may hold some but
helps to find the thing (the name of a file) is `where`: shown at the terminal, never written to disk; what stood inside
a file (a label) is `private` in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_QUOTE = 40


def on_one_line(text: str) -> str:
    """Return text in which every character that is not printable is a question mark: an error is one line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


class PlannerError(Exception):
    """Base of every error that this project raises on purpose."""

    exit_code = 1
    code = "error"

    def __init__(self, message: str, *, code: str | None = None, where: str = "") -> None:
        super().__init__(on_one_line(message))
        self.where = where
        if code is not None:
            self.code = code


class InputError(PlannerError, ValueError):
    """The study, mask or case file cannot be used as it is."""

    exit_code = 3
    code = "unreadable"


class FrameMismatchError(InputError):
    """Two things lie in different frames of reference and nothing relates them."""

    code = "frame-mismatch"


class EmptyMaskError(InputError):
    """A mask that must hold something holds nothing."""

    code = "empty-mask"


class AmbiguousInputError(InputError):
    """Several candidates fit and nothing says which one is meant."""

    code = "ambiguous"


class RegistrationInputError(InputError):
    """Two studies hold nothing by which they could be aligned."""

    code = "cannot-register"


class EvidenceError(PlannerError, ValueError):
    """A rule, model or constant is malformed."""

    exit_code = 3
    code = "evidence"


class UsageError(PlannerError, ValueError):
    """The call itself is wrong."""

    exit_code = 2
    code = "usage"


class OutputError(PlannerError, OSError):
    """The result cannot be written where it was asked for."""

    exit_code = 5
    code = "output"

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


def quoted(name: str) -> str:
    """Return a name that somebody typed, for `where`: in quotes, on one line, printable, of bounded length."""
    return f"'{''.join(c if c.isprintable() else '?' for c in name[:LONGEST_QUOTE])}'"


def private(text: str) -> str:
    """Return text that stood inside a file, for `where`: it may be the patient's, and is shown on request only."""
    return f"⦃{re.sub('[⦃⦄]', '?', text)}⦄"


def shown_where(where: str, *, phi: bool) -> str:
    """Return a place as it is shown: what is `private` in it in brackets, or left out."""
    return re.sub("⦃(.*?)⦄", r"(\1)", where) if phi else re.sub(" *⦃.*?⦄", "", where)


@contextmanager
def located(where: str) -> Iterator[None]:
    """Let an error that is raised within say where it arose, unless it knows that better."""
    try:
        yield
    except PlannerError as error:
        error.where = error.where or where
        raise
