"""Facts of the disease: where it came from, how far it reaches, how it behaves."""

from __future__ import annotations

from planner.facts.fact import choice, number, percent, several_of, yes_no

PRIMARY = choice(
    "primary", "primary tumour", "Where the liver tumours came from, or the primary liver tumour itself.",
    ("colorectal", "neuroendocrine", "gastric", "gist", "biliary", "ovarian", "pancreatic", "breast", "hepatocellular",
     "other"),
    "primary_tumour", "tumour_type", "histology", "diagnosis", "origin",
)  # fmt: skip
COLORECTAL_SITES = ("caecum", "right_colon", "transverse_colon", "left_colon", "rectum")
PRIMARY_SITE = choice(
    "primary_site", "site of the primary tumour",
    "Where a colorectal or neuroendocrine primary tumour lies; left_colon includes the sigmoid.",
    (*COLORECTAL_SITES, "stomach", "small_bowel", "appendix", "pancreas", "lung", "thymus", "other"),
    "site_of_origin", "side", "sidedness", "tumour_side",
)  # fmt: skip
EXTRAHEPATIC_DISEASE = choice(
    "extrahepatic_disease", "disease outside the liver",
    "Tumour outside the liver, the primary tumour apart: none; treatable (every site was or will be treated"
    " radically); controlled (not treated radically, does not grow); uncontrolled (anything else).",
    ("none", "treatable", "controlled", "uncontrolled"),
    "ehd", "extrahepatic", "extrahepatic_metastases",
)  # fmt: skip
EXTRAHEPATIC_SITES = several_of(
    "extrahepatic_sites", "sites outside the liver",
    "Every site of tumour outside the liver, the primary tumour apart.",
    ("bone", "single_lung_metastasis", "several_lung_metastases", "distant_lymph_nodes", "peritoneum", "other"),
    "ehd_sites", "sites_of_metastases",
)  # fmt: skip
EXTRAHEPATIC_RESIDUAL_MM = number(
    "extrahepatic_residual_mm", "largest residual outside the liver",
    "Largest diameter of tumour left outside the liver after debulking; 0 where none is left.",
    "extrahepatic_residual", "residual_disease", unit="mm", at_most=500.0,
)  # fmt: skip

DISEASE = (
    PRIMARY,
    PRIMARY_SITE,
    yes_no("primary_resected", "primary tumour resected", "Whether the primary tumour had been removed before PRE."),
    yes_no("primary_node_positive", "lymph nodes of the primary tumour",
           "Whether lymph nodes of the primary tumour held metastases.", "nodes", "node_positive", "n_stage"),
    choice("grade", "grade",
           "Grade of a neuroendocrine tumour; g3 is a well differentiated one, carcinoma a poorly differentiated one.",
           ("g1", "g2", "g3", "carcinoma"), "tumour_grade", "who_grade", "differentiation"),
    percent("ki67_percent", "Ki-67", "Share of cells that are positive for Ki-67.", "ki67", "ki_67", "mib1"),
    choice("metastases_timing", "timing of the metastases",
           "Whether the liver metastases were found with the primary tumour (synchronous) or later, as the treating"
           " team counts it.", ("synchronous", "metachronous"), "timing", "synchronous", "metachronous"),
    number("interval_from_primary_months", "months from primary tumour to metastases",
           "Months from the diagnosis of the primary tumour to that of the liver metastases.",
           "disease_free_interval", "metachronous_interval", "interval", unit="months", at_most=600.0),
    yes_no("count_complete", "count of tumours complete",
           "Whether every tumour of the liver that is known has a mask in PRE.",
           "lesion_count_complete", "complete", "completeness"),
    yes_no("lesions_vanished", "tumours vanished",
           "Whether a liver metastasis that was seen before is no longer seen in PRE, as the reader judges it.",
           "vanished", "disappeared_lesions"),
    yes_no("limited_liver_disease", "limited liver disease",
           "Whether the treating team calls the disease of the liver limited; the sources do not define it.",
           "limited_disease", "limited", "limited_burden", "volume_of_disease"),
    choice("burden_class", "burden class", "Burden of the liver as the treating team's protocol classes it.",
           ("low", "intermediate", "high"), "tumour_burden", "burden"),
    yes_no("oligometastatic", "oligometastatic disease",
           "Whether the treating team calls the disease oligometastatic: few metastases in few organs.",
           "oligometastases", "omd"),
    yes_no("liver_predominant", "disease mostly in the liver", "Whether most of the disease lies in the liver."),
    EXTRAHEPATIC_DISEASE,
    EXTRAHEPATIC_SITES,
    EXTRAHEPATIC_RESIDUAL_MM,
    choice("response", "response",
           "How the disease changed by the last imaging, on or off systemic therapy; progression where clinically"
           " significant.", ("complete_response", "partial_response", "stable", "progression"),
           "progression", "response_to_chemotherapy", "recist"),
    yes_no("rapid_growth", "rapid growth", "Whether the treating team calls the growth rapid.", "growth"),
    yes_no("symptomatic", "symptoms", "Whether the metastases cause symptoms, of hormones or of mass.", "symptoms"),
    yes_no("fdg_avid", "FDG uptake", "Whether the tumours take up FDG.", "fdg_avidity", "fdg"),
    choice("sstr_pet", "somatostatin receptor PET", "What PET of somatostatin receptors showed in the tumours.",
           ("positive", "negative"), "sstr", "dotatate", "somatostatin_receptor"),
    yes_no("cea_rising", "CEA rising", "Whether CEA rose over several measurements.", "cea", "cea_series"),
    yes_no("markers_elevated", "tumour markers elevated", "Whether tumour markers were elevated before treatment.",
           "tumour_markers", "markers"),
    choice("mmr", "mismatch repair",
           "Mismatch repair of the tumour; deficient also stands for MSI-high and for mutated POLE or POLD1.",
           ("proficient", "deficient"), "msi", "mismatch_repair", "pole", "pold1"),
    choice("ras", "RAS", "RAS of the tumour.", ("wild_type", "mutated"), "kras", "nras"),
    choice("braf", "BRAF", "BRAF of the tumour.", ("wild_type", "v600e", "other_mutation")),
    choice("her2", "HER2", "HER2 of a breast tumour.", ("negative", "low", "positive"), "erbb2"),
    choice("hormone_receptors", "hormone receptors",
           "Receptors of a breast tumour for oestrogen or progesterone; positive where either is.",
           ("negative", "positive"), "receptors", "er", "pr", "receptor_status"),
)  # fmt: skip
"""What may be entered of the disease."""
