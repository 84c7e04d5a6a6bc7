"""How two studies were brought together, as the result holds it."""

from __future__ import annotations

from typing import Any

from pipelines.store.numbers import number
from planner.register.alignment import Alignment, Check

Json = Any


def registration_document(alignment: Alignment) -> dict[str, Json]:
    """Return the `registration` of a result: its kind, what was looked at, and the error predicted at each zone."""
    zones = sorted({*alignment.error_at_zone_mm, *alignment.zone_checks})
    return {
        "transform": alignment.kind,
        "passed": alignment.passed,
        "checks": [_check(check) for check in alignment.checks],
        "zones": {
            zone: {
                "error_mm": number(alignment.error_at_zone_mm.get(zone)),
                "error_ci90_mm": _interval(alignment, zone),
                "gate": alignment.verdict(zone),
                "checks": [_check(check) for check in alignment.zone_checks.get(zone, ())],
            }
            for zone in zones
        },
    }


def _interval(alignment: Alignment, zone: str) -> Json:
    found = alignment.error_interval90_mm.get(zone)
    return None if found is None else [number(value) for value in found]


def _check(check: Check) -> dict[str, Json]:
    return {"name": check.name, "value": number(check.value), "unit": check.unit, "passed": check.passed,
            "warned": check.warned, "text": check.text}  # fmt: skip
