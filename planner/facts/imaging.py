"""Facts of imaging: what was done, with which agent, and when."""

from __future__ import annotations

from planner.facts.fact import choice, day, several_of, yes_no

LIVER_MRI = choice(
    "liver_mri", "MRI of the liver", "MRI of the liver before the treatment, by its contrast agent.",
    ("not_done", "without_contrast", "extracellular_agent", "hepatobiliary_agent"),
    "mri", "mri_done", "mri_agent", "contrast_mri", "eob_mri",
)  # fmt: skip
LIVER_MRI_DATE = day("liver_mri_date", "date of the liver MRI", "Day of the MRI of the liver.", "mri_date")
POST_SCAN_DATE = day(
    "post_scan_date", "date of the post-ablation scan", "Day of the POST scan.", "scan_date", "post_date"
)
PREVIOUS_SCAN_DATE = day(
    "previous_scan_date", "date of the scan before", "Day of the last follow-up scan before POST.",
    "last_scan_date", "previous_follow_up_date",
)  # fmt: skip
DIFFUSION_MRI = yes_no(
    "diffusion_mri", "diffusion-weighted MRI", "Whether the MRI of the liver holds diffusion-weighted images.",
    "dwi", "dw_mri",
)  # fmt: skip

IMAGING = (
    LIVER_MRI,
    LIVER_MRI_DATE,
    DIFFUSION_MRI,
    yes_no("pet_ct", "FDG-PET/CT", "Whether FDG-PET/CT was made before the treatment.", "pet", "fdg_pet", "pet_done"),
    yes_no("baseline_before_chemotherapy", "baseline before chemotherapy",
           "Whether imaging of the liver from before any chemotherapy is on file.", "baseline", "baseline_imaging"),
    yes_no("imaging_history_complete", "imaging history complete",
           "Whether all earlier imaging of the disease is on file and was reviewed.",
           "prior_studies", "imaging_history"),
    choice("biopsy", "biopsy of a liver tumour", "Biopsy of a tumour of the liver.", ("none", "planned", "done")),
    POST_SCAN_DATE,
    PREVIOUS_SCAN_DATE,
    several_of("surveillance", "surveillance", "What each follow-up visit consists of.",
               ("history_and_examination", "abdominal_ct_or_mri", "chest_ct", "fdg_pet", "tumour_markers"),
               "follow_up_imaging", "surveillance_content"),
)  # fmt: skip
"""What may be entered of imaging."""
