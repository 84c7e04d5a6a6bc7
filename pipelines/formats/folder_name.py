"""Whether a case id can name a folder on any file system."""

from __future__ import annotations

LONGEST_ID = 100

_NOT_IN_A_NAME = frozenset('/\\:*?"<>|')
"""Characters that some file system takes for something else."""

_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))})
"""Names that Windows keeps for itself."""


def id_fault(case_id: str) -> str:
    """Return why a case id cannot name a folder, or "" where it can."""
    if not case_id:
        return "is empty"
    if not case_id.isprintable():
        return "holds a control character"
    if _NOT_IN_A_NAME & set(case_id):
        return f"holds one of {' '.join(sorted(_NOT_IN_A_NAME))}, which cannot be in a folder's name"
    if case_id.startswith(".") or case_id.endswith("."):
        return "begins or ends with a full stop"
    if len(case_id.encode("utf-8", "replace")) > LONGEST_ID:
        return f"is longer than {LONGEST_ID} bytes"
    return "is a name that Windows keeps for itself" if case_id.split(".", maxsplit=1)[0].lower() in _DEVICES else ""
