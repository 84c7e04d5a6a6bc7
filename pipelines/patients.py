"""Whether two studies state one patient, and by which key it is kept."""

from __future__ import annotations

from pipelines.study import StudyIntake
from planner.caution import Caution


def patient_of(pre: str, post: str, case_id: str, stated: str) -> tuple[str, tuple[str, ...]]:
    """Return the patient's key and notes on how it was found."""
    if stated or pre or post:
        return stated or pre or post, ()
    text = "no study states a patient: the patient key is the case id, and whether both are of one was not checked"
    return case_id, (text,)


def birth_cautions(pre: StudyIntake, post: StudyIntake) -> tuple[Caution, ...]:
    """Return that studies of one PatientID state two dates of birth, where they do: ids are given to two people."""
    if not pre.patient or pre.patient != post.patient or not pre.born or not post.born or pre.born == post.born:
        return ()
    text = "PRE and POST state one patient (PatientID) and different dates of birth: are both of one patient?"
    return (Caution("other-birth-date", text),)


def differ(pre: str, post: str) -> bool:
    """Return whether two studies state two patients."""
    return bool(pre) and bool(post) and pre != post


def patient_cautions(pre: str, post: str, stated: str) -> tuple[Caution, ...]:
    """Return that the studies state two patients, where they do: one patient may have two pseudonyms."""
    if not differ(pre, post):
        return ()
    key = "the stated one" if stated else "that of PRE"
    text = (
        "PRE and POST state different patients (PatientID): unless both are of one patient, no number here holds;"
        f" the patient key is {key}"
    )
    return (Caution("different-patients", text),)
