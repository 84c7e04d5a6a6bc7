#!/usr/bin/env python3
"""Fuzz the readers of SEG, RTSTRUCT, NIfTI and NRRD files with hypothesis, and keep each file that is a find.

Every reader works in a process of its own, so that a crash is seen. A find is a crash, a hang, an error that is not
ours, a message that is no line, or a truncated file that gives other masks than before without a word. Prints a table;
exit code 1 where there are finds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

BATCH = 300


def work(reader: str, seed: int, seconds: float, finds: Path, cases: int) -> None:
    """Fuzz one reader until its time is over; one line of JSON per batch."""
    from fuzzed import SUFFIXES, fuzz

    warnings.simplefilter("ignore")
    count, started = 0, time.monotonic()

    def keep(kind: str, data: bytes, fault: str) -> None:
        nonlocal count
        count += 1
        (finds / f"{reader}_{seed}_{count}{SUFFIXES[reader]}").write_bytes(data)
        (finds / f"{reader}_{seed}_{count}.txt").write_text(f"{kind}: {fault}\n")

    done, number = 0, seed
    while time.monotonic() - started < seconds and (not cases or done < cases):
        tally = fuzz(reader, number, min(BATCH, cases - done) if cases else BATCH, keep)
        done += sum(tally.outcomes.values())
        print(json.dumps({"outcomes": tally.outcomes, "finds": tally.finds}), flush=True)
        number += 1_000_003


def main() -> int:
    """Share the time among the readers, print the table and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all readers together [10]")
    parser.add_argument("--cases", type=int, default=0, help="files per reader instead of the time")
    parser.add_argument("--keep", type=Path, default=Path("fuzz_finds"), help="folder for files that are finds")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0.0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        work(arguments.only, arguments.seed, arguments.seconds, arguments.keep, arguments.cases)
        return 0
    from fuzzed import READERS

    arguments.keep.mkdir(parents=True, exist_ok=True)
    seconds = 3600.0 if arguments.cases else 60 * arguments.minutes / len(READERS)
    rows = {}
    print(f"seed {arguments.seed}, {seconds:.0f} s a reader at most\n")
    print(f"{'reader':<12}{'files':>8}{'same':>8}{'refused':>9}{'other':>8}{'crash':>7}{'finds':>7}")
    for reader in READERS:
        rows[reader] = row = fuzzed_apart(reader, arguments.seed, seconds, arguments.keep, arguments.cases)
        print(
            f"{reader:<12}{row['files']:>8}{row['same']:>8}{row['refused']:>9}{row['other']:>8}{row['crashes']:>7}"
            f"{len(row['finds']):>7}"
        )
        for find, times in Counter(row["finds"]).items():
            print(f"    {times} x {find}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"seed": arguments.seed, "readers": rows}, indent=1))
    bad = sum(len(row["finds"]) + row["crashes"] for row in rows.values())
    print(f"\n{sum(row['files'] for row in rows.values())} files, {bad} finds")
    return 1 if bad else 0


def fuzzed_apart(reader: str, seed: int, seconds: float, keep: Path, cases: int) -> dict:
    """Fuzz one reader in processes of their own; one that crashes is followed by another with the next seed."""
    total, finds, crashes, began = Counter(), [], 0, time.monotonic()
    while (left := seconds - (time.monotonic() - began)) > 0 and crashes < 20:
        command = [sys.executable, __file__, "--only", reader, "--seed", str(seed + crashes), "--keep", str(keep)]
        command += ["--seconds", str(left), "--cases", str(max(cases - sum(total.values()), 1) if cases else 0)]
        ran = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"}
        )
        for line in ran.stdout.splitlines():
            batch = json.loads(line)
            total.update(batch["outcomes"])
            finds += batch["finds"]
        if ran.returncode == 0:
            break
        crashes += 1
        finds.append(f"process ended with {ran.returncode}: {ran.stderr.strip().splitlines()[-1:]}")
    shown = {name: total[name] for name in ("same", "refused", "other")}
    return {"files": sum(total.values()), "finds": finds, "crashes": crashes, **shown}


if __name__ == "__main__":
    sys.exit(main())
