"""What a cohort's lesions add up to: counts, margins by band, and each patient's worst margin."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.audit.bands import BANDS
from pipelines.audit.cases import LESION_STATUSES, Found
from pipelines.audit.lesions import Lesion, LesionTable
from pipelines.audit.posts import posts_note

BIN_MM = 1.0
CASES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient's lesions: how many, how many of them without a margin, and the worst of the margins."""

    patient_key: str
    lesions: int
    without_margin: int
    worst_mm: float | None
    case_id: str | None
    lesion_id: str | None


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many lesions have a minimal margin from each edge to below the next, mm."""

    edges_mm: tuple[float, ...]
    lesions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """What the audit counted. `bands` is by band name, then by the definition of the margin."""

    cases: Mapping[str, int]
    failures: Mapping[str, int]
    lesions: Mapping[str, int]
    bands: Mapping[str, Mapping[str, int]]
    without_margin: int
    patients: tuple[Patient, ...]
    histogram: Histogram
    notes: tuple[str, ...]


def cohort(found: Found, table: LesionTable) -> Cohort:
    """Return what the lesions add up to."""
    lesions = table.lesions
    status = Counter(str(case["status"]) for case in found.documents.values())
    unfinished = sum(failed.code == "unfinished" for failed in found.failed)
    cases = {
        "found": len(found.documents) + len(found.failed),
        "assessed": status["assessed"],
        "not_assessable": sum(status.values()) - status["assessed"],
        "failed": len(found.failed) - unfinished,
        "unfinished": unfinished,
    }
    failures = Counter(failed.code for failed in found.failed)
    counted = Counter(lesion.status for lesion in lesions)
    return Cohort(
        cases,
        dict(sorted(failures.items(), key=lambda item: (-item[1], item[0]))),
        {status: counted[status] for status in LESION_STATUSES},
        _bands(lesions),
        sum(lesion.min_mm is None for lesion in lesions),
        tuple(sorted(_patients(lesions), key=_worst_first)),
        _histogram([lesion.min_mm for lesion in lesions if lesion.min_mm is not None]),
        tuple(_notes(found, table)),
    )


def _bands(lesions: Iterable[Lesion]) -> dict[str, dict[str, int]]:
    counted = Counter((lesion.band.name, lesion.definition or "unknown") for lesion in lesions if lesion.band)
    definitions = sorted({definition for _, definition in counted})
    return {band.name: {name: counted[band.name, name] for name in definitions} for band in BANDS}


def _patients(lesions: Iterable[Lesion]) -> Iterable[Patient]:
    by_key: dict[str, list[Lesion]] = {}
    for lesion in lesions:
        by_key.setdefault(lesion.patient_key, []).append(lesion)
    for key, theirs in by_key.items():
        known = [(lesion.min_mm, lesion) for lesion in theirs if lesion.min_mm is not None]
        worst = min(known, key=lambda pair: pair[0])[1] if known else None
        yield Patient(
            key, len(theirs), len(theirs) - len(known), worst.min_mm if worst else None,
            worst.case_id if worst else None, worst.lesion_id if worst else None,
        )  # fmt: skip


def _worst_first(patient: Patient) -> tuple[float, str]:
    return (math.inf if patient.worst_mm is None else patient.worst_mm, patient.patient_key)


def _histogram(margins_mm: Sequence[float]) -> Histogram:
    """Return counts in bins on whole multiples of their width, so that none lies in two bands."""
    if not margins_mm:
        return Histogram((), ())
    low, high = math.floor(min(margins_mm) / BIN_MM), math.floor(max(margins_mm) / BIN_MM) + 1
    counted = Counter(math.floor(margin / BIN_MM) for margin in margins_mm)
    return Histogram(
        tuple(n * BIN_MM for n in range(low, high + 1)), tuple(counted[n] for n in range(low, high))
    )  # fmt: skip


def _same_images(found: Found) -> Iterable[str]:
    """Yield a note for each pair of images that several cases rest on: their lesions are counted more than once."""
    by_images: dict[tuple[str, str], list[str]] = {}
    for case_id, document in found.documents.items():
        inputs = document.get("provenance", {}).get("inputs_sha256") or {}
        images = (inputs.get("pre/image"), inputs.get("post/image"))
        if all(images):
            by_images.setdefault((str(images[0]), str(images[1])), []).append(case_id)
    for case_ids in by_images.values():
        if len(case_ids) == 1:
            continue
        keys = len({found.documents[case_id]["patient_key"] for case_id in case_ids})
        patients = f"as {keys} different patients" if keys > 1 else "of one patient"
        shown = ", ".join(case_ids[:CASES_SHOWN]) + (", ..." if len(case_ids) > CASES_SHOWN else "")
        same = f"{len(case_ids)} cases rest on the same images, {patients}: {shown}"
        yield f"{same}. Their lesions are counted each time."


def _notes(found: Found, table: LesionTable) -> Iterable[str]:
    definitions = {lesion.definition for lesion in table.lesions if lesion.min_mm is not None}
    if len(definitions) > 1:
        yield "Margins of different definitions are counted together below; the table by band keeps them apart."
    for key, words in (("software_version", "software versions"), ("settings_sha256", "settings")):
        kinds = {lesion.cells[key] for lesion in table.lesions}
        if len(kinds) > 1:
            yield f"The results were made with {len(kinds)} different {words}: compare with care."
    if found.later:
        yield posts_note(len(found.later))
    yield from _same_images(found)
    alone = sum(case["patient_key"] == case["case_id"] for case in found.documents.values())
    if alone:
        state = "case states no patient" if alone == 1 else "cases state no patient"
        yield f"{alone} {state} (no key, or the case's own id): each counts as a patient of its own."
