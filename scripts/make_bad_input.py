#!/usr/bin/env python3
"""Make the corpus of bad input that `docs/reference/bad_input.md` lists: 74 cases, some with variants (37a, 37b, ...).

Each case is a folder `OUTPUT/NUMBER` with the studies `pre/` and `post/`, small and sound but for the one fault, and,
where its call is not `ablation review pre post -o out --registration identity`, a `call.json` with any of

- `pre`, `post`, `out`, `case`: other paths, relative to the case's folder; `case` is a case file;
- `arguments`: more arguments;
- `line`: another command line altogether;
- `unprivileged`: the call must not be root's, whom no file mode keeps out;
- `when_opened`: while the command runs, `python make_bad_input.py --change CASE_FOLDER` must run, too: it holds a lease
  (fcntl F_SETLEASE) on `file`, so that whoever opens that waits until `take` has been moved to `to`. `file` is
  no DICOM file and the last by name: the command opens it once, after the headers and before the pixels.

Little disk is needed: bombs are small, and what must be large is sparse. 36a writes 60 MB. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bad_input.base import CASES, make

for part in ("files", "sizes", "values", "series", "masks", "injection"):
    importlib.import_module(f"bad_input.{part}")


def wanted(asked: list[str]) -> list[str]:
    """Return the numbers of cases: all, or those asked for, a bare number with all its variants."""
    if not asked:
        return list(CASES)
    found = [number for number in CASES if number in asked or number.rstrip("abcdefghijklmnopqrstuvwxyz") in asked]
    unknown = [a for a in asked if not any(a in (n, n.rstrip("abcdefghijklmnopqrstuvwxyz")) for n in CASES)]
    if unknown:
        raise SystemExit(f"no case {', '.join(unknown)}")
    return found


def change_when_opened(folder: Path, timeout_s: float) -> bool:
    """Move a case's changed file into place at the moment somebody opens the watched one; return whether one did."""
    said = json.loads((folder / "call.json").read_text())["when_opened"]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    watched = os.open(folder / said["file"], os.O_RDONLY)
    fcntl.fcntl(watched, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    print("watching", flush=True)
    opened = signal.sigtimedwait([signal.SIGIO], timeout_s) is not None
    if opened:
        (folder / said["take"]).replace(folder / said["to"])
    os.close(watched)  # lets go of the lease, and whoever waits may open the file
    return opened


def main() -> int:
    """Make cases, or play the one who changes a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="folder for the cases")
    parser.add_argument("--case", nargs="+", default=[], help="only these: 37 (all its variants) or 37c")
    parser.add_argument("--seed", type=int, default=1, help="decides what is random (default 1)")
    parser.add_argument("--list", action="store_true", help="print the numbers of the cases")
    parser.add_argument("--change", type=Path, metavar="CASE_FOLDER", help="see above")
    asked = parser.parse_args()
    if asked.list:
        print(" ".join(CASES))
    elif asked.change is not None:
        return 0 if change_when_opened(asked.change, 60.0) else 1
    elif asked.output is None:
        parser.error("--output is missing")
    else:
        for number in wanted(asked.case):
            make(number, asked.output, asked.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
