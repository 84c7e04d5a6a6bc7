"""A case of which every registered fact is entered, and facts as TOML writes them."""

from __future__ import annotations

import json
from datetime import date, timedelta

from planner.facts import FACTS, Fact, FactValue, checked_facts

ABLATED = date(2024, 2, 1)
DAYS = {
    "surgical_review_date": -90, "mdt_date": -80, "chemotherapy_start_date": -70, "imatinib_start_date": -70,
    "liver_mri_date": -20, "chemotherapy_end_date": -10, "ablation_date": 0, "previous_scan_date": 30,
    "post_scan_date": 42,
}  # fmt: skip
"""Days from the ablation."""

STATED: dict[str, FactValue] = {
    "extrahepatic_disease": "treatable", "prior_liver_treatment": "resection", "tki": "imatinib",
    "liver_mri": "hepatobiliary_agent", "days_since_ablation": 42.0, "displacement": True,
}  # fmt: skip
"""Values that go together, where the first that a fact may have does not."""


def some_value(fact: Fact) -> FactValue:
    """Return a value of a fact that goes with those of all others."""
    if fact.name in STATED:
        return STATED[fact.name]
    if fact.kind == "date":
        return ABLATED + timedelta(DAYS[fact.name])
    if fact.kind == "several_of":
        return fact.choices[:2]
    return fact.values[0] if fact.values else fact.at_least + 1.0


EVERYTHING = checked_facts({name: some_value(fact) for name, fact in FACTS.items()})


def as_toml(value: FactValue) -> str:
    """Return a fact's value as TOML writes it."""
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(list(value) if isinstance(value, tuple) else value)
