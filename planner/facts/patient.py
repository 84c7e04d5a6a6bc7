"""Facts of the patient: fitness, earlier operations, the liver's function, and what the patient chose."""

from __future__ import annotations

from planner.facts.fact import choice, number, percent, yes_no

PRIOR_LIVER_TREATMENT = choice(
    "prior_liver_treatment", "earlier treatment of the liver", "What was done to liver tumours before.",
    ("none", "resection", "ablation", "resection_and_ablation"), "prior_treatment", "prior_ablation", "prior_resection",
)  # fmt: skip
PRIOR_MAJOR_HEPATECTOMY = yes_no(
    "prior_major_hepatectomy", "earlier major hepatectomy", "Whether a major part of the liver was resected before.",
    "major_hepatectomy", "prior_hepatectomy",
)  # fmt: skip
STANDARD_LIVER_VOLUME = number(
    "standard_liver_volume_ml", "standard liver volume",
    "Volume of a standard liver of this patient's body size, by the formula of your choice.",
    "standard_liver_volume", "standard_volume", "slv", unit="ml", at_least=50.0, at_most=5000.0,
)  # fmt: skip
BODY_SURFACE_AREA = number(
    "body_surface_area_m2", "body surface area",
    "Body surface area, of which a standard liver volume follows where that is not entered.",
    "body_surface_area", "body_surface", "bsa", unit="m2", at_least=0.1, at_most=4.0,
)  # fmt: skip
PARENCHYMA = choice("parenchyma", "liver tissue", "State of the liver tissue outside the tumours.",
           ("healthy", "steatosis", "fibrosis_or_cirrhosis", "chemotherapy_injury"),
           "parenchyma_quality", "steatosis", "cirrhosis")  # fmt: skip

PATIENT = (
    choice("performance_status", "performance status", "Performance status on the scale of the ECOG.",
           ("ecog_0", "ecog_1", "ecog_2", "ecog_3", "ecog_4"), "ecog", "ps", "who_performance_status"),
    yes_no("comorbidity_precludes_surgery", "comorbidity precludes surgery",
           "Whether other illness rules an operation out.", "comorbidity", "comorbidities", "unfit"),
    percent("major_morbidity_risk_percent", "estimated major morbidity",
            "Risk of a major complication of resection, as the surgeon estimates it.",
            "morbidity_risk", "major_morbidity", "risk"),
    percent("mortality_risk_percent", "estimated mortality",
            "Risk of death from resection, as the surgeon estimates it.", "mortality_risk", "mortality"),
    yes_no("field_approachable", "operation field approachable",
           "Whether the liver can be reached by an operation in spite of adhesions, scars or hernia.",
           "adhesions", "scar", "hernia"),
    PRIOR_LIVER_TREATMENT,
    PRIOR_MAJOR_HEPATECTOMY,
    yes_no("prior_pancreatoduodenectomy", "earlier pancreatoduodenectomy",
           "Whether the pancreatic head was removed before, or bile drains into bowel by another anastomosis.",
           "pancreatoduodenectomy", "whipple", "biliary_enteric_anastomosis"),
    choice("liver_reserve", "liver reserve", "Whether the function of the liver allows the planned treatment.",
           ("adequate", "inadequate"), "liver_function", "reserve", "hepatic_reserve", "child_pugh"),
    PARENCHYMA,
    yes_no("portal_hypertension", "portal hypertension", "Whether there is portal hypertension.", "varices"),
    STANDARD_LIVER_VOLUME,
    BODY_SURFACE_AREA,
    yes_no("contrast_contraindicated", "contrast agent contraindicated",
           "Whether contrast agent of MRI or CT must not be given.", "contrast_allergy", "contrast_contraindication"),
    choice("patient_choice", "patient's choice", "What the patient chose where more than one treatment was open.",
           ("ablation", "resection", "refuses_surgery", "no_preference"),
           "preference", "refusal", "patient_preference"),
)  # fmt: skip
"""What may be entered of the patient."""
