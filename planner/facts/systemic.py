"""Facts of systemic therapy: whether it was given, which, and when."""

from __future__ import annotations

from planner.facts.fact import choice, day, yes_no

POST_CHEMOTHERAPY = yes_no(
    "post_chemotherapy", "chemotherapy before", "Whether chemotherapy was given before this treatment of the liver.",
    "chemotherapy", "neoadjuvant", "chemo", "neoadjuvant_chemotherapy",
)  # fmt: skip
CHEMOTHERAPY_START_DATE = day(
    "chemotherapy_start_date", "start of chemotherapy", "Day of the first chemotherapy.",
    "chemo_start", "chemotherapy_start",
)  # fmt: skip
CHEMOTHERAPY_END_DATE = day(
    "chemotherapy_end_date", "end of chemotherapy", "Day of the last chemotherapy.", "chemo_end", "chemotherapy_end"
)
TKI = choice(
    "tki", "tyrosine kinase inhibitor", "Inhibitor given for a gastrointestinal stromal tumour, the last one.",
    ("none", "imatinib", "sunitinib", "other"), "imatinib", "sunitinib", "tyrosine_kinase_inhibitor",
)  # fmt: skip
IMATINIB_START_DATE = day(
    "imatinib_start_date", "start of imatinib", "Day of the first imatinib.", "start_date_of_imatinib", "tki_start_date"
)

SYSTEMIC = (
    POST_CHEMOTHERAPY,
    CHEMOTHERAPY_START_DATE,
    CHEMOTHERAPY_END_DATE,
    choice("chemotherapy_regimen", "chemotherapy regimen", "Regimen of the chemotherapy, the last one.",
           ("folfox", "capeox", "folfiri", "folfirinox", "folfoxiri", "other"), "regimen"),
    yes_no("chemotherapy_tolerated", "chemotherapy tolerated",
           "Whether the patient tolerates, or tolerated, chemotherapy.", "chemo_tolerance"),
    yes_no("systemic_therapy_after", "systemic therapy goes on or follows",
           "Whether systemic therapy of any kind goes on through, or follows, this treatment of the liver.",
           "systemic_therapy", "adjuvant", "adjuvant_chemotherapy"),
    TKI,
    IMATINIB_START_DATE,
)  # fmt: skip
"""What may be entered of systemic therapy."""
