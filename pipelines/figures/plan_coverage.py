"""The area of a target in every slice of the planning scan, and what of it the zones hold."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure as Canvas

from pipelines.figures import style
from planner.plan.slices import Slices

COVERED, HATCH = "#A6A6A6", "////"
AXES = ("from the patient's right (R) to the left (L)", "from front (A) to back (P)", "from feet (I) to head (S)")


def draw_coverage(lesion_id: str, slices: Slices) -> Canvas | None:
    """Return the area of the target by slice, held by zones and not; None where the scan shows none of it."""
    if not slices.all:
        return None
    figure = style.canvas(9.6, 2.9)
    ax = figure.subplots()
    figure.subplots_adjust(left=0.075, right=0.99, bottom=0.2, top=0.8)
    ordered = sorted(slices.all, key=lambda one: one.at_mm)
    at = np.array([one.at_mm for one in ordered])
    target = np.array([one.target_mm2 for one in ordered]) / 100.0
    uncovered = np.array([one.uncovered_mm2 for one in ordered]) / 100.0
    width = float(np.diff(at).min()) if len(at) > 1 else 1.0
    ax.bar(at, target - uncovered, width, color=COVERED, edgecolor="white", linewidth=0.4, label="held by a zone")
    bars = ax.bar(at, uncovered, width, bottom=target - uncovered, color=style.UNCOVERED.colour, edgecolor="white",
                  linewidth=0.4, label="in no zone")  # fmt: skip
    for bar in bars:
        bar.set(hatch=HATCH, edgecolor=style.INK)
    ax.set_xlabel(f"slice, mm, {AXES[slices.axis]}", fontsize=9)
    ax.set_ylabel("area of the target, cm²", fontsize=9)
    ax.tick_params(labelsize=8.5)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=8.5, frameon=False)
    figure.suptitle(f"Lesion {lesion_id}: area of the target by slice", fontsize=11, fontweight="bold", x=0.075,
                    ha="left", y=0.97)  # fmt: skip
    return figure
