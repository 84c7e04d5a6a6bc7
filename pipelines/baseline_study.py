"""The study from before PRE that a case file names: read like PRE, and held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.case_file import CaseFile
from pipelines.formats.voxel_file import safe_name
from pipelines.ports import Observe
from pipelines.study import StudyIntake, read_study
from planner.case import Study
from planner.caution import Caution
from planner.errors import InputError, located


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """The baseline study as read, None where there is none, with notes, cautions and the SHA-256 of its files."""

    study: Study | None = None
    notes: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)


def read_baseline(stated: CaseFile, pre: StudyIntake, observe: Observe, *, any_patient: bool) -> Earlier:
    """Return the baseline study of a case file.

    Parameters
    ----------
    stated
        The case file.
    pre
        PRE as read: the baseline has to be of the same patient.
    observe
        Told what is read.
    any_patient
        Whether a study of another patient is read with a caution instead of refused.

    Raises
    ------
    InputError
        It cannot be used as it is, or states another patient than PRE.
    """
    path = stated.path_of("baseline")
    if path is None:
        return Earlier()
    observe("reading BASELINE", 1.0)
    with located(f".../{safe_name(path)}"):
        found = read_study(path, "baseline", stated, lambda what, _done: observe(what, 1.0))
    cautions = list(found.cautions)
    if found.patient and pre.patient and found.patient != pre.patient:
        said = "BASELINE and PRE state different patients (PatientID)"
        if not any_patient:
            raise InputError(f"{said}, expected one patient; if both are of one, --allow-different-patients",
                             code="different-patients")  # fmt: skip
        cautions.append(Caution("different-patients", f"{said}: unless both are of one patient, nothing has vanished"))
    days = found.study.scanned_on, pre.study.scanned_on
    if days[0] is not None and days[1] is not None and days[0] > days[1]:
        cautions.append(Caution("baseline-after-pre", "BASELINE was scanned after PRE: are the two swapped?"))
    sha256 = {f"baseline/{name}": value for name, value in found.sha256.items()}
    return Earlier(found.study, tuple(f"BASELINE: {n}" for n in found.study.notes), tuple(cautions), sha256)
