"""A child that stands in for a review: what it does is written in the file it is given as PRE.

Run as `python batch_child.py PRE FOLDER CASE_ID STARTS`; it notes each start in STARTS. Also a driver to be killed:
`python batch_child.py MANIFEST OUT STARTS`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
STEPS_S = 0.02
EMPTY = {"refuse": "tumour_1", "refuse otherwise": "ablation_1"}
TWO_PATIENTS = {"field": None, "code": "different-patients", "text": "PRE and POST state different patients"}
REASONS = {"two patients": [TWO_PATIENTS]}


def main() -> None:
    pre, folder, case_id, starts = sys.argv[1:]
    with Path(starts).open("a", encoding="utf-8") as stream:
        stream.write(f"{case_id} {os.getpid()}\n")
    what = Path(pre).read_text(encoding="utf-8")
    if what == "raise":
        raise ZeroDivisionError("of Jane Doe, born 1960-01-01")
    if what in EMPTY:
        sys.exit(say(3, f"error [empty-mask]: {EMPTY[what]}: the mask is empty"))
    if what == "no result":
        sys.exit(0)
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    if what == "leave one behind":
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(folder, "left.txt").write_text(str(left.pid), encoding="utf-8")
    if what == "slow":
        write_slowly(Path(folder), case_id)
    else:
        write(Path(folder), case_id, REASONS.get(what, ()))
    sys.exit(4 if what == "gate" else 0)


def say(code: int, line: str) -> int:
    sys.stderr.write(f"{line}\n")
    return code


def write(folder: Path, case_id: str, reasons=()) -> None:
    document = {"schema_version": 1, "case_id": case_id, "status": "assessed", "reasons": reasons, "lesions": []}
    Path(folder, ".result").write_text(json.dumps(document), encoding="utf-8")
    Path(folder, ".result").replace(folder / "result.json")


def write_slowly(folder: Path, case_id: str) -> None:
    time.sleep(10 * STEPS_S)
    write(folder, case_id)
    time.sleep(STEPS_S)


def drive() -> None:
    """Run a batch of such children in this process."""
    sys.path.insert(0, str(HERE.parents[1]))
    from pipelines.batch.manifest import read_manifest
    from pipelines.batch.runner import Batch

    manifest, out, starts = map(Path, sys.argv[1:])
    Batch(out, fake(starts), str, 2, 60.0).run(read_manifest(manifest), lambda what, tally: None)


def fake(starts: Path):
    """Return the command of the stand-in."""
    return lambda row, folder: [sys.executable, "-S", str(HERE), str(row.pre), str(folder), row.case_id, str(starts)]


if __name__ == "__main__":
    drive() if len(sys.argv) == 4 else main()
