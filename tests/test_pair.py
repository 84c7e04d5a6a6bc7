"""Pairing as an operator calls it: a tree in, a manifest out that a batch takes."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from cli_runs import ROOT, ablation, python
from dicom_files import affine, series_datasets, slice_dataset, write, write_seg
from test_bench_scripts import script
from test_seg import code_of

from pipelines.batch.manifest import read_manifest
from pipelines.case_file import read_case_file

SHAPE = (8, 9, 10)
TUMOUR, ZONE = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
TUMOUR[3:5, 3:5, 3:5] = ZONE[2:6, 2:6, 2:6] = True
PHI = ("mustermann", "erika", "4711", "zebedee", "19500101")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """Keep the tests' caches from the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ablation-planner"


def study(folder: Path, number: int, mask: str, *, mask_folder: Path | None = None, **changes):
    """Write a study of one series and a SEG with one mask of that role; return its datasets."""
    own = {
        "StudyInstanceUID": f"1.2.3.{number}", "SeriesInstanceUID": f"1.2.3.{number}.1",
        "FrameOfReferenceUID": f"1.2.3.{number}.2", "StudyDate": f"202401{number:02d}", "SeriesDescription": "PV",
    } | changes  # fmt: skip
    slices = series_datasets(np.random.default_rng(number).integers(900, 1200, SHAPE), affine(), **own)
    for k, one in enumerate(slices):
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}.3.{k + 1}"
    write(slices, folder, [f"a{number}_{k}" for k in range(len(slices))])
    if mask:
        path = (mask_folder or folder) / f"m{number}"
        write_seg(path, slices, {mask: TUMOUR if mask == "tumour" else ZONE}, {mask: code_of(mask)})
    return slices


def pair(tmp_path: Path, *more: object, root: str = "tree", out: str = "pairs"):
    return ablation("pair", tmp_path / root, "-o", tmp_path / out, *more)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def codes(tmp_path: Path, out: str = "pairs") -> set[str]:
    return {row["code"] for row in rows(tmp_path / out / "ambiguous.csv")}


def test_a_pair_becomes_a_manifest_that_a_batch_reads(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 8, "ablation", SeriesDescription="Leber arteriell")
    ran = pair(tmp_path)
    assert ran.code == 0, ran.stderr
    assert ran.stdout.splitlines()[0].startswith("1 pair proposed; undecided: 0 patients")
    (row,) = read_manifest(tmp_path / "pairs" / "manifest.csv")
    assert (row.case_id, row.pre.name, row.post.name) == ("case-0001", "x", "y")
    assert re.fullmatch("[0-9a-f]{16}", row.patient)
    case = read_case_file(row.case)
    assert case.pre.series_uid.startswith("uid-")
    assert (case.mask, dict(case.facts)) == ([], {})
    text = row.case.read_text()
    assert "date 2024-01-01, phase portal venous (by series description)" in text
    assert "phase arterial (by series description)" in text
    assert "# rule: POST is 7 days after PRE" in text
    assert rows(tmp_path / "pairs" / "ambiguous.csv") == []


def test_a_manifest_is_not_overwritten(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 8, "ablation")
    assert pair(tmp_path).code == 0
    manifest = tmp_path / "pairs" / "manifest.csv"
    manifest.write_text("case_id,pre,post\nmine,x,y\n")
    ran = pair(tmp_path, "--quiet")
    assert (ran.code, len(ran.stderr.splitlines())) == (5, 1)
    assert "not overwritten" in ran.stderr
    assert manifest.read_text() == "case_id,pre,post\nmine,x,y\n"


def test_one_flat_folder_of_two_patients_is_read_by_a_review_as_its_manifest_says(tmp_path):
    flat = tmp_path / "tree"
    for n, person in enumerate(("A", "B")):
        study(flat, 1 + 10 * n, "tumour", PatientID=person)
        study(flat, 9 + 10 * n, "ablation", PatientID=person)
    ran = pair(tmp_path)
    assert ran.code == 0, ran.stderr
    manifest = tmp_path / "pairs" / "manifest.csv"
    assert [row["pre"] for row in rows(manifest)] == [str(flat), str(flat)]
    case = read_manifest(manifest)[1]
    out = tmp_path / "out"
    ran = ablation("review", case.pre, case.post, "-o", out, "--case", case.case, "--registration", "identity")
    # Two frames of reference are not taken for aligned: that is found when everything has been read.
    assert (ran.code, "frame" in ran.stderr) == (3, True)


def test_masks_in_another_folder_are_stated_in_the_case_file(tmp_path):
    tree = tmp_path / "tree"
    study(tree / "x", 1, "tumour", mask_folder=tree / 'odd "masks"')
    study(tree / "y", 8, "ablation")
    assert pair(tmp_path).code == 0
    (row,) = read_manifest(tmp_path / "pairs" / "manifest.csv")
    (mask,) = read_case_file(row.case).mask
    assert (mask.study, mask.role, mask.segment) == ("pre", "tumour_1", 1)
    assert Path(mask.file).is_file()


def test_nothing_that_is_written_or_said_names_the_patient(tmp_path, cache):
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 8, "ablation", SeriesDescription="=Zebedee ablation PV", StudyDescription="@Zebedee")
    study(tmp_path / "tree" / "z", 9, "ablation", SeriesDescription="Zebedee", PatientID="Zebedee")
    ran = pair(tmp_path)
    assert ran.code == 3
    written = [p for base in (tmp_path / "pairs", cache) for p in base.rglob("*") if p.is_file()]
    assert len(written) == 5
    for said in (ran.stdout, ran.stderr, *(p.read_text() for p in written)):
        assert not [name for name in PHI if name in said.lower().replace(str(tmp_path), "")]
    assert "days_since_ablation = 0" in (tmp_path / "pairs" / "cases" / "case-0001.toml").read_text()


def test_undecided_patients_are_scored_and_the_exit_code_is_3(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 2, "")
    ran = pair(tmp_path)
    assert ran.code == 3
    assert "1 x no-zone-masks" in ran.stdout
    found = rows(tmp_path / "pairs" / "ambiguous.csv")
    assert [(row["study"], row["code"]) for row in found] == [("pre", "no-zone-masks")] * 2 + [
        ("post", "no-zone-masks")
    ] * 2
    assert int(found[0]["points"]) > int(found[1]["points"])
    assert "tumour masks (+60)" in found[0]["why"]
    assert rows(tmp_path / "pairs" / "manifest.csv") == []


def test_a_study_without_a_patient_id_is_left_to_a_manifest(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour", PatientID="")
    study(tmp_path / "tree" / "y", 8, "ablation", PatientID="")
    assert pair(tmp_path).code == 3
    assert codes(tmp_path) == {"no-patient-id"}


@pytest.mark.parametrize(
    ("post", "code"),
    [
        ({"StudyDate": "20231224"}, "dates-contradict-masks"),
        ({"StudyDate": "20250101"}, "outside-window"),
        ({"StudyDescription": "pre ablation"}, "words-contradict-masks"),
        ({"PatientBirthDate": "19600202"}, "two-persons"),
        ({"StudyDate": "20240101", "AcquisitionTime": "080000"}, "dates-contradict-masks"),
        ({"StudyDate": "20240101", "AcquisitionTime": "110000"}, ""),
        ({"StudyDate": ""}, ""),
        ({"StudyDate": "", "AcquisitionDate": "20231231"}, "dates-contradict-masks"),
        ({"StudyDate": "19000101"}, ""),
    ],
)
def test_what_speaks_against_the_masks_makes_a_list(tmp_path, post, code):
    study(tmp_path / "tree" / "x", 1, "tumour", AcquisitionTime="100000")
    study(tmp_path / "tree" / "y", 8, "ablation", **post)
    assert pair(tmp_path).code == (3 if code else 0)
    assert codes(tmp_path) == ({code} if code else set())


def test_broken_files_pipes_and_loops_stop_nothing(tmp_path):
    tree = tmp_path / "tree"
    first = study(tree / "x", 1, "tumour")
    study(tree / "y", 8, "ablation")
    first[0].save_as(tree / "whole")
    content = (tree / "whole").read_bytes()
    (tree / "whole").unlink()
    for name, broken in {
        "zebedee cut": content[:300], "zebedee random": b"\0" * 128 + b"DICM" + os.urandom(500), "empty": b"",
        "text.dcm": b"no image", "zebedee meta": content[:132], "pixels": content[:-20],
    }.items():  # fmt: skip
        (tree / "odd").mkdir(exist_ok=True)
        (tree / "odd" / name).write_bytes(broken)
    os.mkfifo(tree / "odd" / "pipe")
    (tree / "odd" / "loop").symlink_to(tree)
    (tree / "odd" / "dangling").symlink_to(tree / "gone")
    (tree / "odd" / "self").symlink_to(tree / "odd" / "self")
    ran = pair(tmp_path)
    assert ran.code == 0, ran.stdout
    note, odd = [line for line in ran.stderr.splitlines() if line.startswith("note:")]
    assert re.match(r"note: [34] entries of the tree passed over: pipes, devices, links that lead nowhere", odd)
    assert re.match(r"note: [34] files of [0-9]+ cannot be read: number [0-9, ]+ in the order of paths", note)
    assert "zebedee" not in ran.stderr + ran.stdout


def test_a_second_call_reads_only_what_changed(tmp_path, cache):
    from pipelines.pairing.tree import index_tree

    tree = tmp_path / "tree"
    study(tree / "x", 1, "tumour")
    study(tree / "y", 8, "ablation")
    first = index_tree(tree, cache)
    again = index_tree(tree, cache)
    assert (first.read, again.read) == (18, 0)
    assert again.files == first.files == index_tree(tree, None).files
    (kept,) = cache.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    changed = tree / "x" / "a1_0"
    changed.write_bytes(changed.read_bytes().replace(b"20240101", b"20240103"))
    found = index_tree(tree, cache)
    dates = {f.path: f.head.date for f in found.files}
    assert (found.read, dates["x/a1_0"], dates["x/a1_1"]) == (1, "20240103", "20240101")
    changed.unlink()
    assert len(index_tree(tree, cache).files) == 17
    assert len(json.loads(kept.read_bytes().partition(b"\n")[2])["files"]) == 17


@pytest.mark.parametrize("how", ["cut", "empty", "other schema", "foreign", "folder"])
def test_a_cache_that_cannot_be_used_is_ignored(tmp_path, cache, how):
    import hashlib

    from pipelines.pairing.tree import index_tree

    tree = tmp_path / "tree"
    study(tree / "x", 1, "tumour")
    first = index_tree(tree, cache)
    (kept,) = cache.iterdir()
    content = kept.read_bytes()
    if how == "folder":
        kept.unlink()
        kept.mkdir()
    else:
        body = {"cut": content[:-9], "empty": b"", "foreign": b'{"schema":1}'}.get(
            how, content.partition(b"\n")[2].replace(b'"schema":1', b'"schema":0')
        )
        mark = hashlib.sha256(body).hexdigest().encode() + b"\n" if how in ("other schema", "foreign") else b""
        kept.write_bytes(mark + body)
    found = index_tree(tree, cache)
    assert (found.files, found.read) == (first.files, 9)
    assert bool(found.cache) == (how == "folder")


def test_no_cache_leaves_nothing_behind(tmp_path, cache):
    study(tmp_path / "tree" / "x", 1, "tumour")
    pair(tmp_path, "--no-cache")
    assert not cache.exists()


def test_the_fast_way_through_a_header_finds_what_the_careful_one_does(tmp_path):
    from pipelines.dicom.index import quiet_pydicom
    from pipelines.pairing.reading import _fast, _whole

    odd = {
        "StudyDescription": "CT Leber nach MWA", "SeriesDescription": "Lebér späte art. Phase",
        "AcquisitionTime": "101500.5", "ContrastBolusStartTime": "101430", "IssuerOfPatientID": "KH",
        "ImageType": ["DERIVED", "SECONDARY", "MPR"], "SpecificCharacterSet": "ISO_IR 192",
        "LongitudinalTemporalInformationModified": "MODIFIED",
    }  # fmt: skip
    for n, changes in enumerate(({}, odd, {"PatientID": ""}, {"PatientID": " ID 1"}, {"StudyDate": None})):
        one = slice_dataset(np.zeros((4, 4)), affine(), 0, **changes)
        path = tmp_path / str(n)
        one.save_as(path, enforce_file_format=True)
        with quiet_pydicom():
            fast, whole = (read(tmp_path, str(n), path.stat().st_size) for read in (_fast, _whole))
        assert fast in (whole, None)
        assert (fast is None) == (changes.get("PatientID") == " ID 1")


def test_what_stands_in_the_tree_or_leads_out_of_it_is_refused(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour")
    assert "output-in-input" in ablation("pair", tmp_path / "tree", "-o", tmp_path / "tree" / "out").stderr
    assert pair(tmp_path, root="gone").code == 3
    (tmp_path / "none").mkdir()
    assert pair(tmp_path, root="none").code == 3
    (tmp_path / "none" / "a.txt").write_text("no image")
    ran = pair(tmp_path, root="none")
    assert (ran.code, "no CT or MR" in ran.stderr) == (3, True)


def test_a_folder_given_to_batch_is_paired_and_the_undecided_make_code_8(tmp_path, monkeypatch):
    called = []

    def noted(row, _folder, **_):
        called.append((row.case_id, row.pre.name))
        return ["true"]

    monkeypatch.setattr("pipelines.batch.child.review_command", noted)
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 8, "ablation")
    study(tmp_path / "tree" / "z", 9, "ablation", PatientID="other")
    ran = ablation("batch", tmp_path / "tree", "-o", tmp_path / "out")
    assert ran.code == 8
    assert called == [("case-0001", "x")]
    manifest = tmp_path / "out" / "pairs" / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("case-0001,", "mine,"))
    ran = ablation("batch", tmp_path / "tree", "-o", tmp_path / "out")
    assert called[1:] == [("mine", "x")]
    assert "taken as it is; 2 lines of ambiguous.csv are left" in ran.stderr
    (tmp_path / "tree2").mkdir()
    assert "other-tree" in ablation("batch", tmp_path / "tree2", "-o", tmp_path / "out").stderr


@pytest.mark.parametrize("seed", [51, 52])
def test_no_pick_of_a_synthetic_tree_is_wrong(seed, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    bench = script("bench_pair")
    monkeypatch.setattr(sys.modules["pair_trees"], "FULL", 4)  # so that a tree is written in seconds
    monkeypatch.setattr("pipelines.pairing.series.FEWEST_SLICES", 4)
    count = Counter(row["outcome"] for row in bench.held_against_truth(seed, 72))
    assert (count["WRONG"], count["lost"]) == (0, 0)
    assert count["right"] > 30


def test_the_bench_writes_its_tables(tmp_path):
    ran = python(ROOT / "scripts" / "bench_pair.py", "--cases", 3, "--files", 45, "--json", tmp_path / "rows.json")
    assert ran.code == 0, ran.stderr
    document = json.loads((tmp_path / "rows.json").read_text())
    assert document["table"][-1]["patients"] == 3
    assert [row["pass"] for row in document["time"]][-2:] == ["one file changed", "one file gone"]
