"""Facts of the treatment: its intent, what else was open, and how the ablation was made."""

from __future__ import annotations

from planner.facts.fact import choice, day, number, yes_no

MODALITY = choice(
    "modality", "ablation modality", "What the tissue was destroyed with.",
    ("radiofrequency", "microwave", "cryoablation", "laser", "irreversible_electroporation", "other"),
    "ablation_modality", "technique", "energy", "device",
)  # fmt: skip
APPROACH = choice(
    "approach", "approach", "The way the applicators took to the liver.", ("percutaneous", "laparoscopic", "open"),
    "access", "route",
)  # fmt: skip
DISPLACEMENT = yes_no(
    "displacement", "bowel displacement",
    "Whether bowel or stomach was (or will be) moved away by gas or fluid (pneumo- or hydrodissection).",
    "bowel_displacement", "hydrodissection", "pneumodissection",
)  # fmt: skip
SEPARATION_ACHIEVED = yes_no(
    "separation_achieved", "separation achieved", "Whether moving them away by gas or fluid opened the gap asked for.",
    "displacement_succeeded", "separation",
)  # fmt: skip
RESECTED_LESIONS = number(
    "resected_lesions", "tumours resected",
    "Count of liver tumours with a mask that were or will be resected, not ablated.",
    "resection_list", "n_resected", unit="tumours", at_most=100.0,
)  # fmt: skip
RESECTION_TYPE = choice(
    "resection_type", "resection", "Resection of the liver beside, or instead of, the ablation.",
    ("none", "parenchyma_sparing", "major"), "resection", "combined_resection", "hepatectomy",
)  # fmt: skip
ONE_SESSION = yes_no(
    "one_session", "all zones in one session", "Whether every ablation zone of POST was made in one session.",
    "single_session", "sessions",
)  # fmt: skip
DAYS_SINCE_ABLATION = number(
    "days_since_ablation", "days since the ablation", "Days from the ablation to the POST scan.",
    "scan_days", "post_scan_days", "days_after_ablation", "interval_days", unit="days", at_most=36_525.0,
)  # fmt: skip
ABLATION_DATE = day(
    "ablation_date", "ablation date", "Day of the ablation; with post_scan_date instead of days_since_ablation.",
    "date_of_ablation", "treatment_date",
)  # fmt: skip

TREATMENT = (
    choice("treatment_intent", "intent", "What the treatment of the liver is meant for.",
           ("curative", "debulking", "palliative"), "intent", "aim"),
    choice("resectability", "resectability",
           "What the surgeon says of the liver tumours now; resectable_staged: only after embolisation of the portal"
           " vein or in stages.", ("resectable", "resectable_staged", "unresectable"),
           "resectable", "surgical_candidacy"),
    choice("initial_resectability", "resectability at first",
           "What the surgeon said of the liver tumours before any systemic therapy.",
           ("resectable", "resectable_staged", "unresectable"), "initially_resectable"),
    yes_no("r0_achievable", "R0 achievable",
           "Whether a resection could remove all visible disease with clear margins.", "r0", "r0_possible"),
    yes_no("embolisation_possible", "portal vein embolisation possible",
           "Whether embolisation of the portal vein could enlarge the remnant.",
           "pve", "pve_possible", "portal_vein_embolisation"),
    yes_no("ablatable", "all tumours ablatable",
           "Whether the operator can ablate every tumour of the liver with margins.", "ablatability", "unablatable"),
    yes_no("all_lesions_targeted", "all tumours targeted",
           "Whether every tumour of the liver was or will be ablated or resected.", "all_lesions", "all_treated"),
    RESECTED_LESIONS,
    RESECTION_TYPE,
    MODALITY,
    APPROACH,
    choice("anaesthesia", "anaesthesia", "Anaesthesia of the ablation.",
           ("general", "deep_sedation", "conscious_sedation", "local"), "anesthesia", "sedation", "ga"),
    yes_no("operator_experienced", "operator experienced",
           "Whether the operator is experienced by the site's own measure.", "operator_experience", "experience"),
    yes_no("tumour_visible", "tumour seen during ablation",
           "Whether the imaging that guided the ablation showed every tumour.", "tumour_definition", "visibility"),
    choice("zone_assessment", "zone assessed at the end",
           "What showed the ablation zone before the procedure ended.",
           ("contrast_ct", "contrast_mri", "contrast_ultrasound", "without_contrast", "none"),
           "intraprocedural_assessment"),
    yes_no("intraoperative_ultrasound", "ultrasound in theatre",
           "Whether the liver was examined by ultrasound in theatre.", "ious", "intraoperative_us"),
    DISPLACEMENT,
    SEPARATION_ACHIEVED,
    yes_no("biliary_cooling", "cooling of bile ducts", "Whether bile ducts were (or will be) cooled through a tube.",
           "nasobiliary_cooling", "duct_cooling"),
    yes_no("well_located", "well located",
           "Whether the operator calls the place of every tumour good; the source does not define it.", "location"),
    yes_no("near_major_duct", "next to a major bile duct",
           "Whether a tumour lies next to the common, left or right hepatic duct, as the reader judges without a mask.",
           "adjacent_to_major_duct", "duct_adjacency", "adjacency"),
    yes_no("heat_sink_overcome", "heat sink overcome",
           "Whether the operator's plan overcomes the cooling by large vessels next to a tumour.",
           "heat_sink", "aggressive_plan"),
    yes_no("vessels_confirmed", "vessels confirmed by the reader",
           "Whether the reader confirms what is measured of preserved hepatic veins and inflows.",
           "veins_confirmed", "veins_preserved"),
    ONE_SESSION,
    ABLATION_DATE,
    DAYS_SINCE_ABLATION,
    yes_no("follow_up_planned", "close follow-up planned",
           "Whether close follow-up, and repeat treatment where needed, is planned.", "follow_up_plan", "follow_up"),
)  # fmt: skip
"""What may be entered of the treatment."""
