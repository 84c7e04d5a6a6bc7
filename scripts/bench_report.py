#!/usr/bin/env python3
"""What a report weighs, costs to make and takes to open, by number of lesions and by what it holds of both images.

Each of `--cases` synthetic patients is reviewed once; a report of n lesions shows its lesions in turn until there are n
of them. CPU seconds are those of this process, by part; a report is ready when it says so in headless Chromium with
software GL, opened from its folder (median of 3). Wanted of four lesions: at most 25 MB, 10 s CPU, ready in 6 s.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from bench_margin import show
from browser import chromium, opened

from pipelines.figures import MatplotlibIllustrator
from pipelines.ports import Pages, ReportVolume, Review
from pipelines.sample import write_sample
from pipelines.settings import Settings
from pipelines.source import FolderSource
from pipelines.viewer import made_viewer
from pipelines.wire import render, review_folders

OPENED = 3


class Kept:
    """A store that keeps the review in memory."""

    def prepare(self) -> None:
        pass

    def put(self, review: Review, pages: Pages) -> None:
        self.review, self.pages = review, pages


def reviewed(seed: int) -> Review:
    with tempfile.TemporaryDirectory() as folder:
        write_sample(seed, Path(folder))
        source = FolderSource(Path(folder, "pre"), Path(folder, "post"), Path(folder, "case.toml"), "bench")
        return review_folders(source, Kept(), Settings(report_volume="none"), lambda *_: None)


def with_lesions(review: Review, count: int) -> Review:
    """Return the review with so many lesions: its own in turn, numbered anew."""
    lesions = islice(cycle(review.assessment.lesions), count)
    numbered = tuple(replace(one, lesion_id=str(n + 1)) for n, one in enumerate(lesions))
    tumours = review.intake.case.pre.tumours
    own = {f"tumour_{n + 1}": mask for n, mask in enumerate(islice(cycle(tumours.values()), count))}
    case = review.intake.case
    pre = replace(case.pre, masks={**{r: m for r, m in case.pre.masks.items() if not r.startswith("tumour_")}, **own})
    intake = replace(review.intake, case=replace(case, pre=pre))
    return replace(review, intake=intake, assessment=replace(review.assessment, lesions=numbered))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def rows_of(seed: int, review: Review, counts: list[int], volumes: list[ReportVolume]) -> Iterator[dict[str, Any]]:
    for count in counts:
        several = with_lesions(review, count)
        case, assessment = several.intake.case, several.assessment
        figures, figures_s = timed(lambda c=case, a=assessment: MatplotlibIllustrator().draw(c, a))
        for volume in volumes:
            print(f"seed {seed}: {count} lesions, {volume}", file=sys.stderr)
            (viewer, _), viewer_s = timed(lambda c=case, a=assessment, v=volume: made_viewer(c, a, v))
            pages, pages_s = timed(lambda r=several, f=figures, v=volume: render(r, f, v))
            html = pages.html.encode("utf-8")
            yield {
                "seed": seed, "lesions": count, "report_volume": volume, "report_mb": len(html) / 1e6,
                "figures_mb": sum(len(one.content) for one in figures) * 4 / 3 / 1e6,
                "viewer_mb": 0.0 if viewer is None else (len(viewer.data) + sum(map(len, viewer.scripts))) / 1e6,
                "figures_cpu_s": figures_s, "viewer_cpu_s": viewer_s, "page_and_pdf_cpu_s": pages_s - viewer_s,
                "cpu_s": figures_s + pages_s, "ready_s": ready_s(html) if viewer else None,
            }  # fmt: skip


def ready_s(html: bytes) -> float:
    """Return the median seconds from opening the page until it says that it shows all it has."""
    chromium()
    took = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        path.write_bytes(html)
        for _ in range(OPENED):
            start = time.monotonic()
            with opened(path) as seen:
                if seen.ready() != "viewer":
                    raise SystemExit(f"the viewer did not start: {seen.page.inner_text('#viewer-note')}")
                took.append(time.monotonic() - start)
    return statistics.median(took)


def main() -> None:
    """Make the reports and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7600)
    parser.add_argument("--cases", type=int, default=1)
    parser.add_argument("--lesions", type=int, nargs="+", default=[1, 3, 4, 12])
    parser.add_argument("--volumes", nargs="+", choices=["none", "roi", "full"], default=["none", "roi"])
    parser.add_argument("--review", type=Path, help="a pickled review in place of the patients, from a run of ours")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.review:
        reviews = [(asked.seed, pickle.loads(asked.review.read_bytes()))]  # noqa: S301 - a file that the caller made
    else:
        reviews = [(asked.seed + n, reviewed(asked.seed + n)) for n in range(asked.cases)]
    rows = [row for seed, one in reviews for row in rows_of(seed, one, asked.lesions, asked.volumes)]
    show(rows)
    if asked.json:
        asked.json.write_text(json.dumps({"seed": asked.seed, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
