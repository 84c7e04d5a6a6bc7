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
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench_margin import show
from made_up_batch import write_batch

from pipelines.batch.manifest import Row
from pipelines.batch.runner import Batch
from pipelines.batch.worklist import PAGE, known_results, write_worklist

TESTS = Path(__file__).resolve().parents[1] / "tests"


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
