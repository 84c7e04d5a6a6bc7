#!/usr/bin/env python3
"""How often `ablation pair` finds the true pairs of synthetic trees, how often it lists, and that it picks none wrong.

`--cases` patients by recipes (scripts/pair_trees.py): every phase, copies, reformats, localizers, missing and doubled
masks, one or two ablations, dates gone, equal, exchanged or shifted, ids missing or shared. A patient is
right: every true pair was proposed and no other. listed: no pair, but it is among the undecided; rightly so where no
pair is true. partly: some true pairs were proposed, and it is among the undecided. WRONG: a pair that is not true.
lost: a true pair is missing and nothing says so.
Time: `--files` small files indexed by a process of its own, without a cache, from it, and after one file changed;
CPU seconds of the command with the processes that read for it (Linux). Rules were tuned on seeds 1 to 3; report others.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench_margin import show
from pair_trees import Maker, Patient, images, patients, write_tree

from pipelines.dicom.index import patient_hash
from pipelines.pairing.run import pair_tree
from planner.marks import uid_mark

PR_SET_CHILD_SUBREAPER = 36
"""Asks Linux to hand us the children that a command leaves, so that their CPU counts."""

OUTCOMES = ("right", "partly", "listed", "listed rightly", "lost", "WRONG")


def outcome(patient: Patient, picked: set[tuple[str, str]], *, listed: bool) -> str:
    """Return what became of a patient."""
    truth = {(uid_mark(pre), uid_mark(post)) for pre, post in patient.truth}
    if picked - truth:
        return "WRONG"
    if picked == truth and picked:
        return "right"
    if not listed:
        return "lost"
    if picked:
        return "partly"
    return "listed" if truth else "listed rightly"


def held_against_truth(seed: int, count: int) -> list[dict[str, str]]:
    """Return a row per patient of a tree."""
    made = patients(seed, count)
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder) / "tree", Path(folder) / "pairs"
        write_tree(made, root, seed)
        found = pair_tree(root, out, None).proposal
        written = "".join(p.read_text() for p in out.rglob("*") if p.is_file()).replace(folder, "")
    for name in ("^", *(p.id for p in made if p.id), *(p.born for p in made)):
        if name in written:
            raise SystemExit("a name, an id or a birth date was written")
    rows = []
    for patient in made:
        key = patient_hash(patient.id, "")
        own = {uid_mark(s.uid) for study in patient.studies for s in study.scans}
        picked = {(p.pre.mark, p.post.mark) for p in found.pairs if p.pre.mark in own or p.post.mark in own}
        entries = [u for u in found.undecided if own & {c.series.mark for c in u.candidates}]
        what = outcome(patient, picked, listed=bool(entries))
        rows.append({"recipe": patient.recipe, "outcome": what, "patient": key,
                     "code": ", ".join(sorted({u.code for u in entries})), "seed": str(seed)})  # fmt: skip
    return rows


def table(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return counts by recipe and of all."""
    made = []
    for recipe in (*sorted({row["recipe"] for row in rows}), "all"):
        count = Counter(row["outcome"] for row in rows if recipe in (row["recipe"], "all"))
        codes = Counter(row["code"] for row in rows if row["recipe"] == recipe and row["code"])
        made.append({"recipe": recipe, "patients": sum(count.values()), **{o: count[o] for o in OUTCOMES},
                     "why listed": "; ".join(f"{n} {code}" for code, n in codes.most_common(3))})  # fmt: skip
    return made


def indexing(seed: int, count: int) -> list[dict[str, Any]]:
    """Return a row per pass over a tree of `count` small files."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    make = Maker(seed)
    with tempfile.TemporaryDirectory() as folder:
        root, cache, written = Path(folder) / "tree", Path(folder) / "cache", 0
        number = 0
        last = root
        while written < count:
            patient = make.patient(number, "plain")
            number += 1
            for study in patient.studies:
                for scan in study.scans:
                    at = root / f"{number:04d}" / scan.uid[-6:]
                    at.mkdir(parents=True)
                    for n, content in enumerate(images(scan)[: count - written]):
                        last = at / f"{n:04d}.dcm"
                        last.write_bytes(content)
                        written += 1
        rows = [
            _pass("without a cache", root, Path(folder), cache, "--no-cache"),
            _pass("first", root, Path(folder), cache),
        ]
        rows.append(_pass("again, from the cache", root, Path(folder), cache))
        last.write_bytes(last.read_bytes() + b"\0\0")
        rows.append(_pass("one file changed", root, Path(folder), cache))
        last.unlink()
        rows.append(_pass("one file gone", root, Path(folder), cache))
    return [{"files": count, **row} for row in rows]


def _pass(what: str, root: Path, folder: Path, cache: Path, *options: str) -> dict[str, Any]:
    out = Path(tempfile.mkdtemp(dir=folder)) / "pairs"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pipelines.cli", "pair", str(root), "-o", str(out), "--quiet", *options]
    done = subprocess.run(command, env={**os.environ, "XDG_CACHE_HOME": str(cache)}, check=False, capture_output=True)  # noqa: S603
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr.decode())
    with suppress(ChildProcessError):  # the processes that read for it, which it leaves to end by themselves
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size_mb = sum(p.stat().st_size for p in cache.rglob("*.json")) / 1e6 if cache.is_dir() else 0.0
    return {"pass": what, "cpu_s": round(cpu_s, 2), "cache_mb": round(size_mb, 2)}


def main() -> None:
    """Make trees, pair them, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=101, help="first seed")
    parser.add_argument("--cases", type=int, default=200, help="patients of the tree of each seed")
    parser.add_argument("--seeds", type=int, default=1, help="trees, of this and further seeds")
    parser.add_argument("--files", type=int, default=10_000, help="files of the tree that is timed; 0: none is")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    timed = indexing(options.seed, options.files) if options.files else []  # before we have processes of our own
    rows = [row for n in range(options.seeds) for row in held_against_truth(options.seed + n, options.cases)]
    document: dict[str, Any] = {"seed": options.seed, "rows": rows, "table": table(rows)}
    show(document["table"])
    if timed:
        document["time"] = timed
        print()
        show(timed)
    if options.json:
        options.json.write_text(json.dumps(document) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
