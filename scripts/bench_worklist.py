#!/usr/bin/env python3
"""CPU time of a batch's worklist and of a batch that has nothing to do, over made-up results.

Results are as large as that of a case of three lesions (`--kilobytes`), a tenth of the cases has none. A row for each
count of `--cases`: the first page, the next with nothing changed, with one result changed, a run of the batch that has
nothing to do, and the page's size; with --browser how long it takes from opening the file until the page answers, and
to sort, filter and find.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench_margin import show

from pipelines.batch.case_folder import FAILURE, KEY
from pipelines.batch.manifest import Row
from pipelines.batch.runner import Batch
from pipelines.batch.worklist import PAGE, known_results, write_worklist

TESTS = Path(__file__).resolve().parents[1] / "tests"
DIRECTIONS = ("anterior", "posterior-left", "right-superior", "inferior")
FLAGS = ("thick_slices", "few_voxels_across", "liver_sliver")
CHECK = {"name": "predicted_error", "value": 1.0, "unit": "mm", "passed": True, "warned": False, "text": "made up"}


def a_lesion(draw: random.Random, lesion_id: str) -> dict[str, Any]:
    """Return a lesion of a made-up `result.json`."""
    status = draw.choices(("assessed", "not_treated", "not_assessable"), (90, 4, 6))[0]
    least = round(draw.gauss(5.0, 4.0), 4) if status == "assessed" else None
    ends = [None, None] if least is None else [round(least - draw.uniform(0.5, 2), 4), round(least + 1.5, 4)]
    reasons = [] if least is not None else [{"field": "margin", "code": "made-up", "text": "a made-up reason"}]
    return {
        "lesion_id": lesion_id, "status": status, "reasons": reasons, "zones": [lesion_id],
        "registration_error_mm": round(draw.uniform(0.8, 4.0), 4),
        "margin": {"min_mm": least, "ci95_mm": ends, "direction": draw.choice(DIRECTIONS), "definition": "parenchymal",
                   "flags": [flag for flag in FLAGS if least is not None and draw.random() < 0.15]},
    }  # fmt: skip


def a_result(draw: random.Random, case_id: str, kilobytes: float = 0.0) -> dict[str, Any]:
    """Return a made-up `result.json`, filled up to a size."""
    gate = draw.choices(("pass", "warn", "fail"), (85, 10, 5))[0]
    lesions = [a_lesion(draw, str(n)) for n in range(1, draw.choice((1, 1, 2, 3, 4)) + 1)]
    cautions = [{"field": None, "code": "made-up", "text": "a made-up caution"}] if draw.random() < 0.1 else []
    verdicts = [
        {"verdict": draw.choice(("pass", "caution", "fail", "not_evaluable")), "borderline": draw.random() < 0.1}
        for _ in range(6)
    ]
    made = {
        "schema_version": 1, "case_id": case_id, "patient_key": case_id, "reasons": cautions, "lesions": lesions,
        "status": "assessed" if any(lesion["status"] == "assessed" for lesion in lesions) else "not_assessable",
        "timing": {"post_number": 1, "posts": 1, "days_since_ablation": None},
        "registration": {"transform": "deformable", "passed": True, "checks": [CHECK],
                         "zones": {"1": {"gate": gate, "checks": []}}},
        "guidelines": verdicts, "provenance": {"software_version": "0.1.0"},
    }  # fmt: skip
    left = 1000.0 * kilobytes - len(json.dumps(made))
    made["findings"] = [{"name": f"made.up_{n}", "value": n / 7, "reason": "x" * 150} for n in range(int(left / 215))]
    return made


def write_batch(out: Path, count: int, seed: int, kilobytes: float = 0.0) -> list[str]:
    """Write the folders of a made-up batch, a tenth of them failed; return the ids of its cases."""
    draw = random.Random(seed)  # noqa: S311 - made-up numbers, no secret
    case_ids = [f"c-{number:05d}" for number in range(count)]
    for number, case_id in enumerate(case_ids):
        folder = out / case_id
        folder.mkdir(parents=True)
        (folder / KEY).write_text(json.dumps({"key": case_id}))
        if number % 10 == 7:
            failure = {"case_id": case_id, "code": "killed", "text": "its process was ended", "attempts": 1}
            (folder / FAILURE).write_text(json.dumps(failure))
            continue
        (folder / "report.html").write_text(f"<!DOCTYPE html><title>Report of {case_id}</title>")
        (folder / "result.json").write_text(json.dumps(a_result(draw, case_id, kilobytes)))
    return case_ids


def cpu_s(work: Callable[[], object]) -> float:
    """Return the CPU time of some work, s."""
    start = time.process_time()
    work()
    return time.process_time() - start


def no_op(out: Path, case_ids: list[str]) -> None:
    """Run the batch of all finished cases: none is started."""
    finished = [name for name in case_ids if (out / name / "result.json").exists()]
    rows = [Row(name, "", out, out, None, ()) for name in finished]

    def never(*_: object) -> list[str]:
        raise RuntimeError("a finished case was begun again")

    Batch(out, never, lambda row: row.case_id, 1, 60.0, known_results(out)).run(rows, never_mind)
    write_worklist(out, case_ids)


def never_mind(*_: object) -> None:
    """Say nothing of what became of a case."""


def in_browser(page: Path) -> Iterator[tuple[str, float]]:
    """Yield what a reader waits for, ms."""
    sys.path.insert(0, str(TESTS))
    from browser import opened

    start = time.monotonic()
    with opened(page) as seen:
        seen.ready()
        yield "ready ms", 1000 * (time.monotonic() - start)
        steps = {
            "sort ms": "document.querySelector('[data-sort=lesions] button').click()",
            "filter ms": "document.querySelector('[value=\"below-0\"]').click()",
            "find ms": "(() => { const f = document.getElementById('find'); f.value = '99';"
            " f.dispatchEvent(new Event('input')); })()",
        }
        for name, step in steps.items():
            # Until the next frame: with the layout that the step asks for.
            timed = f"() => {{ const t = performance.now(); {step}; document.body.offsetHeight;"
            yield name, seen.page.evaluate(f"{timed} return performance.now() - t; }}")


def measured(count: int, seed: int, kilobytes: float, *, browser: bool) -> dict[str, Any]:
    """Return the row of a count of cases."""
    out = Path(tempfile.mkdtemp(prefix="bench_worklist_"))
    try:
        case_ids = write_batch(out, count, seed, kilobytes)
        time.sleep(2.1)  # files that changed just now are read again: see SETTLED_NS
        row: dict[str, Any] = {"cases": count, "first s": cpu_s(lambda: write_worklist(out, case_ids))}
        row["unchanged s"] = cpu_s(lambda: write_worklist(out, case_ids))
        changed = out / case_ids[0] / "result.json"
        changed.write_bytes(changed.read_bytes() + b"\n")
        row["one changed s"] = cpu_s(lambda: write_worklist(out, case_ids))
        time.sleep(2.1)
        write_worklist(out, case_ids)
        row["no-op batch s"] = cpu_s(lambda: no_op(out, case_ids))
        row["page MB"] = (out / PAGE).stat().st_size / 1e6
        return row | (dict(in_browser(out / PAGE)) if browser else {})
    finally:
        shutil.rmtree(out)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7000)
    parser.add_argument("--cases", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--kilobytes", type=float, default=210.0, help="size of a result")
    parser.add_argument("--browser", action="store_true", help="time the page in Debian's Chromium, too")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [measured(count, asked.seed, asked.kilobytes, browser=asked.browser) for count in asked.cases]
    print(f"results of {asked.kilobytes:g} kB, seed {asked.seed}; CPU seconds; in the browser wall-clock ms")
    show(rows)
    if asked.json:
        asked.json.write_text(json.dumps({"seed": asked.seed, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
