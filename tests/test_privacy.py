"""A name, an id and a date in every field that can hold one: what a run leaves and prints shows none, unless asked."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pydicom
import pytest
from cli_runs import ablation
from dicom_files import affine, series_datasets, write, write_seg
from paper_read import pdf_text
from pydicom.datadict import DicomDictionary, keyword_dict
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID
from test_seg import code_of

SHAPE = (8, 9, 10)
TUMOUR, ZONE = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
TUMOUR[3:5, 3:5, 3:5] = ZONE[2:6, 2:6, 2:6] = True
ROLES = {"tumour": TUMOUR, "ablation": ZONE, "liver": ZONE}

NAME, NUMBER, BORN, SCANNED, TIME = "Zebedee^Quitzow", "KV7734190265", "19330217", "20210923", "134509.738216"
"""The numbers are long: five digits in a row are found by chance in the times and hashes that a run leaves."""
PLANTED = ("zebedee", "quitzow", "7734190265", "19330217", "1933-02-17", TIME, "20210923", "2021-09-23")
TEXT = {"PN": NAME, "DA": SCANNED, "TM": TIME, "DT": f"{SCANNED}{TIME}"} | dict.fromkeys(
    ("LO", "SH", "AE", "LT", "ST", "UT", "UC", "UR"), f"Zebedee {NUMBER}"
)
REPORTS = ("report.html", "report.pdf")
READ = {"SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "SegmentLabel"}
"""What is read to make a volume: planted by itself below, where it can be."""


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module", autouse=True)
def _unchecked():
    """Let pydicom write values that the standard forbids."""
    settings = pydicom.config.settings
    before = settings.writing_validation_mode, settings.reading_validation_mode
    settings.writing_validation_mode = settings.reading_validation_mode = pydicom.config.IGNORE
    yield
    settings.writing_validation_mode, settings.reading_validation_mode = before


def text_elements() -> list[tuple[int, str, str]]:
    """Return tag, VR and value of each element of the dictionary that holds text, a date or a time."""
    found = []
    for tag, (vr, _, _, retired, keyword) in DicomDictionary.items():
        group = tag >> 16
        if vr in TEXT and keyword and not retired and group > 2 and group % 2 == 0 and keyword not in READ:
            found.append((tag, vr, TEXT[vr]))
    return sorted(found)


def plant(dataset: Dataset) -> Dataset:
    """Fill every text element, and nested and private ones; elements that were there keep their kind."""
    for tag, vr, value in text_elements():
        dataset.add_new(tag, vr, value)
    dataset.PatientID, dataset.PatientBirthDate = NUMBER, BORN
    dataset.AcquisitionDate = dataset.ContentDate = SCANNED
    nested = Dataset()
    nested.PatientID, nested.PatientName, nested.IssuerOfPatientID = NUMBER, NAME, NAME
    deeper = Dataset()
    deeper.PatientName = NAME
    nested.add_new(keyword_dict["OtherPatientIDsSequence"], "SQ", Sequence([deeper]))
    for keyword in ("OtherPatientIDsSequence", "RequestAttributesSequence", "ReferencedPatientSequence"):
        dataset.add_new(keyword_dict[keyword], "SQ", Sequence([nested]))
    private = dataset.private_block(0x0099, NAME, create=True)
    private.add_new(0x01, "LO", NAME)
    private.add_new(0x02, "SQ", Sequence([nested]))
    dataset.StudyInstanceUID = UID("1.2.7734190265.1")
    dataset.InstitutionalDepartmentName = NAME
    return dataset


def slices(role_seed: int, **changes) -> list[Dataset]:
    stored = np.random.default_rng(role_seed).integers(900, 1200, SHAPE)
    uids = {"SeriesInstanceUID": f"1.2.7734190265.{role_seed}", "FrameOfReferenceUID": "1.2.826.7734190265"}
    return [plant(s) for s in series_datasets(stored, affine(), **(uids | changes))]


def named_uids(path: Path) -> None:
    """Put the name into the UIDs of a file, as no standard allows and some systems do."""
    dataset = pydicom.dcmread(path)

    def rename(part: Dataset) -> None:
        for element in part:
            if element.VR == "SQ":
                for item in element.value:
                    rename(item)
            elif element.VR == "UI" and "7734190265" in str(element.value):
                element.value = UID(str(element.value).replace("7734190265", "ZEBEDEE.7734190265"), validation_mode=0)

    rename(dataset)
    dataset.save_as(path)


def study(folder: Path, *roles: str, seed: int = 1, **changes) -> Path:
    """Write a planted study; its files have plain names."""
    made = slices(seed, **changes)
    write(made, folder / "ct")
    path = write_seg(
        folder / "seg.dcm", made, {f"Zebedee {r}": ROLES[r] for r in roles}, {f"Zebedee {r}": code_of(r) for r in roles}
    )
    seg = plant(pydicom.dcmread(path))
    for item in seg.SegmentSequence:
        item.SegmentDescription = item.TrackingID = NAME
        item.TrackingUID = UID("1.2.7734190265.9")
    seg.save_as(path)
    for file in (*(folder / "ct").iterdir(), path):
        named_uids(file)
    return folder


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    return study(folder / "pre", "tumour", "liver"), study(folder / "post", "ablation", seed=2)


def left(folder: Path, *, leave_out: tuple[str, ...] = ()) -> str:
    """Return the names and the content of all files below a folder, unpacked, in lower case."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in leave_out):
        content = path.read_bytes()
        unpacked = gzip.decompress(content) if path.suffix == ".gz" else content
        found += [
            str(path.relative_to(folder)),
            unpacked.decode("latin-1"),
            unpacked.replace(b"\0", b"").decode("latin-1"),
        ]
    return "\n".join(found).lower()


def shown(text: str) -> list[str]:
    """Return the planted values in a text; the time also without its fraction, where it stands by itself."""
    found = [value for value in PLANTED if value in text.lower()]
    return found + re.findall(rf"(?<![0-9a-z.]){TIME[:6]}(?![0-9a-z])", text.lower())


def test_the_planted_files_hold_what_is_looked_for(studies):
    assert len(text_elements()) > 700
    text = left(studies[0])
    assert set(shown(text)) >= {"zebedee", "quitzow", "7734190265", "19330217", "20210923", TIME}


def test_a_finished_review_shows_nothing_but_study_dates_in_its_report(studies, tmp_path):
    ran = ablation("review", *studies, "-o", tmp_path / "out", "--registration", "identity", "--json")
    assert ran.code == 0, ran.stderr
    assert shown(ran.stdout + ran.stderr) == []
    assert shown(left(tmp_path, leave_out=REPORTS)) == []
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert set(shown(report)) <= {"20210923", "2021-09-23"}
    on_paper = pdf_text((tmp_path / "out" / "report.pdf").read_bytes())
    assert "Scanned on: PRE 2021-09-23" in on_paper
    assert set(shown(on_paper)) == {"2021-09-23"}


def test_phi_shows_who_it_is_and_says_so(studies, tmp_path):
    ran = ablation("review", *studies, "-o", tmp_path / "out", "--registration", "identity", "--json", "--phi")
    assert ran.code == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["identities"]["pre"] == {"name": NAME, "patient_id": NUMBER, "birth_date": BORN}
    assert document["identities"] == json.loads((tmp_path / "out" / "result.json").read_text())["identities"]
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for value in (NAME, NUMBER, BORN, "this page holds patient data"):
        assert value in report
    on_paper = pdf_text((tmp_path / "out" / "report.pdf").read_bytes())
    for value in (NAME, NUMBER, BORN, "this paper holds patient data"):
        assert value in on_paper
    assert shown(ran.stderr) == []
    assert shown((tmp_path / "out" / "log.txt").read_text()) == []


def refusals(folder: Path) -> list[tuple[str, Path, Path]]:
    """Write studies that are refused, each for another reason; yield code, PRE and POST."""
    post = study(folder / "post", "ablation", seed=2)
    several = study(folder / "several", "tumour")
    write(slices(7), several / "more")
    truncated = study(folder / "truncated", "tumour")
    cut = truncated / "ct" / "003.dcm"
    cut.write_bytes(cut.read_bytes()[:4000])
    unclear = study(folder / "unclear", "tumour")
    seg = pydicom.dcmread(unclear / "seg.dcm")
    seg.SegmentSequence[0].SegmentLabel = "Zebedee liver 7734190265"
    seg.save_as(unclear / "seg.dcm")
    framed = study(folder / "framed", "tumour")
    seg = pydicom.dcmread(framed / "seg.dcm")
    seg.FrameOfReferenceUID = "1.2.7734190265.5"
    seg.save_as(framed / "seg.dcm")
    spaced = study(folder / "spaced", "tumour")
    (spaced / "ct" / "003.dcm").unlink()
    other = study(folder / "other", "tumour")
    for path in (*(other / "ct").iterdir(), other / "seg.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.PatientID = "Zebedee7734190265"
        dataset.save_as(path)
    return [
        ("several-series", several, post),
        ("truncated-file", truncated, post),
        ("frame-mismatch", framed, post),
        ("irregular-spacing", spaced, post),
        ("different-patients", other, post),
    ]


def test_refusals_show_nothing_and_leave_nothing_that_shows(tmp_path):
    for code, pre, post in refusals(tmp_path / "in"):
        for more in ((), ("--quiet",)):
            ran = ablation("review", pre, post, "-o", tmp_path / "out" / code, *more)
            assert ran.code == 3, (code, ran.stderr)
            assert f"error [{code}]" in ran.stderr
            assert shown(ran.stdout + ran.stderr) == [], code
    assert shown(left(tmp_path / "out")) == []


def test_margin_of_masks_shows_nothing(studies, tmp_path):
    pre, post = studies
    one = write_seg(tmp_path / "t.dcm", slices(3), {"Zebedee": TUMOUR}, {"Zebedee": code_of("tumour")})
    zone = write_seg(tmp_path / "z.dcm", slices(3), {"Zebedee": ZONE}, {"Zebedee": code_of("ablation")})
    ran = ablation("margin", one, zone, "--json")
    assert ran.code == 0, ran.stderr
    assert shown(ran.stdout + ran.stderr) == []
    refused = ablation("margin", pre / "seg.dcm", post / "seg.dcm")
    assert refused.code == 3
    assert shown(refused.stderr) == []
    assert "Zebedee tumour" in ablation("margin", pre / "seg.dcm", post / "seg.dcm", "--phi").stderr


def test_a_batch_and_its_audit_show_nothing(studies, tmp_path):
    pre, post = studies
    (tmp_path / "in").mkdir()
    broken = study(tmp_path / "in" / "broken", "tumour")
    (broken / "ct" / "003.dcm").unlink()
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(f"case_id,patient,pre,post,case\na,,{pre},{post},\nb,,{broken},{post},\n")
    ran = ablation("batch", manifest, "-o", tmp_path / "out", "--registration", "identity", "--jobs", "1")
    assert ran.code == 8, ran.stderr
    audited = ablation("audit", tmp_path / "out", "-o", tmp_path / "audit")
    assert audited.code == 0, audited.stderr
    assert shown(ran.stdout + ran.stderr + audited.stdout + audited.stderr) == []
    assert (tmp_path / "out" / "b" / "failure.json").is_file()
    assert shown(left(tmp_path / "audit")) == []
    assert shown(left(tmp_path / "out", leave_out=REPORTS)) == []


def test_pairing_shows_nothing_but_study_dates_to_whoever_decides(studies, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = studies[0].parent
    stray = root / "stray"
    if not stray.exists():
        study(stray, "tumour", seed=5, PatientName="Zebedee^Else")
    ran = ablation("pair", root, "-o", tmp_path / "pairs")
    assert ran.code in (0, 3), ran.stderr
    assert shown(ran.stdout + ran.stderr) == []
    assert set(shown(left(tmp_path))) <= {"20210923", "2021-09-23"}
    assert (tmp_path / "pairs" / "manifest.csv").is_file()
    assert list((tmp_path / "cache").rglob("*.json"))
