"""Facts of how the decision was made: who saw the patient, and who sat on the tumour board."""

from __future__ import annotations

from planner.facts.fact import day, several_of, yes_no

MDT_DISCUSSED = yes_no(
    "mdt_discussed", "discussed by a tumour board", "Whether a multidisciplinary tumour board discussed the case.",
    "mdt", "tumour_board", "board",
)  # fmt: skip
MDT_DATE = day("mdt_date", "date of the tumour board", "Day of the first tumour board on the liver.", "board_date")
SEEN_BY_SURGEON = yes_no(
    "seen_by_surgeon", "seen by a surgeon", "Whether a consultation with a liver surgeon is documented.",
    "surgical_consultation", "discussed_with_surgeon", "both_consultations",
)  # fmt: skip
SURGICAL_REVIEW_DATE = day(
    "surgical_review_date", "date of the surgeon's review",
    "Day on which a liver surgeon first reviewed the metastases.",
    "surgical_consultation_date",
)  # fmt: skip
BOARD_MEMBERS = several_of("board_members", "members of the tumour board", "Specialties that sat on the tumour board.",
               ("liver_surgeon", "interventional_oncologist", "medical_oncologist", "radiologist",
                "radiation_oncologist", "hepatologist", "pathologist"),
               "mdt_members", "team", "team_list", "board_composition")  # fmt: skip

ORGANISATION = (
    MDT_DISCUSSED,
    MDT_DATE,
    BOARD_MEMBERS,
    yes_no("tertiary_centre", "tertiary centre", "Whether the tumour board is that of a tertiary hepatobiliary centre.",
           "mdt_tertiary", "centre"),
    SEEN_BY_SURGEON,
    SURGICAL_REVIEW_DATE,
    yes_no("seen_by_interventionist", "seen by an interventional oncologist",
           "Whether a consultation with an interventional oncologist is documented.",
           "interventional_consultation", "discussed_with_io"),
)  # fmt: skip
"""What may be entered of the organisation."""
