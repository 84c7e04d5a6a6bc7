"""The columns of the lesion table: what each means, its unit and its sign."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Json = Mapping[str, Any]
Kind = Literal["text", "number", "boolean"]
Cell = str | float | bool | None

MARGIN_SIGN = "positive: covered by the ablation zone; negative: not covered on these images"
APART_SIGN = "positive: apart; negative: overlapping"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Parameters
    ----------
    name, unit, definition, sign
        As the data dictionary states them; "" for no unit, or no sign.
    kind
        What its cells hold; an unknown value is empty (CSV) or null (Parquet).
    path
        Where the value stands: "case" or "lesion", then the keys of the result document.
    """

    name: str
    kind: Kind
    unit: str
    definition: str
    path: tuple[str | int, ...] = ()
    sign: str = ""

    def of(self, case: Json, lesion: Json) -> Cell:
        """Return the cell of a lesion."""
        value: Any = case if self.path[0] == "case" else lesion
        for step in self.path[1:]:
            value = _step(value, step)
        return _cell(value, self.kind)


def _step(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def _cell(value: Any, kind: Kind) -> Cell:
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "number":
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if isinstance(value, list):
        return ";".join(str(part) for part in value)
    return value if isinstance(value, str) else None


def _margin(name: str, definition: str, *path: str | int, sign: str = MARGIN_SIGN) -> Column:
    return Column(f"margin_{name}_mm", "number", "mm", definition, ("lesion", "margin", *path), sign)


def _share(name: str, definition: str, *path: str | int) -> Column:
    return Column(name, "number", "share, 0 to 1", definition, ("lesion", "margin", *path))


def _lesion(name: str, unit: str, definition: str, *path: str | int) -> Column:
    return Column(name, "number", unit, definition, ("lesion", *(path or (name,))))


def _planned(name: str, unit: str, definition: str, *path: str, sign: str = "") -> Column:
    return Column(f"plan_{name}", "number", unit, definition, ("lesion", "planned", *path), sign)


PLANNED = (
    Column("plan_zones", "text", "", "Zones planned for the lesion, separated by ;; empty without a plan",
           ("lesion", "planned", "zones")),
    _planned("min_mm", "mm", "Minimal margin as planned", "min_mm", sign=MARGIN_SIGN),
    _planned("lost_mm", "mm", "Most margin lost at one point of the tumour surface: planned less achieved", "lost_mm",
             sign="negative: everywhere more was achieved than planned"),
    Column("plan_lost_where", "text", "", "From the tumour's centroid to where most was lost",
           ("lesion", "planned", "lost_where")),
    _planned("lost_share", "share, 0 to 1", "Share of the surface where less was achieved than planned", "lost_share"),
    _planned("dice", "share, 0 to 1", "Overlap of the planned and the achieved zone", "achieved", "dice"),
    _planned("mean_apart_mm", "mm", "Mean distance of their surfaces", "achieved", "mean_apart_mm"),
    _planned("centre_off_mm", "mm", "Distance of their centroids", "achieved", "centre_off_mm"),
    _planned("along_needle_mm", "mm", "Its part along the planned needle", "achieved", "along_needle_mm",
             sign="positive: deeper than planned"),
    _planned("axis_off_degrees", "degrees", "Angle between their long axes", "achieved", "axis_off_degrees"),
    _planned("length_ratio", "ratio", "Achieved over planned length", "achieved", "length_ratio"),
    _planned("width_ratio", "ratio", "Achieved over planned width", "achieved", "width_ratio"),
    _planned("volume_ratio", "ratio", "Achieved over planned volume", "achieved", "volume_ratio"),
)  # fmt: skip
"""What became of a lesion's plan."""

FIXED = (
    Column("case_id", "text", "", "The case, as in the batch's manifest", ("case", "case_id")),
    Column("patient_key", "text", "", "Pseudonym that all cases of a patient share", ("case", "patient_key")),
    Column("case_status", "text", "", "assessed or not_assessable", ("case", "status")),
    Column("lesion_id", "text", "", "Number of the tumour within its case", ("lesion", "lesion_id")),
    Column("lesion_status", "text", "", "assessed, not_assessable, or not_treated (no zone touches it)",
           ("lesion", "status")),
    Column("zones", "text", "", "Ablation zones that treat it, separated by ;", ("lesion", "zones")),
    Column("registration_transform", "text", "", "Map between the studies: identity, rigid, deformable or file",
           ("case", "registration", "transform")),
    Column("registration_passed", "boolean", "", "Whether the registration passed its checks as a whole",
           ("case", "registration", "passed")),
    Column("post", "number", "", "Which study after the ablation it is, from 1 in the order of time",
           ("case", "timing", "post_number")),
    Column("posts", "number", "", "How many studies after the ablation the case has", ("case", "timing", "posts")),
    Column("days_since_ablation", "number", "d", "Days from the ablation to that study",
           ("case", "timing", "days_since_ablation"), "negative: before the ablation"),
    Column("pre_days_before_ablation", "number", "d", "Days from the study before the ablation to the ablation",
           ("case", "timing", "pre_days_before_ablation"), "negative: after the ablation"),
    Column("timing_flags", "text", "", "What to keep in mind of those days, separated by ;",
           ("case", "timing", "flags")),
    _lesion("registration_error_mm", "mm",
           "Mean 3-D registration error predicted at the lesion (of a transform from a file: stated or assumed)"),
    _lesion("max_axial_diameter_mm", "mm", "Largest tumour diameter in a plane of constant LPS z"),
    _lesion("max_diameter_mm", "mm", "Largest tumour diameter in 3-D"),
    _lesion("tumour_ml", "ml", "Volume of the tumour"),
    _lesion("ablation_ml", "ml", "Volume of its ablation zones"),
    _margin("min", "Minimal margin, the primary number: least signed distance over the tumour surface", "min_mm"),
    Column("margin_definition", "text", "", "parenchymal (to liver that was not ablated) or geometric (to the zone)",
           ("lesion", "margin", "definition")),
    _margin("geometric_min", "Minimal margin to the zone's surface alone", "geometric_min_mm"),
    _margin("without_vessel_facing", "Minimal margin without tumour surface near a vessel", "without_vessel_facing_mm"),
    _margin("ci95_low", "Lower end of the minimal margin's 95 % interval", "ci95_mm", 0),
    _margin("ci95_high", "Upper end of the minimal margin's 95 % interval", "ci95_mm", 1),
    _share("p_at_least_0_mm", "Probability that the minimal margin is at least 0 mm", "p_at_least", "0"),
    _share("p_at_least_5_mm", "Probability that the minimal margin is at least 5 mm", "p_at_least", "5"),
    _share("p_at_least_10_mm", "Probability that the minimal margin is at least 10 mm", "p_at_least", "10"),
    _margin("at_x", "Thin spot in POST, LPS x", "at_lps_mm", 0, sign="positive: towards the patient's left"),
    _margin("at_y", "Thin spot in POST, LPS y", "at_lps_mm", 1, sign="positive: towards posterior"),
    _margin("at_z", "Thin spot in POST, LPS z", "at_lps_mm", 2, sign="positive: towards the head"),
    Column("margin_direction", "text", "", "From the tumour's centroid to the thin spot",
           ("lesion", "margin", "direction")),
    _margin("q01", "1 % quantile of the margin over the tumour surface, by area", "q01_mm"),
    _margin("q05", "5 % quantile of the margin over the tumour surface, by area", "q05_mm"),
    _margin("median", "Median of the margin over the tumour surface, by area", "median_mm"),
    _share("surface_fraction_below_0_mm", "Share of the tumour surface with a margin below 0 mm",
           "surface_fraction_below", "0"),
    _share("surface_fraction_below_5_mm", "Share of the tumour surface with a margin below 5 mm",
           "surface_fraction_below", "5"),
    _share("surface_fraction_below_10_mm", "Share of the tumour surface with a margin below 10 mm",
           "surface_fraction_below", "10"),
    _share("target_covered_5_mm", "Share of the tumour grown by 5 mm, within the liver, inside the zone",
           "target_covered", "5"),
    _share("target_covered_10_mm", "Share of the tumour grown by 10 mm, within the liver, inside the zone",
           "target_covered", "10"),
    _lesion("residual_ml", "ml", "Volume of the tumour outside the zone", "margin", "residual_ml"),
    _share("capsule_facing_fraction", "Share of the tumour surface whose nearest unablated point lies beyond the liver",
           "capsule_facing_fraction"),
    Column("margin_flags", "text", "", "What to keep in mind of the margin, separated by ;",
           ("lesion", "margin", "flags")),
    Column("ltp_model", "text", "", "Published relation of margin and local tumour progression",
           ("lesion", "ltp", "model")),
    _lesion("ltp_relative_hazard", "ratio", "Hazard relative to that at the reference margin, by that relation", "ltp",
            "relative_hazard"),
    _lesion("ltp_interval_low", "ratio", "Lower end of its interval", "ltp", "interval", 0),
    _lesion("ltp_interval_high", "ratio", "Upper end of its interval; empty where not bounded", "ltp", "interval", 1),
    Column("ltp_margin_in_range", "boolean", "", "Whether the margin lies in the relation's observed range",
           ("lesion", "ltp", "margin_in_range")),
    *PLANNED,
    Column("software_version", "text", "", "Version of the program that made the result",
           ("case", "provenance", "software_version")),
    Column("settings_sha256", "text", "", "SHA-256 of its settings", ("case", "provenance", "settings_sha256")),
)  # fmt: skip
"""The columns that each table has, in order."""

DERIVED = (
    Column("counted", "boolean", "", "Whether the row counts: of several studies after an ablation the first does"),
    Column("margin_band", "text", "", "below_0, 0_to_5, 5_to_10 or from_10 (mm; each holds its lower limit)"),
    Column("reason_codes", "text", "", "Why the lesion has no margin, separated by ;"),
)
"""Columns that the audit adds to each table."""

OUTCOME = (
    Column("outcome_event", "text", "", "none, ltp or death, as in the outcomes file"),
    Column("outcome_days", "number", "d", "Days from ablation to the event, or to the last follow-up without one"),
    Column("outcome_excluded", "text", "", "Why the lesion is not in the survival analysis; empty where it is"),
)
"""Columns that a table with outcomes has too."""


def distance_columns(cases: Iterable[Json]) -> tuple[Column, ...]:
    """Return a column for each kind of distance that some lesion has."""
    kinds = {
        (str(distance.get("from")), str(distance.get("structure")))
        for case in cases for lesion in case["lesions"] for distance in lesion.get("distances") or ()
    }  # fmt: skip
    return tuple(
        Column(distance_name(*kind), "number", "mm", f"Least distance from the {kind[0]} to {kind[1]}", (), APART_SIGN)
        for kind in sorted(kinds)
    )


def distance_name(from_: str, structure: str) -> str:
    """Return the name of a distance's column."""
    return re.sub(r"[^a-z0-9]+", "_", f"distance_{from_}_{structure}_mm".lower())
