"""When the worklist is written, what it lists, and that what was kept never outlives the result it was read from."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from audit_cases import document, lesion, write_case, write_failure
from batch_child import HERE, fake
from cli_runs import ablation
from test_batch_runner import a_manifest, twelve
from test_posts_batch import write_posts
from test_worklist import Listed

from pipelines.batch import kept_studies
from pipelines.batch.case_folder import CaseFolder
from pipelines.batch.worklist import KEPT, PAGE, known_results, write_worklist
from planner.errors import OutputError

LONG_AGO = -(10**18)
"""Lets files that changed just now count as settled, ns."""


def shown(out: Path) -> dict[str, str]:
    """Return the margin shown of each case."""
    html = (out / PAGE).read_text(encoding="utf-8")
    rows = re.findall(r"<tr[^>]* data-margin.*?</tr>", html, flags=re.DOTALL)
    found = {}
    for row in rows:
        case_id = re.search(r"<bdi>(.*?)</bdi>", row)
        margin = re.search(r"<b>(.*?)</b>", row)
        assert case_id is not None
        assert margin is not None
        found[case_id[1]] = margin[1]
    return found


def rewrite(path: Path, old: str, new: str) -> None:
    """Change a file in place, as long as before, and take its time of change back."""
    before = path.stat()
    assert len(old) == len(new)
    content = path.read_text().replace(old, new)
    time.sleep(0.02)  # a file system tells times that are this far apart
    path.write_text(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


@pytest.fixture
def out(tmp_path) -> Path:
    write_case(tmp_path, document("a", lesion(min_mm=6.25)))
    write_case(tmp_path, document("b", lesion(min_mm=-1.5)))
    write_failure(tmp_path, "c")
    write_posts(tmp_path, "d", (1.0, 3.0), (30.0, 2.0))
    (tmp_path / "pairs").mkdir()
    return tmp_path


@pytest.fixture
def settled(monkeypatch):
    monkeypatch.setattr(kept_studies, "SETTLED_NS", LONG_AGO)


def test_it_lists_what_lies_there_and_what_was_asked_for(out):
    write_worklist(out, ["a", "x"])
    assert list(shown(out)) == ["b", "d", "a", "c", "x"]  # of d both studies, each a row
    html = (out / PAGE).read_text(encoding="utf-8")
    assert html.count("<tr data-margin") == 6
    assert "not run yet" in html
    assert not list(out.glob(".*.unfinished"))


def test_the_same_cases_give_the_same_bytes(out, settled):
    write_worklist(out)
    first = (out / PAGE).read_bytes()
    (out / KEPT).unlink()
    write_worklist(out)
    assert (out / PAGE).read_bytes() == first
    (out / PAGE).unlink()
    write_worklist(out)  # from what was kept
    assert (out / PAGE).read_bytes() == first


@pytest.mark.parametrize("name", ["a/result.json", "d/post_2/result.json"])
def test_a_result_that_was_rewritten_unseen_is_read_again(out, settled, name):
    write_worklist(out)
    before = shown(out)
    rewrite(out / name, *(("6.25", "7.75") if name[0] == "a" else ("2.0", "1.0")))
    write_worklist(out)
    changed = {case_id: margin for case_id, margin in shown(out).items() if margin != before[case_id]}
    # Of d the dict holds the row that comes last: study 1 before, of which nothing changed.
    assert changed == ({"a": "7.8"} if name[0] == "a" else {})
    assert ("<b>1.0</b>" in (out / PAGE).read_text()) == (name[0] == "d")


def test_what_was_kept_is_used_while_the_result_is_the_same(out, settled):
    write_worklist(out)
    kept = (out / KEPT).read_text()
    (out / KEPT).write_text(kept.replace("6.25", "8.25"))
    (out / PAGE).unlink()
    write_worklist(out)
    assert shown(out)["a"] == "8.2"


def test_a_result_that_changed_just_now_is_not_kept(out):
    write_worklist(out)
    assert json.loads((out / KEPT).read_text())["cases"] == {}
    rewrite(out / "a" / "result.json", "6.25", "7.75")
    write_worklist(out)
    assert shown(out)["a"] == "7.8"


def test_where_nothing_changed_nothing_is_written_and_a_page_that_was_changed_is(out, settled):
    write_worklist(out, ["x"])
    first = (out / PAGE).stat()
    write_worklist(out, ["x"])
    assert (out / PAGE).stat().st_ino == first.st_ino
    write_worklist(out, ["y"])
    assert "y" in shown(out)
    (out / PAGE).write_text("else")
    write_worklist(out, ["y"])
    assert "y" in shown(out)


def test_cases_that_come_and_go_are_listed_and_not(out, settled):
    write_worklist(out)
    (out / "a" / "result.json").unlink()
    write_case(out, document("e", lesion(min_mm=1.0)))
    write_worklist(out)
    assert set(shown(out)) == {"b", "c", "d", "e"}
    (out / "b" / "report.html").touch()
    write_worklist(out)
    assert 'href="b/report.html"' in (out / PAGE).read_text()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"form": 1}', "{form}", '{"form": "{form}", "cases": 3}'])
def test_what_was_kept_and_cannot_be_meant_does_not_count(out, settled, content):
    write_worklist(out)
    first = (out / PAGE).read_bytes()
    form = json.loads((out / KEPT).read_text())["form"]
    (out / KEPT).write_text(content.replace("{form}", form))
    (out / PAGE).unlink()
    write_worklist(out)
    assert (out / PAGE).read_bytes() == first


def test_entries_that_cannot_be_meant_do_not_count(out, settled):
    write_worklist(out)
    first = (out / PAGE).read_bytes()
    kept = json.loads((out / KEPT).read_text())
    kept["cases"]["a"]["studies"] = [{"case_id": "a"}]
    kept["cases"]["b"] = 7
    kept["cases"]["c"]["studies"][0]["unheard"] = 1
    (out / KEPT).write_text(json.dumps(kept))
    (out / PAGE).unlink()
    write_worklist(out)
    assert (out / PAGE).read_bytes() == first


def test_a_batch_takes_what_is_known_of_a_result_only_while_it_is_the_same(out, settled):
    caution = [{"field": None, "code": "different-patients", "text": "two"}]
    write_case(out, document("e", lesion(), reasons=caution))
    write_worklist(out)
    known = known_results(out)
    assert set(known) == {"a", "b", "c", "d", "e"}
    for name, one in known.items():
        folder = CaseFolder(out / name)
        assert (one.whole, one.remarks) == (folder.has_result(), folder.remarks())
    rewrite(out / "a" / "result.json", '"assessed"', '"assessee"')
    (out / "b" / "result.json").unlink()
    assert set(known_results(out)) == {"c", "d", "e"}


def test_a_page_that_cannot_be_written_is_one_line(out):
    (out / PAGE).mkdir()
    with pytest.raises(OutputError, match=r"index\.html cannot be written"):
        write_worklist(out)


def test_names_that_are_no_text_are_shown_and_linked(tmp_path):
    name = os.fsdecode(b"odd-\xff")
    try:
        (tmp_path / name).mkdir()
    except OSError:
        return  # a file system that holds text alone
    (tmp_path / name / "failure.json").write_text("{}")
    write_worklist(tmp_path)
    assert list(shown(tmp_path)) == ["odd-�"]


def run_batch(folder: Path, manifest: Path, monkeypatch, command=None):
    made = fake(folder / "starts")
    monkeypatch.setattr("pipelines.batch.child.review_command", lambda row, at, **_: (command or made)(row, at))
    return ablation("batch", manifest, "-o", folder / "out", "--jobs", "1", "--quiet")


def test_a_batch_that_partly_failed_lists_all_its_cases_and_a_later_one_those_of_both(tmp_path, monkeypatch):
    assert run_batch(tmp_path, twelve(tmp_path), monkeypatch).code == 8
    html = (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
    assert "12 studies after an ablation: 10 assessed, 2 failed." in " ".join(Listed(html).words)
    assert run_batch(tmp_path, a_manifest(tmp_path, more="ok"), monkeypatch).code == 0
    assert len(shown(tmp_path / "out")) == 13


def test_an_interrupted_batch_lists_what_was_done_and_what_was_not_run(tmp_path, monkeypatch):
    made = fake(tmp_path / "starts")

    def command(row, folder):
        if row.case_id == "b":
            raise KeyboardInterrupt
        return made(row, folder)

    ran = run_batch(tmp_path, a_manifest(tmp_path, a="ok", b="ok", c="ok"), monkeypatch, command)
    assert ran.code == 130
    words = " ".join(Listed((tmp_path / "out" / PAGE).read_text(encoding="utf-8")).words)
    assert "3 studies after an ablation: 1 assessed, 1 begun and never ended, 1 not run yet." in words


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_batch_that_is_killed_leaves_the_page_of_before(tmp_path):
    manifest = a_manifest(tmp_path, a="hang")
    (tmp_path / "out").mkdir()
    write_case(tmp_path / "out", document("z", lesion()))
    write_worklist(tmp_path / "out")
    before = (tmp_path / "out" / PAGE).read_bytes()
    driver = subprocess.Popen([sys.executable, str(HERE), str(manifest), tmp_path / "out", tmp_path / "starts"])
    until = time.monotonic() + 30
    while not (tmp_path / "starts").exists() and time.monotonic() < until:
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert (tmp_path / "starts").exists()
    assert (tmp_path / "out" / PAGE).read_bytes() == before
    assert not list((tmp_path / "out").glob(".*.unfinished"))


def test_no_case_may_be_called_as_the_page(tmp_path):
    (tmp_path / "x").touch()
    (tmp_path / "m.csv").write_text("case_id,pre,post\nIndex.html,x,x\n")
    ran = ablation("batch", tmp_path / "m.csv", "-o", tmp_path / "out")
    assert ran.code == 3
    assert "line 2: case_id is the name of a file of the batch itself (index.html)" in ran.stderr
