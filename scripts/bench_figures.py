#!/usr/bin/env python3
"""CPU time and bytes of the figures of synthetic patients' lesions, by kind.

Bytes are those in the page (a data URI); beside them those of the same picture as PNG at 110 dots an inch, in base64.
Drawn `--repeats` times, the least CPU time counts.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from bench_margin import show
from bench_report import reviewed

from pipelines.figures import MatplotlibIllustrator
from pipelines.figures.export import exported
from pipelines.ports import Review
from planner.report.figure import KINDS, Figure
from planner.report.page import picture

PNG_DPI = 110


def kilobytes(figures: list[Figure]) -> tuple[float, float]:
    """Return the kilobytes of figures in the page, and as PNG."""
    in_page = sum(len(picture(figure).source) for figure in figures)
    as_png = sum(4 * len(exported(figure, "png", PNG_DPI)) / 3 for figure in figures)
    return in_page / 1000.0, as_png / 1000.0


def main() -> None:
    """Print a table for each patient."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7600)
    parser.add_argument("--cases", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.cases)
    tables = [{"seed": seed, **print_table(reviewed(seed), asked.repeats)} for seed in seeds]
    if asked.json:
        asked.json.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


def print_table(review: Review, repeats: int) -> dict[str, Any]:
    """Print CPU time and bytes of a review's figures, a lesion, and return them."""
    figures: tuple[Figure, ...] = ()
    took = []
    for _ in range(repeats):
        start = time.process_time()
        figures = MatplotlibIllustrator().draw(review.intake.case, review.assessment)
        took.append(time.process_time() - start)
    lesions = len({figure.lesion_id for figure in figures}) or 1
    table = {}
    for kind in KINDS:
        of_kind = [figure for figure in figures if figure.kind == kind]
        if of_kind:
            in_page, as_png = kilobytes(of_kind)
            table[kind] = {"in the page, kB": in_page / lesions, "as PNG, kB": as_png / lesions}
    table["all"] = {name: sum(row[name] for row in table.values()) for name in ("in the page, kB", "as PNG, kB")}
    print(f"{lesions} lesions; CPU a lesion {min(took) / lesions:.2f} s; a lesion:")
    show([{"kind": kind, **{name: round(value) for name, value in row.items()}} for kind, row in table.items()])
    return {"cpu_s_a_lesion": min(took) / lesions, "kinds": table}


if __name__ == "__main__":
    main()
