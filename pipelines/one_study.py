"""One study of a case: read from where the call or the case file says."""

from __future__ import annotations

from pathlib import Path

from pipelines.case_file import CaseFile
from pipelines.case_tables import StudyName
from pipelines.formats.voxel_file import safe_name
from pipelines.study import Progress, StudyIntake, read_study
from planner.errors import UsageError, located


def study_of(
    name: StudyName, path: Path | None, stated: CaseFile, observe: Progress, *, with_identity: bool
) -> StudyIntake:
    """Return a study; the case file's `path` wins over that of the call.

    Raises
    ------
    UsageError
        Neither gives a path.
    InputError
        As `read_study`.
    """
    found = stated.path_of(name) or path
    if found is None:
        raise UsageError(f"{name.upper()}: no folder given, neither in the call nor in the case file")
    observe(f"reading {name.upper()}", 0.0)
    with located(f".../{safe_name(found)}"):
        return read_study(found, name, stated, observe, with_identity=with_identity)
