"""Facts that contradict each other plainly; which of two is wrong is not for the program to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from planner.facts.disease import (
    COLORECTAL_SITES,
    EXTRAHEPATIC_DISEASE,
    EXTRAHEPATIC_RESIDUAL_MM,
    EXTRAHEPATIC_SITES,
    PRIMARY,
    PRIMARY_SITE,
)
from planner.facts.fact import Fact, FactValue
from planner.facts.imaging import DIFFUSION_MRI, LIVER_MRI, LIVER_MRI_DATE, POST_SCAN_DATE, PREVIOUS_SCAN_DATE
from planner.facts.organisation import BOARD_MEMBERS, MDT_DATE, MDT_DISCUSSED, SEEN_BY_SURGEON, SURGICAL_REVIEW_DATE
from planner.facts.patient import PARENCHYMA, PRIOR_LIVER_TREATMENT, PRIOR_MAJOR_HEPATECTOMY
from planner.facts.systemic import (
    CHEMOTHERAPY_END_DATE,
    CHEMOTHERAPY_START_DATE,
    IMATINIB_START_DATE,
    POST_CHEMOTHERAPY,
    TKI,
)
from planner.facts.treatment import ABLATION_DATE, DISPLACEMENT, SEPARATION_ACHIEVED


@dataclass(frozen=True, slots=True)
class _Exclusion:
    """A value of one fact that goes with no value of another, or with those of `allowed` only."""

    fact: Fact
    value: FactValue
    other: Fact
    allowed: tuple[FactValue, ...] = ()


_EXCLUSIONS = (
    _Exclusion(EXTRAHEPATIC_DISEASE, "none", EXTRAHEPATIC_SITES),
    _Exclusion(EXTRAHEPATIC_DISEASE, "none", EXTRAHEPATIC_RESIDUAL_MM, (0.0,)),
    _Exclusion(PRIMARY, "colorectal", PRIMARY_SITE, COLORECTAL_SITES),
    _Exclusion(PRIOR_MAJOR_HEPATECTOMY, True, PRIOR_LIVER_TREATMENT, ("resection", "resection_and_ablation")),
    _Exclusion(DISPLACEMENT, False, SEPARATION_ACHIEVED, (False,)),
    _Exclusion(TKI, "none", IMATINIB_START_DATE),
    _Exclusion(LIVER_MRI, "not_done", LIVER_MRI_DATE),
    _Exclusion(MDT_DISCUSSED, False, MDT_DATE),
    _Exclusion(SEEN_BY_SURGEON, False, SURGICAL_REVIEW_DATE),
    _Exclusion(POST_CHEMOTHERAPY, False, PARENCHYMA, ("healthy", "steatosis", "fibrosis_or_cirrhosis")),
    _Exclusion(LIVER_MRI, "not_done", DIFFUSION_MRI, (False,)),
    _Exclusion(MDT_DISCUSSED, False, BOARD_MEMBERS),
)

_ORDER = ((CHEMOTHERAPY_START_DATE, CHEMOTHERAPY_END_DATE), (PREVIOUS_SCAN_DATE, POST_SCAN_DATE))
"""Dates of which the first cannot lie after the second."""


def contradictions(facts: Mapping[str, FactValue]) -> Iterator[str]:
    """Yield what contradicts what among checked facts, in words without any date."""
    for rule in _EXCLUSIONS:
        other = facts.get(rule.other.name)
        if facts.get(rule.fact.name) == rule.value and other is not None and other not in rule.allowed:
            stated = rule.value if isinstance(rule.value, str) else str(rule.value).lower()
            yield f"{rule.fact.name} is {stated}, which does not go with what is entered as {rule.other.name}"
    for first, second in _ORDER:
        if _before(facts, second, first):
            yield f"{second.name} lies before {first.name}, expected it on that day or later"
    chemotherapy = facts.get(POST_CHEMOTHERAPY.name)
    for day in (CHEMOTHERAPY_START_DATE, CHEMOTHERAPY_END_DATE):
        if chemotherapy is False and _before(facts, day, ABLATION_DATE):
            yield f"{POST_CHEMOTHERAPY.name} is false, but {day.name} lies before {ABLATION_DATE.name}"
    if chemotherapy is True and _before(facts, ABLATION_DATE, CHEMOTHERAPY_START_DATE):
        yield f"{POST_CHEMOTHERAPY.name} is true, but {CHEMOTHERAPY_START_DATE.name} lies after {ABLATION_DATE.name}"


def _before(facts: Mapping[str, FactValue], first: Fact, second: Fact) -> bool:
    one, other = facts.get(first.name), facts.get(second.name)
    return isinstance(one, date) and isinstance(other, date) and one < other
