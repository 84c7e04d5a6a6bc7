"""Several studies after one ablation: each reviewed by itself, then shown together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    done: list[_Done] = []
    errors: list[InputError] = []
    for source in ordered.sources:
        try:
            done.append(_done(source, review_one, done, tell))
            posts.append(done[-1].post)
        except InputError as error:
            errors.append(error)
            posts.append(PostAt(source.number, "failed", failure=Reason(None, error.code, str(error))))
            tell(source.number, error)
    if not done:
        raise errors[0]
    case_id = done[0].case_id
    stated = [one.patient_key for one in done if one.patient_key != case_id]
    return Several(Trend(case_id, (*stated, case_id)[0], tuple(posts), ordered.by), done[0].provenance)


@dataclass(frozen=True, slots=True)
class _Done:
    """What is kept of a review once it is stored: little, so that its images can go before the next is read."""

    case_id: str
    patient_key: str
    post: PostAt
    provenance: Mapping[str, object]


def _done(source: FolderSource, review_one: ReviewOne, before: Sequence[_Done], tell: Tell) -> _Done:
    finished = review_one(source)
    _require_same_patient(finished, [one.patient_key for one in before], source)
    tell(source.number, finished)
    found = finished.assessment
    return _Done(found.case_id, found.patient_key, post_at(found), dict(finished.provenance))


def _require_same_patient(finished: Review, patients: Sequence[str], source: FolderSource) -> None:
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
