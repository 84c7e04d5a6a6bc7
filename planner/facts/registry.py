"""Every registered fact, by topic and by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from planner.facts.disease import DISEASE, PRIMARY
from planner.facts.fact import Fact, Topic
from planner.facts.imaging import IMAGING, POST_SCAN_DATE
from planner.facts.organisation import ORGANISATION
from planner.facts.patient import PATIENT
from planner.facts.systemic import SYSTEMIC
from planner.facts.treatment import ABLATION_DATE, DAYS_SINCE_ABLATION, MODALITY, TREATMENT

TOPICS: Mapping[Topic, tuple[Fact, ...]] = MappingProxyType(
    {
        "disease": DISEASE,
        "patient": PATIENT,
        "treatment": TREATMENT,
        "systemic_therapy": SYSTEMIC,
        "imaging": IMAGING,
        "organisation": ORGANISATION,
    }
)
"""Every registered fact by topic, in the order of a template."""

FACTS: Mapping[str, Fact] = MappingProxyType({fact.name: fact for facts in TOPICS.values() for fact in facts})
"""Every registered fact by name."""

SETTING_FACTS = (PRIMARY, MODALITY, DAYS_SINCE_ABLATION, ABLATION_DATE, POST_SCAN_DATE)
"""The facts that tell whether a published relation speaks of a case; both dates may stand for the days."""
