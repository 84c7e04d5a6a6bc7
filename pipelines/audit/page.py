"""The audit's page: one self-contained document that opens offline, without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.audit.bands import BANDS
from pipelines.audit.cases import Failed
from pipelines.audit.cohort import Cohort, Patient
from pipelines.audit.outcomes import Outcomes
from pipelines.audit.pictures import histogram_figure, survival_figure
from pipelines.audit.survival import CAUTION, DEFINITION, Survival
from pipelines.bundled import templates, text
from planner.report import words
from planner.report.counts import counted
from planner.report.figure import Figure
from planner.report.page import Picture, environment, picture, style_of

PATIENTS_SHOWN = 100
FAILED_SHOWN = 200


def render_page(
    cohort: Cohort,
    failed: Sequence[Failed],
    outcomes: Outcomes | None,
    survival: Survival | None,
    provenance: Mapping[str, Any],
) -> str:
    """Return the page of an audit."""
    style = style_of(text("report.css"))
    return (
        environment(templates())
        .get_template("audit.html.jinja")
        .render(
            cohort=cohort,
            counted=counted,
            failed=failed[:FAILED_SHOWN],
            failed_total=len(failed),
            outcomes=outcomes,
            survival=survival,
            definitions=_definitions(cohort),
            bands=_band_rows(cohort),
            patients=[_patient(patient) for patient in cohort.patients[:PATIENTS_SHOWN]],
            patients_shown=PATIENTS_SHOWN,
            patient_bands=_patient_bands(cohort),
            incomplete=sum(patient.without_margin > 0 for patient in cohort.patients),
            histogram=_picture(histogram_figure(cohort.histogram)),
            curves=None if survival is None else _picture(survival_figure(survival)),
            curve_rows=() if survival is None else tuple(_curve_rows(survival)),
            event_definition=DEFINITION,
            caution=CAUTION,
            words=words,
            provenance=provenance,
            css=style.css,
            style_hash=style.sha256,
        )
    )


def _picture(figure: Figure | None) -> Picture | None:
    return None if figure is None else picture(figure)


def _definitions(cohort: Cohort) -> Sequence[str]:
    return sorted({name for counts in cohort.bands.values() for name in counts})


def _band_rows(cohort: Cohort) -> Sequence[tuple[str, str, Sequence[int], int, str]]:
    total = sum(sum(counts.values()) for counts in cohort.bands.values())
    rows = []
    for band in BANDS:
        counts = cohort.bands[band.name]
        here = sum(counts.values())
        rows.append(
            (band.words, band.style, [counts[name] for name in _definitions(cohort)], here, _percent(here, total))
        )
    return rows


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


def _patient(patient: Patient) -> tuple[str, ...]:
    worst = words.millimetres(patient.worst_mm)
    where = "" if patient.case_id is None else f"case {patient.case_id}, lesion {patient.lesion_id}"
    return (patient.patient_key, str(patient.lesions), str(patient.without_margin), worst, where)


def _patient_bands(cohort: Cohort) -> Sequence[tuple[str, int]]:
    counted = [
        (band.words, sum(patient.worst_mm is not None and band.holds(patient.worst_mm) for patient in cohort.patients))
        for band in BANDS
    ]
    return [*counted, ("no margin known", sum(patient.worst_mm is None for patient in cohort.patients))]


def _curve_rows(survival: Survival) -> Iterable[tuple[str, int, int, int, Sequence[tuple[int, str]]]]:
    """Yield band, lesions, LTP, deaths, and at each tick the number at risk and the share with its interval, %."""
    for curve in survival.curves:
        cells = []
        for place, at_risk in enumerate(curve.at_risk):
            share = curve.at(place, survival.ticks_days)
            said = "" if share is None else f"{100 * share[0]:.0f} ({100 * share[1]:.0f}–{100 * share[2]:.0f})"
            cells.append((at_risk, said))
        yield curve.band.words, curve.lesions, curve.ltp, curve.deaths, cells
