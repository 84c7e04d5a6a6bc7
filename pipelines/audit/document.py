"""The audit as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from pipelines.audit.cases import Found
from pipelines.audit.cohort import Cohort
from pipelines.audit.outcomes import Outcomes
from pipelines.audit.survival import CAUTION, DEFINITION, Curve, Survival
from pipelines.provenance import DISTRIBUTION, software_version

SCHEMA_VERSION = 1
LIBRARIES = ("lifelines", "pandas", "pyarrow", "matplotlib", "numpy")

Json = Any


def audit_document(
    found: Found, cohort: Cohort, outcomes: Outcomes | None, survival: Survival | None
) -> dict[str, Json]:
    """Return the content of `audit.json`. The same results and outcomes give the same document."""
    return {
        "schema_version": SCHEMA_VERSION,
        "cases": dict(cohort.cases),
        "failed_cases": [asdict(failed) for failed in found.failed],
        "lesions": {**cohort.lesions, "without_margin": cohort.without_margin},
        "bands": {name: dict(counts) for name, counts in cohort.bands.items()},
        "patients": [asdict(patient) for patient in cohort.patients],
        "histogram": {"edges_mm": list(cohort.histogram.edges_mm), "lesions": list(cohort.histogram.lesions)},
        "survival": None if survival is None or outcomes is None else _survival(survival, outcomes),
        "notes": list(cohort.notes),
        "provenance": {
            "software": DISTRIBUTION,
            "software_version": software_version(),
            "libraries": {name: version(name) for name in LIBRARIES},
            "results_sha256": dict(sorted(found.sha256.items())),
            "outcomes_sha256": None if outcomes is None else outcomes.sha256,
        },
    }


def _survival(survival: Survival, outcomes: Outcomes) -> Mapping[str, Json]:
    return {
        "event_definition": DEFINITION,
        "synthetic": outcomes.synthetic,
        "outcomes_of_cases_without_result": outcomes.of_failed_cases,
        "ltp": survival.ltp,
        "deaths": survival.deaths,
        "cautions": [text for text in (survival.caution, CAUTION, *outcomes.cautions) if text],
        "flow": [asdict(step) for step in survival.flow],
        "ticks_days": list(survival.ticks_days),
        "curves": [_curve(curve) for curve in survival.curves],
    }


def _curve(curve: Curve) -> Mapping[str, Json]:
    return {
        "band": curve.band.name,
        "lesions": curve.lesions,
        "ltp": curve.ltp,
        "deaths": curve.deaths,
        "at_risk": list(curve.at_risk),
        "days": list(curve.days),
        "survival": list(curve.survival),
        "ci95_low": list(curve.low),
        "ci95_high": list(curve.high),
        "censored_days": list(curve.censored_days),
    }
