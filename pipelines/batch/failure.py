"""Why a case failed, in words that hold no patient data."""

from __future__ import annotations

import re
import signal
from dataclasses import asdict, dataclass

LONGEST_TEXT = 500

_OURS = re.compile(r"error \[([a-z0-9-]{1,40})\]: (.+)")
_BUG = re.compile(r"(?:bug: )?([A-Za-z_][A-Za-z0-9_.]*)(?::|;|$)")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case has no result.

    Parameters
    ----------
    case_id
        The case.
    code
        A word to group by: that of the error, or bug, killed, timeout, no-result, not-started.
    text
        One sentence.
    exit_code
        What the child exited with; 128 + its number where a signal ended it; None where it never ran or was ended at
        its time limit.
    seconds
        How long it ran.
    attempts
        How often the case has failed, this time included.
    """

    case_id: str
    code: str
    text: str
    exit_code: int | None
    seconds: float
    attempts: int

    def document(self) -> dict[str, object]:
        """Return the content of `failure.json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reason:
    """A word to group failures by, and a sentence."""

    code: str
    text: str


def reason_of(exit_code: int, said: str) -> Reason:
    """Return why a child ended as it did, from its exit code (negative: a signal) and what it said on stderr.

    Only our own one-line errors are quoted: what a library says may name files or patients.
    """
    if exit_code < 0:
        return Reason("killed", f"its process was ended by {_signal(-exit_code)}{_guess(-exit_code)}")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for line in reversed(lines):
        found = _OURS.fullmatch(line)
        if found:
            return Reason(found[1], _printable(found[2]))
    if exit_code == 0:
        return Reason("no-result", "its process ended well but left no result")
    if exit_code == 130:
        return Reason("interrupted", "its process was interrupted from outside")
    return Reason("bug", _bug(lines[-1] if lines else "", exit_code))


def _bug(last: str, exit_code: int) -> str:
    found = _BUG.match(last)
    kind = found[1] if found and found[1].endswith(("Error", "Exception", "Warning")) else f"exit code {exit_code}"
    return f"{kind}; run `ablation review` on this case alone for its origin"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _guess(number: int) -> str:
    return " (out of memory?)" if _signal(number) == "SIGKILL" else ""


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:LONGEST_TEXT]
