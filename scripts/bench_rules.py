#!/usr/bin/env python3
"""CPU time of the guideline catalogue per case of three lesions: judging, unlocking facts, and reading the files once.

`--cases` random cases (scripts/random_cases.py), each judged as a review and as a plan; best of `--repeats` for each
case, then the mean and the largest over cases.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from bench_margin import show
from random_cases import RULES, Draw, a_case

from pipelines.catalogue import packaged_catalogue
from planner.guideline.judge import judge_case
from planner.guideline.phases import judged_by
from planner.guideline.unlock import unlocking_facts

WANTED_MS = 50.0


def cpu_ms(work: Callable[[], object], repeats: int) -> float:
    """Return the least CPU time of some work, ms."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        found.append(1000.0 * (time.process_time() - start))
    return min(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=500)
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    draw = Draw(asked.seed)
    reviewed = [rule for rule in RULES if judged_by("review", rule)]
    times: dict[str, list[float]] = {}
    for _ in range(asked.cases):
        facts, lesions, case = a_case(draw)
        while len(lesions) < 3:
            facts, lesions, case = a_case(draw)
        works: dict[str, Callable[[], object]] = {
            "review: every rule": lambda f=facts, x=lesions, c=case: judge_case(RULES, x, c, f, "review"),
            "plan: every rule": lambda f=facts, x=lesions, c=case: judge_case(RULES, x, c, f, "plan"),
            "review: facts that unlock": lambda f=facts, x=lesions, c=case: unlocking_facts(reviewed, x, c, f),
        }
        for name, work in works.items():
            times.setdefault(name, []).append(cpu_ms(work, asked.repeats))
    packaged_catalogue.cache_clear()
    times["reading and proving the files"] = [cpu_ms(packaged_catalogue, 1)]
    rows = [
        {"what": name, "mean ms": round(sum(found) / len(found), 1), "largest ms": round(max(found), 1)}
        for name, found in times.items()
    ]
    print(
        f"{len(RULES)} rules, {asked.cases} cases of three lesions, seed {asked.seed}; wanted {WANTED_MS:g} ms per case"
    )
    show(rows)
    if asked.json:
        asked.json.write_text(json.dumps({"seed": asked.seed, "rules": len(RULES), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
