"""The corpus of bad input ends as `docs/reference/bad_input.md` says: case by case, through the command."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_runs import LEFT_BEHIND, ROOT, Ran, ablation, environment

import pipelines.wire

sys.path.insert(0, str(ROOT / "scripts"))

import make_bad_input
from own_scripts import without_own_scripts

pytestmark = pytest.mark.slow

TABLE = ROOT / "docs" / "reference" / "bad_input.md"
CASES, MOST_S, MOST_BYTES = 74, 30, 3 * 2**30
APART = {"14e", "20", "21a", "22a", "23a", "26b", "32a", "33c"}
"""Cases that would take this process with them, if what refuses them were lost: run in one of their own."""

HIDDEN = ("<script>", "onerror", "=cmd|", "owned", "\x1b", "forged", "Invented", "INV-1", "19500101", "19820304")
"""What the files of some case hold and nothing that is written may."""

_CAPSET = (0x20080522, 0)
ALONE = """
import ctypes, json, resource, sys
said = json.loads(sys.argv[1])
if said["unprivileged"]:
    head, none = (ctypes.c_uint32 * 2)(*said["capset"]), (ctypes.c_uint32 * 6)()
    ctypes.CDLL(None).prctl(28, 3, 0, 0, 0)  # PR_SET_SECUREBITS: what root starts has no privileges either
    ctypes.CDLL(None, use_errno=True).capset(head, none)
resource.setrlimit(resource.RLIMIT_DATA, (said["bytes"], said["bytes"]))
from pipelines.cli.__main__ import main
main([a.encode("ascii").decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")
      for a in said["arguments"]], prog_name="ablation")
"""


@dataclass(frozen=True)
class Row:
    """What the table says of a case."""

    number: str
    wrong: str
    exit_code: int
    code: str
    said: str


def rows() -> list[Row]:
    """Return the rows of the table; a cell's \\| is a |."""
    found = []
    for line in TABLE.read_text("utf-8").splitlines():
        cells = [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 5 and re.fullmatch(r"\d+[a-z]?", cells[0]):
            found.append(Row(cells[0], cells[1], int(cells[2]), cells[3], cells[4]))
    return found


ROWS = rows()


@pytest.fixture(scope="module")
def corpus() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bad-input-") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def _without_pictures(monkeypatch):
    """Leave out the pictures, which take half of a review's time and are none of this file's business."""
    monkeypatch.setattr(pipelines.wire.MatplotlibIllustrator, "draw", lambda *_: ())


def tree(folder: Path, out: Path) -> dict[str, tuple[object, ...]]:
    """Return what lies in a folder but for OUT, without opening anything."""
    found: dict[str, tuple[object, ...]] = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if Path(parent, name) != out]
        for path in (Path(parent, name) for name in (*folders, *files)):
            status = path.lstat()
            link = str(path.readlink()) if path.is_symlink() else ""
            found[str(path)] = (status.st_mode, status.st_size if not path.is_dir() else 0, status.st_mtime_ns, link)
            if path.is_dir() and path == out.parent:
                found.pop(str(path))
    return found


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Let this process take no more memory than a reader may, and stop after the longest that a case may take."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"more than {MOST_S} s")

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    before = signal.signal(signal.SIGALRM, too_long)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, hard))
    signal.alarm(MOST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def peak_bytes(*, reset: bool = False) -> int:
    """Return the most memory that this process held since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(s for s in Path("/proc/self/status").read_text().splitlines() if s.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])


def here(arguments: list[str]) -> Ran:
    """Run the command in this process."""
    peak_bytes(reset=True)
    with limited():
        ran = ablation(*arguments)
    assert peak_bytes() <= MOST_BYTES
    return ran


def apart(arguments: list[str], *, unprivileged: bool) -> Ran:
    """Run the command in a process of its own, which root's privileges are taken from where they would matter."""
    said = {
        "unprivileged": unprivileged, "capset": _CAPSET, "bytes": MOST_BYTES,
        "arguments": ["".join(f"\\x{byte:02x}" for byte in os.fsencode(a)) for a in arguments],
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", ALONE, json.dumps(said)], env=environment(), timeout=MOST_S, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= MOST_BYTES
    return Ran(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def changing(folder: Path, call: dict[str, object]) -> Iterator[None]:
    """Have a file changed by another process while the command reads the study, where the case is about that."""
    if "when_opened" not in call:
        yield
        return
    command = [sys.executable, str(ROOT / "scripts" / "make_bad_input.py"), "--change", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "watching\n"
            yield
            assert other.wait(timeout=5) == 0, "nobody opened the watched file"
        finally:
            other.kill()


def arguments_of(call: dict[str, object]) -> list[str]:
    """Return the command line of a case."""
    if "line" in call:
        return list(call["line"])
    more = list(call.get("arguments", ()))
    if "--registration" not in more:
        more += ["--registration", "identity"]
    if "case" in call:
        more += ["--case", call["case"]]
    return ["review", call.get("pre", "pre"), call.get("post", "post"), "-o", call.get("out", "out"), "--quiet", *more]


def run(row: Row, folder: Path, call: dict[str, object]) -> Ran:
    """Run a case in its folder."""
    old = Path.cwd()
    os.chdir(folder)
    try:
        with changing(folder, call):
            if row.number in APART or call.get("unprivileged"):
                return apart(arguments_of(call), unprivileged=bool(call.get("unprivileged")))
            return here(arguments_of(call))
    finally:
        os.chdir(old)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_case_ends_as_the_table_says(corpus, row):
    folder = make_bad_input.make(row.number, corpus, seed=1)
    path = folder / "call.json"
    call = json.loads(path.read_text()) if path.is_file() else {}
    out = folder / call.get("out", "out")
    changes = ("changed", call["when_opened"]["to"], str(Path(call["when_opened"]["to"]).parent), "") if "when_opened" in call else ()  # fmt: skip  # noqa: E501
    before = tree(folder, out)
    ran = run(row, folder, call)
    after = tree(folder, out)
    for changed in changes:
        before.pop(str(folder / changed), None), after.pop(str(folder / changed), None)
    assert after == before
    assert not Path("/tmp/owned").exists()  # noqa: S108 - where the files of a case would have us write
    assert ran.code == row.exit_code, ran.stderr
    if row.exit_code in (0, 4):
        require_result(row, ran, out)
    else:
        require_refusal(row, ran, out)
    if out.is_dir():
        written = "\n".join(p.read_text("utf-8") for p in out.iterdir() if p.suffix in (".txt", ".html", ".json"))
        named = (row.number == "14f") * ("<script>", "\x1b")
        written = without_own_scripts(written)
        assert not [word for word in HIDDEN if word in written and word not in named]
    shutil.rmtree(folder)


def require_refusal(row: Row, ran: Ran, out: Path) -> None:
    """See that one line says what the table does, at most a second one where, and that nothing is left but the log."""
    lines = [line for line in ran.stderr.splitlines() if line]
    if row.code == "usage":
        assert any(line.startswith(row.said) for line in lines), ran.stderr
    else:
        assert lines[0].startswith(f"error [{row.code}]: {row.said}"), ran.stderr
        assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  where: ")), ran.stderr
    assert all(line.isprintable() for line in lines)
    assert ran.stdout == ""
    if out.is_dir():
        assert {p.name for p in out.iterdir()} <= {"log.txt"}


def require_result(row: Row, ran: Ran, out: Path) -> None:
    """See that the result holds the caution, flag or note of the table."""
    if out.is_dir():
        assert {p.name for p in out.iterdir()} <= LEFT_BEHIND
        result = json.loads((out / "result.json").read_text())
    else:
        result = json.loads(ran.stdout)
    kind, _, code = row.code.partition(":")
    reasons = [*result.get("reasons", ()), *(r for lesion in result["lesions"] for r in lesion["reasons"])]
    if kind == "flag":
        assert all(code in lesion["margin"]["flags"] for lesion in result["lesions"])
    elif kind in ("caution", "reason"):
        assert [r for r in reasons if r["code"] == code and row.said in r["text"]], reasons
    else:
        assert kind == "ok"
        assert row.said == "-" or any(row.said in note for note in result["notes"]), result["notes"]
    expected = "not_assessable" if row.exit_code == 4 else "assessed"
    assert {lesion["status"] for lesion in result["lesions"]} == {expected}


def test_the_table_has_every_case_and_the_script_makes_each():
    numbers = [row.number for row in ROWS]
    assert len(set(numbers)) == len(numbers)
    assert {int(re.match(r"\d+", n).group()) for n in numbers} == set(range(1, CASES + 1))
    assert set(numbers) == set(make_bad_input.CASES)


def test_the_script_makes_what_it_is_asked_for(tmp_path):
    assert len(make_bad_input.wanted(["37"])) == 5
    assert make_bad_input.wanted(["37c", "1"]) == ["1a", "1b", "37c"]
    with pytest.raises(SystemExit):
        make_bad_input.wanted(["99"])
    for _ in range(2):
        folder = make_bad_input.make("8", tmp_path, seed=4)
        content = (folder / "pre" / "ct" / "extra.dcm").read_bytes()
        shutil.rmtree(folder)
    again = make_bad_input.make("8", tmp_path, seed=4)
    assert (again / "pre" / "ct" / "extra.dcm").read_bytes() == content
