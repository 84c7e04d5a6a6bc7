"""Cases from folders, and single masks from files."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.baseline_study import read_baseline
from pipelines.case_file import CaseFile, read_case_file
from pipelines.case_tables import StudyName
from pipelines.dicom.index import read_instance
from pipelines.dicom.seg import read_seg
from pipelines.formats.itk_transform import read_transform
from pipelines.formats.landmarks import read_landmarks
from pipelines.formats.voxel_file import read_voxel_file, safe_name, suffix_of
from pipelines.limits import is_file, is_folder, real
from pipelines.one_study import study_of
from pipelines.patients import birth_cautions, differ, patient_cautions, patient_of
from pipelines.plan_file import given_plan
from pipelines.ports import Intake, Observe
from pipelines.roles import choose_segment
from pipelines.stated_days import require_posts, stated_facts
from pipelines.store.plan_names import PLAN
from pipelines.study import Progress, StudyIntake, prefixed
from planner.case import Case
from planner.caution import Caution
from planner.errors import AmbiguousInputError, InputError, UsageError, located, private
from planner.plan.needle import Needle
from planner.plan.outcome import require_on
from planner.register.given import Given, box_to_align
from planner.timing import FLAGS, timing_of
from planner.volume import Mask

MASK_FILE = "a mask file (NIfTI, NRRD or one-segment DICOM SEG)"
"""What a mask is read from where no case file says more."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A case whose studies are two folders or image files.

    Parameters
    ----------
    pre, post
        The study before and the study after ablation; the case file's `path` wins over them.
    case_file
        What the files cannot say, or None.
    case_id
        The case's id where the case file states none: it must hold no patient data.
    stated_case_id, stated_patient_key
        A manifest's id and patient, which win over the case file's and the studies'; "" where it states none.
    transform, transform_error_mm
        An ITK transform from points of POST to points of PRE that the user has, and what is stated of its mean 3-D
        error; None where there is none. The case file's win over them.
    landmarks
        Files with pairs of points of both studies; none where there are none. The case file's win over them.
    allow_different_patients
        Whether two studies that state two patients are read with a caution instead of refused.
    with_identity
        Whether to return who the studies are of (`--phi`).
    which
        Which POST of the call or the case file this is, from 1.
    number, posts
        Which study after the ablation it is in the order of the report, from 1, and of how many.
    plan, chart
        The plan that was made on PRE, a file or the folder that `ablation plan` left; and a site's own chart that it
        names settings of.
    """

    pre: Path | None
    post: Path | None
    case_file: Path | None = None
    case_id: str = "case"
    stated_case_id: str = ""
    stated_patient_key: str = ""
    transform: Path | None = None
    transform_error_mm: float | None = None
    allow_different_patients: bool = False
    landmarks: tuple[Path, ...] = ()
    with_identity: bool = False
    which: int = 1
    number: int = 1
    posts: int = 1
    plan: Path | None = None
    chart: Path | None = None

    def read(self, observe: Observe) -> Intake:
        """Return the case.

        Raises
        ------
        planner.errors.InputError
            A study, a mask or the case file cannot be used as it is.
        """
        stated = self.stated()
        with located(safe_name(self.case_file) if self.case_file is not None else ""):
            require_posts(stated, self.posts)
            facts = stated_facts(stated, self.posts)
        path = stated.transform or self.transform
        transform, where = (None, "") if path is None else (read_transform(path), safe_name(path))
        paths = stated.landmark_files or self.landmarks
        pairs = read_landmarks(paths, map_given=path is not None) if paths else None
        empty = tuple(f"fact '{name}' is empty in the case file: not entered" for name in stated.empty_facts)
        case_id = self.stated_case_id or stated.case.id or self.case_id
        pre = self._study("pre", stated, lambda what, done: observe(what, done / 2))
        post = self._study("post", stated, lambda what, done: observe(what, 0.5 + done / 2))
        if differ(pre.patient, post.patient) and not self.allow_different_patients:
            raise InputError(
                "PRE and POST state different patients (PatientID), expected one patient; if both are of one patient,"
                " --allow-different-patients",
                code="different-patients",
            )
        patient, notes = patient_of(pre.patient, post.patient, case_id, self.stated_patient_key)
        two = patient_cautions(pre.patient, post.patient, self.stated_patient_key)
        timing = timing_of(pre.study.scanned_on, post.study.scanned_on, facts).numbered(self.number, self.posts)
        order = (Caution(flag.replace("_", "-"), FLAGS[flag]) for flag in timing.contradictions)
        cautions = (*two, *birth_cautions(pre, post), *pre.cautions, *post.cautions, *order)
        earlier = read_baseline(stated, pre, observe, any_patient=self.allow_different_patients)
        notes, cautions = (*notes, *empty, *earlier.notes), (*cautions, *earlier.cautions)
        case = Case(
            case_id, patient, pre.study, post.study, stated.pairs, facts, notes, cautions, timing, earlier.study
        )
        sha256 = {f"pre/{name}": value for name, value in pre.sha256.items()}
        sha256 |= {f"post/{name}": value for name, value in post.sha256.items()}
        sha256 |= earlier.sha256
        if stated.sha256:
            sha256["case.toml"] = stated.sha256
        if pairs is not None:
            sha256 |= pairs.sha256
            pairs.landmarks.require_inside(pre.study.image.grid, post.study.image.grid)
        given = None
        if transform is not None:
            sha256["registration"] = transform.sha256
            observe("transform", 1.0)
            with located(where):
                found, off_mm = transform.over(
                    post.study.image.grid, box_to_align(post.study.scan(post.study.ablations))
                )
            given = Given(found, off_mm, self._error_mm(stated))
        needles: tuple[Needle, ...] = ()
        if self.plan is not None:
            planned = given_plan(self.plan, self.chart)
            needles, sha256 = planned.needles, {**sha256, **{f"plan/{n}": x for n, x in planned.sha256.items()}}
            require_on(case, needles)
        observe("studies read", 1.0)
        identities = {name: s.identity for name, s in (("pre", pre), ("post", post)) if s.identity is not None}
        return Intake(case, sha256, given, None if pairs is None else pairs.landmarks, identities, needles)

    def stated(self) -> CaseFile:
        """Return what the case file says, seen from this POST; an empty one where there is none.

        Raises
        ------
        InputError
            It cannot be used as it is.
        """
        stated = read_case_file(self.case_file) if self.case_file is not None else CaseFile()
        return stated.of_post(self.which)

    def require_outside(self, out: Path) -> None:
        """Raise where `out` and the input get into each other's way.

        It may not be the folder of a study or lie in it, where it would be read as a part of that study; and the
        transform may not lie in it, where an earlier result is removed. A case file that cannot be read names no
        study here; `read` refuses it.

        Raises
        ------
        planner.errors.InputError
            They do.
        UsageError
            An error is stated of a transform, and there is no transform.
        """
        stated = CaseFile()
        if self.case_file is not None:
            with suppress(InputError):
                stated = self.stated()
        paths = {"PRE": stated.path_of("pre") or self.pre, "POST": stated.path_of("post") or self.post}
        paths["BASELINE"] = stated.path_of("baseline")
        for study, path in paths.items():
            if path is not None and is_folder(path) and real(out).is_relative_to(real(path)):
                raise InputError(f"OUT is {study} or lies in it, expected a folder outside", code="output-in-input")
        transform = stated.transform or self.transform
        _require_elsewhere("landmark file", stated.landmark_files or self.landmarks, out)
        _require_elsewhere("registration file", () if transform is None else (transform,), out)
        if self.plan is not None:
            _require_elsewhere("plan", (self.plan / PLAN if is_folder(self.plan) else self.plan,), out)
        if transform is None and self.transform_error_mm is not None:
            raise UsageError("--registration-error: goes with a transform file, and there is none")

    def _error_mm(self, stated: CaseFile) -> float | None:
        """Return what is stated of the transform's error: by the case file, else by the call."""
        own = None if stated.registration is None else stated.registration.error_mm
        return self.transform_error_mm if own is None else own

    def _study(self, name: StudyName, stated: CaseFile, observe: Progress) -> StudyIntake:
        path = self.pre if name == "pre" else self.post
        return study_of(name, path, stated, observe, with_identity=self.with_identity)


@dataclass(frozen=True, slots=True)
class MaskFilesSource:
    """Aligned masks, a file each: a tumour, the zones that treat it, and the liver or None."""

    tumour: Path
    ablations: tuple[Path, ...]
    liver: Path | None

    def read(self, observe: Observe) -> tuple[Mask, list[Mask], Mask | None]:
        """Return the masks of tumour, zones and liver.

        Raises
        ------
        InputError
            As `read_mask_file`.
        """
        observe("tumour", 0.0)
        tumour, zones = read_mask_file(self.tumour, "tumour"), []
        for n, path in enumerate(self.ablations, start=1):
            observe(f"ablation_{n}", n / (len(self.ablations) + 1))
            zones.append(read_mask_file(path, f"ablation_{n}"))
        return tumour, zones, None if self.liver is None else read_mask_file(self.liver, "liver")


def read_mask_file(path: Path, name: str) -> Mask:
    """Return the mask in a NIfTI or NRRD file or in a DICOM SEG of one segment.

    Raises
    ------
    InputError
        The file is missing, a folder, of another kind, or holds no mask or several.
    AmbiguousInputError
        A DICOM SEG holds several segments.
    EmptyMaskError
        The mask is empty.
    """
    with prefixed(name), located(f".../{safe_name(path)}"):
        if is_folder(path):
            raise InputError(f"is a folder, expected {MASK_FILE}", code="is-a-folder")
        if not is_file(path):
            raise InputError(f"no such file, expected {MASK_FILE}", code="missing")
        mask = _only_structure(path) if suffix_of(path) else _only_segment(path)
    mask = replace(mask, name=name)
    mask.require_some()
    return mask


def _only_structure(path: Path) -> Mask:
    """Return the mask of a voxel file, under the file's name: whoever asked puts the role before a message."""
    content = read_voxel_file(path)
    content.require_one_structure()
    return content.mask(content.name)


def _only_segment(path: Path) -> Mask:
    instance = read_instance(path)
    if instance is None or instance.kind != "seg":
        raise InputError(f"the file: expected {MASK_FILE}", code="unknown-format")
    segmentation = read_seg(path)
    if len(segmentation.segments) > 1:
        count = len(segmentation.segments)
        numbers = ", ".join(str(s.number) for s in segmentation.segments)
        listed = ", ".join(f"{s.number} {private(s.label)}" for s in segmentation.segments)
        raise AmbiguousInputError(
            f"SEG: {count} segments, expected one; a case file of `ablation review` can name one of: {numbers}",
            where=f"{safe_name(path)}: {listed}",
        )
    return segmentation.mask(choose_segment(path, segmentation, None).number, None, segmentation.name)


def _require_elsewhere(name: str, paths: Iterable[Path], out: Path) -> None:
    for path in paths:
        if real(path).parent == real(out):
            text = f"{name}: lies in OUT, where an earlier result is removed, expected it elsewhere"
            raise InputError(text, code="input-in-output", where=safe_name(path))
