"""The planning scan of a plan: PRE alone, with what the case file says of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.case_file import CaseFile, read_case_file
from pipelines.case_tables import StudyName
from pipelines.earlier_review import left_by, with_left
from pipelines.formats.voxel_file import safe_name
from pipelines.limits import is_folder, real
from pipelines.one_study import study_of
from pipelines.ports import Identity, Intake, Observe
from pipelines.stated_days import stated_facts
from planner.case import Case
from planner.errors import InputError, located
from planner.timing import timing_of

EARLIER_ZONES = "PRE holds ablation zones: they are of an earlier treatment, and no part of the plan"
NO_BASELINE = "the case file names a baseline study: a plan does not look at it"
NO_PATIENT = "the study states no patient: the patient key is the case id"


@dataclass(frozen=True, slots=True)
class PlanSource:
    """A case before its ablation.

    Parameters
    ----------
    pre
        The planning scan; the case file's `path` wins over it.
    case_file, case_id
        As of `FolderSource`.
    with_identity
        Whether to return who the study is of (`--phi`).
    earlier
        The folder of a finished review: `pre` is then its POST, and what its zones leave is planned; else None.
    """

    pre: Path | None
    case_file: Path | None = None
    case_id: str = "case"
    with_identity: bool = False
    earlier: Path | None = None

    def read(self, observe: Observe) -> Intake:
        """Return the case; the planning scan is its `pre`, and stands for `post` until zones are planned on it.

        Raises
        ------
        planner.errors.InputError
            The study, a mask or the case file cannot be used as it is.
        """
        stated = self._stated()
        with located(safe_name(self.case_file) if self.case_file is not None else ""):
            facts = stated_facts(stated, 1)
        case_id = stated.case.id or self.case_id
        name: StudyName = "pre" if self.earlier is None else "post"
        pre = study_of(name, self.pre, stated, observe, with_identity=self.with_identity)
        notes = [f"fact '{name}' is empty in the case file: not entered" for name in stated.empty_facts]
        notes += [] if pre.patient else [NO_PATIENT]
        notes += [EARLIER_ZONES] if pre.study.ablations and self.earlier is None else []
        notes += [NO_BASELINE] if stated.baseline is not None else []
        timing = timing_of(pre.study.scanned_on, None, facts)
        case = Case(
            case_id, pre.patient or case_id, pre.study, pre.study, {}, facts, tuple(notes), pre.cautions, timing
        )
        sha256 = {f"{name}/{role}": value for role, value in pre.sha256.items()}
        if stated.sha256:
            sha256["case.toml"] = stated.sha256
        identities: dict[str, Identity] = {} if pre.identity is None else {name: pre.identity}
        observe("study read", 1.0)
        if self.earlier is None:
            return Intake(case, sha256, identities=identities)
        left = left_by(self.earlier, pre)
        return Intake(with_left(case, left), sha256, identities=identities, kept=left.kept)

    def require_outside(self, out: Path, *others: Path | None) -> None:
        """Raise where `out` is the folder of PRE or lies in it, or where another input lies in `out`.

        Raises
        ------
        planner.errors.InputError
            It does.
        """
        stated = CaseFile()
        with suppress(InputError):
            stated = self._stated()
        pre = stated.path_of("pre") or self.pre
        if pre is not None and is_folder(pre) and real(out).is_relative_to(real(pre)):
            raise InputError("OUT is PRE or lies in it, expected a folder outside", code="output-in-input")
        if self.earlier is not None and real(out) == real(self.earlier):
            raise InputError("OUT is the folder of the review, expected another", code="output-in-input")
        for path in others:
            if path is not None and real(path).is_relative_to(real(out)):
                text = "plan file: lies in OUT, where an earlier plan is removed, expected it elsewhere"
                raise InputError(text, code="input-in-output", where=safe_name(path))

    def _stated(self) -> CaseFile:
        return CaseFile() if self.case_file is None else read_case_file(self.case_file)
