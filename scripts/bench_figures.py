#!/usr/bin/env python3
"""CPU time and bytes of the figures of a case's lesions, by kind; the sample patient, else PRE and POST.

Bytes are those in the page (a data URI); beside them those of the same picture as PNG at 110 dots an inch, in base64.
Drawn `--repeats` times, the least CPU time counts.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench_margin import show

from pipelines.figures import MatplotlibIllustrator
from pipelines.figures.export import exported
from pipelines.ports import Pages, Review
from pipelines.settings import Settings
from pipelines.source import FolderSource
from pipelines.wire import review_folders
from planner.report.figure import KINDS, Figure
from planner.report.page import picture

SAMPLE = Path(__file__).resolve().parents[1] / "sample_data"
PNG_DPI = 110


@dataclass
class Kept:
    """Keeps the review itself, and no files."""

    reviews: list[Review] = field(default_factory=list)

    def prepare(self) -> None:
        """Do nothing."""

    def put(self, review: Review, pages: Pages) -> None:  # noqa: ARG002 - the store's verb
        """Keep the review."""
        self.reviews.append(review)


def reviewed(pre: Path, post: Path, case: Path | None) -> Review:
    """Return the review of two folders."""
    kept = Kept()
    review_folders(FolderSource(pre, post, case), kept, Settings(), lambda *_: None)  # type: ignore[arg-type]  # it keeps no files
    return kept.reviews[0]


def kilobytes(figures: list[Figure]) -> tuple[float, float]:
    """Return the kilobytes of figures in the page, and as PNG."""
    in_page = sum(len(picture(figure).source) for figure in figures)
    as_png = sum(4 * len(exported(figure, "png", PNG_DPI)) / 3 for figure in figures)
    return in_page / 1000.0, as_png / 1000.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pre", type=Path, default=SAMPLE / "pre")
    parser.add_argument("--post", type=Path, default=SAMPLE / "post")
    parser.add_argument("--case", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    case = asked.case or (SAMPLE / "case.toml" if asked.pre == SAMPLE / "pre" else None)
    print_table(reviewed(asked.pre, asked.post, case), asked.repeats, asked.json)


def print_table(review: Review, repeats: int, json_path: Path | None) -> None:
    """Print CPU time and bytes of a review's figures, a lesion."""
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
    if json_path is not None:
        json_path.write_text(json.dumps({"cpu_s_a_lesion": min(took) / lesions, "kinds": table}, indent=1))


if __name__ == "__main__":
    main()
