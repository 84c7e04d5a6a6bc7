"""Outcomes against a death of the same patient: what it contradicts, and what to keep in mind.

Days count from the ablation of a case. Within a case they share that origin; two cases of a patient may have been
ablated on different days, so that only a lesion "free of both" beyond the death is wrong across them: a patient known
to have died has `death` there, by the definition of the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from planner.report.counts import counted

ENTER_DEATH = (
    "enter the death for every lesion of the patient that was free of LTP until then, with the days from that lesion's"
    " own ablation"
)
"""What is expected of a patient who died; true whether or not all lesions were ablated on one day."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A usable row of the outcomes file: its line, case, patient ("" where not known), event and days."""

    line: int
    case_id: str
    patient_key: str
    event: str
    days: float


def contradictions(rows: Sequence[Stated]) -> Iterator[tuple[int, str]]:
    """Yield line and fault of each row that goes on after a death of the same patient."""
    in_case = _first_deaths(rows, {row.line: row.case_id for row in rows})
    of_patient = _first_deaths(rows, {row.line: row.patient_key for row in rows})
    for row in rows:
        own, other = in_case.get(row.case_id), of_patient.get(row.patient_key)
        if own is not None:
            if row.days > own.days:
                advice = f"; {ENTER_DEATH}" if row.event == "none" else ""
                yield row.line, f"{_what(row)} after the same patient's death on line {own.line}{advice}"
        elif other is not None and row.event == "none" and row.days > other.days:
            where = f"line {other.line} (case {other.case_id})"
            yield row.line, f"'none' at a patient whose death is on {where}; {ENTER_DEATH}"


def cautions(rows: Sequence[Stated]) -> tuple[str, ...]:
    """Return what to keep in mind where deaths were entered for some of a patient's lesions only."""
    dead = {row.patient_key for row in rows if row.event == "death" and row.patient_key}
    censored = {row.patient_key for row in rows if row.patient_key in dead and row.event == "none"}
    deaths = _first_deaths(rows, {row.line: row.patient_key for row in rows})
    own = {row.case_id for row in rows if row.event == "death"}
    beyond = [
        row for row in rows
        if row.event == "ltp" and row.case_id not in own and row.patient_key in dead
        and row.days > deaths[row.patient_key].days
    ]  # fmt: skip
    return tuple(_cautions(len(censored), len(beyond)))


def _cautions(censored: int, beyond: int) -> Iterable[str]:
    if censored:
        patients = counted(censored, "patient has", "patients have")
        yield (
            f"{patients} a death at some lesions and 'none' at others: these are censored before a death that is known,"
            " so that survival reads too high; enter the death at every lesion free of LTP."
        )
    if beyond:
        lesions = counted(beyond, "lesion progressed", "lesions progressed")
        yield (
            f"{lesions} on a later day than the death in another case of the same patient: possible only where the two"
            " ablations lie apart."
        )


def _first_deaths(rows: Iterable[Stated], group: Mapping[int, str]) -> dict[str, Stated]:
    """Return the earliest death in each group of rows, by the group of their lines; "" is no group."""
    found: dict[str, Stated] = {}
    for row in rows:
        key = group[row.line]
        if row.event == "death" and key and (key not in found or row.days < found[key].days):
            found[key] = row
    return found


def _what(row: Stated) -> str:
    return {"none": "follow-up", "ltp": "progression", "death": "a second death,"}[row.event]
