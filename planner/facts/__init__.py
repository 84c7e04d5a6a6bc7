"""What a clinician enters: each fact's name, the values it may have, and its definition. A missing fact is unknown."""

from planner.facts.checking import checked_facts, days_since_ablation, nearest, scan_days, setting_of
from planner.facts.disease import PRIMARY
from planner.facts.fact import Fact, FactKind, FactValue, Topic
from planner.facts.imaging import POST_SCAN_DATE, PREVIOUS_SCAN_DATE
from planner.facts.patient import BODY_SURFACE_AREA, STANDARD_LIVER_VOLUME
from planner.facts.registry import FACTS, SETTING_FACTS, TOPICS
from planner.facts.treatment import (
    ABLATION_DATE,
    APPROACH,
    DAYS_SINCE_ABLATION,
    DISPLACEMENT,
    MODALITY,
    ONE_SESSION,
    RESECTED_LESIONS,
    RESECTION_TYPE,
)

__all__ = [
    "ABLATION_DATE",
    "APPROACH",
    "BODY_SURFACE_AREA",
    "DAYS_SINCE_ABLATION",
    "DISPLACEMENT",
    "FACTS",
    "MODALITY",
    "ONE_SESSION",
    "POST_SCAN_DATE",
    "PREVIOUS_SCAN_DATE",
    "PRIMARY",
    "RESECTED_LESIONS",
    "RESECTION_TYPE",
    "SETTING_FACTS",
    "STANDARD_LIVER_VOLUME",
    "TOPICS",
    "Fact",
    "FactKind",
    "FactValue",
    "Topic",
    "checked_facts",
    "days_since_ablation",
    "nearest",
    "scan_days",
    "setting_of",
]
