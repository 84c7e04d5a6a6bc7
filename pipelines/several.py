"""Several studies after one ablation: each reviewed by itself, then shown together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.ports import Review
from pipelines.post_order import Ordered
from pipelines.source import FolderSource
from planner.assessment import Reason
from planner.errors import InputError
from planner.report.trend import PostAt, Trend, post_at

ReviewOne = Callable[[FolderSource], Review]
"""Reviews one post and keeps it."""

Tell = Callable[[int, Review | InputError], None]
"""Told of each post's number and what became of it."""


@dataclass(frozen=True, slots=True)
class Several:
    """What became of all posts, and the provenance of one of them."""

    trend: Trend
    provenance: Mapping[str, object]

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the folders of the posts that have a result."""
        return tuple(post.folder for post in self.trend.posts if post.failure is None)


def review_several(ordered: Ordered, review_one: ReviewOne, tell: Tell) -> Several:
    """Review each post; one that cannot be read does not keep the others from their results.

    Parameters
    ----------
    ordered
        The posts in their order.
    review_one
        What reviews one of them.
    tell
        Told of each as it ends.

    Raises
    ------
    InputError
        None of them can be read: the error of the first.
    """
    posts: list[PostAt] = []
    errors: list[InputError] = []
    case_id, patients, provenance = "", dict[str, None](), dict[str, object]()
    for source in ordered.sources:
        try:
            finished = review_one(source)
            _require_same_patient(finished, patients, source)
        except InputError as error:
            errors.append(error)
            posts.append(PostAt(source.number, "failed", failure=Reason(None, error.code, str(error))))
            tell(source.number, error)
            continue
        case_id, provenance = finished.assessment.case_id, dict(finished.provenance)
        patients[finished.assessment.patient_key] = None
        posts.append(post_at(finished.assessment))
        tell(source.number, finished)
    if len(errors) == len(posts):
        raise errors[0]
    stated = [patient for patient in patients if patient != case_id]
    return Several(Trend(case_id, stated[0] if stated else case_id, tuple(posts), ordered.by), provenance)


def _require_same_patient(finished: Review, patients: Mapping[str, None], source: FolderSource) -> None:
    """Raise where a post states another patient than one before it: where PRE states none, no review sees that.

    Raises
    ------
    InputError
        It does, and different patients are not allowed.
    """
    found = finished.assessment
    others = {patient for patient in patients if patient != found.case_id} - {found.patient_key}
    if others and found.patient_key != found.case_id and not source.allow_different_patients:
        raise InputError(
            "POST: states another patient (PatientID) than a study before it; if all are of one patient,"
            " --allow-different-patients",
            code="different-patients",
        )
