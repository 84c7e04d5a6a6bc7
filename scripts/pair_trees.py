"""Trees of tiny DICOM files with known pre/post pairs, as archives hand them over: for bench_pair.py and the tests.

Images are written byte by byte here, by no library; masks by pydicom. Nothing of `pipelines` is used. A patient is a
recipe with chances of its own; the truth is which series the recipe meant, never what headers say.
"""

from __future__ import annotations

import random
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

CT = "1.2.840.10008.5.1.4.1.1.2"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
ROOT_UID = "1.2.826.0.1.3680043.8.498.77"
PHASES = (("arterial", "Leber art. 1.5"), ("portal venous", "Leber PV 1.5"), ("delayed", "Leber delayed 3.0"))
SIZE = 4
FULL = 20
"""Slices of a whole scan: as few as pairing takes for one."""


@dataclass
class Scan:
    """An image series to write."""

    uid: str
    study: Study
    text: str = ""
    slices: int = field(default_factory=lambda: FULL)
    step_mm: float = 3.0
    types: str = "ORIGINAL\\PRIMARY\\AXIAL"
    orientation: str = "1\\0\\0\\0\\1\\0"
    frame: str = ""
    time: str = "101500"
    volumes: int = 1


@dataclass
class Study:
    """A study: its patient's elements, the true day, the day and texts that its headers state."""

    patient: Patient
    uid: str
    day: date
    text: str = "CT Abdomen"
    stated: str | None = None
    time: str = "101000"
    scans: list[Scan] = field(default_factory=list)
    masks: list[FileDataset] = field(default_factory=list)
    modified: bool = False

    @property
    def date(self) -> str:
        """StudyDate as written."""
        return self.day.strftime("%Y%m%d") if self.stated is None else self.stated


@dataclass
class Patient:
    """A patient: what headers state, the studies, and the true pairs of series UIDs."""

    number: int
    recipe: str
    id: str
    name: str
    born: str
    studies: list[Study] = field(default_factory=list)
    truth: set[tuple[str, str]] = field(default_factory=set)
    flat: bool = False
    copies: bool = False
    reverse: bool = False


class Maker:
    """Makes patients from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - no secret
        self.seed, self.count = seed, 0

    def uid(self) -> str:
        """Return a new UID."""
        self.count += 1
        return f"{ROOT_UID}.{self.seed}.{self.count}"

    def some(self, share: float) -> bool:
        """Return True so often."""
        return self.rng.random() < share

    def patient(self, number: int, recipe: str) -> Patient:
        """Return a patient by a recipe."""
        born = f"19{self.rng.randint(30, 79)}0{self.rng.randint(1, 9)}1{self.rng.randint(0, 9)}"
        patient = Patient(number, recipe, f"PID-{self.seed}-{number:05d}", f"Zebedee^Patient{number}", born)
        patient.flat, patient.copies, patient.reverse = self.some(0.5), self.some(0.15), self.some(0.3)
        RECIPES[recipe](self, patient)
        return patient

    def study(self, patient: Patient, day: date, text: str = "CT Abdomen", *, extras: bool = True) -> Study:
        """Return a study of three phases, with a localizer and a reformat most of the time."""
        study = Study(patient, self.uid(), day, text)
        patient.studies.append(study)
        frame, telling = self.uid(), self.some(0.7)
        for n, (_, words) in enumerate(PHASES if extras else PHASES[1:2]):
            step_mm = self.rng.choice((1.5, 3.0, 5.0))
            text = words if telling else f"Serie {n}"
            study.scans.append(Scan(self.uid(), study, text, step_mm=step_mm, frame=frame, time=f"10{15 + n}00"))
        if extras and self.some(0.7):
            study.scans.append(
                Scan(self.uid(), study, "Topogramm", 1, types="ORIGINAL\\PRIMARY\\LOCALIZER", frame=frame)
            )
        if extras and self.some(0.5):
            study.scans.append(
                Scan(self.uid(), study, "ABD CORONAL", FULL, 3.0, "DERIVED\\SECONDARY\\REFORMATTED",
                     "1\\0\\0\\0\\0\\-1", frame)
            )  # fmt: skip
        return study

    def draw(self, study: Study, kind: str, lesions: int = 1, scan: int = 1, how: str = "") -> None:
        """Draw lesions on a scan of a study: how is seg, rtstruct or two (a SEG each)."""
        how = how or self.rng.choice(("seg", "seg", "rtstruct", "two" if lesions > 1 else "seg"))
        on = study.scans[scan]
        if how == "two":
            study.masks += [seg(self.uid(), on, [(kind, n)]) for n in range(1, lesions + 1)]
        else:
            make = rtstruct if how == "rtstruct" else seg
            study.masks.append(make(self.uid(), on, [(kind, n) for n in range(1, lesions + 1)]))

    def day(self) -> date:
        """Return a day."""
        return date(2015, 1, 1) + timedelta(days=self.rng.randint(0, 3000))

    def after(self, day: date) -> date:
        """Return a day of a POST: at once or at follow-up."""
        return day + timedelta(days=self.rng.choice((0, 1, 2, 28, 35, 60, 90)))

    def course(self, patient: Patient, day: date, *, post_masks: bool = True, pre_masks: bool = True) -> list[Study]:
        """Return PRE and POST of one ablation, with their masks, and note their pair as true."""
        ablation = day + timedelta(days=self.rng.randint(1, 40))
        texts = self.rng.choice((("CT Abdomen", "CT Abdomen"), ("CT Abdomen", "CT Leber MWA Kontrolle"),
                                 ("Planung vor Ablation", "CT post ablation"), ("CT Leber", "CT Leber")))  # fmt: skip
        pre, post = self.study(patient, day, texts[0]), self.study(patient, self.after(ablation), texts[1])
        lesions = self.rng.choice((1, 1, 2))
        if pre_masks:
            self.draw(pre, "tumour", lesions)
        if post_masks:
            self.draw(post, "ablation", lesions)
        if pre_masks and post_masks:
            patient.truth.add((pre.scans[1].uid, post.scans[1].uid))
        return [pre, post]


def plain(make: Maker, patient: Patient) -> None:
    """One ablation, nothing odd."""
    make.course(patient, make.day())


def small(make: Maker, patient: Patient) -> None:
    """Scans of few slices, one series a study."""
    day = make.day()
    pre, post = make.study(patient, day, extras=False), make.study(patient, make.after(day), extras=False)
    for study, kind in ((pre, "tumour"), (post, "ablation")):
        study.scans[0].slices, study.scans[0].types = FULL // 2, "DERIVED\\PRIMARY\\AXIAL"
        make.draw(study, kind, scan=0)
    patient.truth.add((pre.scans[0].uid, post.scans[0].uid))


def missing_masks(make: Maker, patient: Patient) -> None:
    """One ablation, and nobody drew the tumour, the zone, or either."""
    pre_masks, post_masks = make.rng.choice(((True, False), (False, True), (False, False)))
    make.course(patient, make.day(), pre_masks=pre_masks, post_masks=post_masks)


def same_day(make: Maker, patient: Patient) -> None:
    """PRE and POST on the table, in one study or two, in one frame of reference."""
    day = make.day()
    pre = make.study(patient, day, "CT MWA Leber", extras=False)
    post = pre if make.some(0.5) else make.study(patient, day, "CT MWA Leber", extras=False)
    if post is pre:
        post.scans.append(Scan(make.uid(), post, "post", frame=pre.scans[0].frame))
    elif make.some(0.5):
        post.scans[0].frame = pre.scans[0].frame
    first, last = pre.scans[0], post.scans[-1]
    first.time, last.time = "090000", "113000"
    make.draw(pre, "tumour", scan=0)
    make.draw(post, "ablation", scan=len(post.scans) - 1)
    patient.truth.add((first.uid, last.uid))


def anonymised(make: Maker, patient: Patient) -> None:
    """One ablation; dates are gone, equal, or shifted by study, with and without saying so."""
    studies = make.course(patient, make.day())
    if make.some(0.3):
        make.study(patient, studies[0].day + timedelta(days=make.rng.randint(-200, 200)), "CT Thorax", extras=False)
    spoil(make, patient)


def spoil(make: Maker, patient: Patient) -> None:
    """Take away, level or shift the dates of a patient's studies."""
    how = make.rng.choice(("gone", "equal", "shifted", "one gone"))
    said = make.some(0.5)
    for n, study in enumerate(patient.studies):
        study.modified = said
        shifted = study.day + timedelta(days=make.rng.randint(-4000, 4000))
        gone = how == "gone" or n == 0
        study.stated = {"equal": "20000101", "shifted": shifted.strftime("%Y%m%d")}.get(how, "" if gone else None)
        for scan in study.scans if how != "shifted" and said else ():
            scan.time = ""


def several_posts(make: Maker, patient: Patient) -> None:
    """One ablation with an immediate scan and a follow-up."""
    pre, _ = make.course(patient, make.day())
    patient.studies.pop()
    patient.truth.clear()
    ablation = pre.day + timedelta(days=make.rng.randint(1, 30))
    for days in (1, make.rng.choice((30, 60, 90))):
        post = make.study(patient, ablation + timedelta(days=days))
        make.draw(post, "ablation")
        patient.truth.add((pre.scans[1].uid, post.scans[1].uid))


def two_phases_drawn(make: Maker, patient: Patient) -> None:
    """The tumour was drawn on two phases: nothing says which is meant."""
    pre, _ = make.course(patient, make.day())
    make.draw(pre, "tumour", scan=0)
    patient.truth.clear()


def reformat_drawn(make: Maker, patient: Patient) -> None:
    """The tumour was drawn on the axial scan and again on its coronal reformat."""
    pre, _ = make.course(patient, make.day())
    pre.scans.append(
        Scan(make.uid(), pre, "MPR cor", FULL, types="DERIVED\\SECONDARY\\MPR", orientation="1\\0\\0\\0\\0\\-1",
             frame=pre.scans[0].frame)
    )  # fmt: skip
    make.draw(pre, "tumour", scan=len(pre.scans) - 1)


def two_courses(make: Maker, patient: Patient) -> None:
    """Two ablations a year apart, each with PRE and POST; dates may be spoiled."""
    day = make.day()
    make.course(patient, day)
    make.course(patient, day + timedelta(days=make.rng.randint(150, 500)))
    if make.some(0.35):
        spoil(make, patient)


def half_drawn_courses(make: Maker, patient: Patient) -> None:
    """Two ablations; only the first PRE and the last POST have masks, so that no pair is true."""
    day = make.day()
    make.course(patient, day, post_masks=False)
    pre, post = make.course(patient, day + timedelta(days=make.rng.randint(15, 250)), pre_masks=False)
    if make.some(0.5):
        make.study(patient, min(pre.day + timedelta(days=5), post.day), "CT guided MWA")
    if make.some(0.3):
        spoil(make, patient)


def session_between(make: Maker, patient: Patient) -> None:
    """A study of needle scans lies between, as does sometimes another scan of something else."""
    pre, post = make.course(patient, make.day())
    latest = max(1, min((post.day - pre.day).days, 40))
    make.study(patient, pre.day + timedelta(days=latest), make.rng.choice(("MWA Leber", "CT guided RFA needle")))
    if make.some(0.4):
        make.study(patient, pre.day + timedelta(days=make.rng.randint(-90, 90)), "CT Thorax", extras=False)


def by_frame(make: Maker, patient: Patient) -> None:
    """Masks state the frame of reference alone: of a study with one scan, or with three phases."""
    day = make.day()
    one = make.some(0.6)
    pre, post = make.study(patient, day, extras=not one), make.study(patient, make.after(day), extras=not one)
    scan = 0 if one else 1
    make.draw(pre, "tumour", scan=scan, how="rtstruct")
    make.draw(post, "ablation", scan=scan, how="rtstruct")
    for mask in (*pre.masks, *post.masks):
        del mask.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence
    if one:
        patient.truth.add((pre.scans[0].uid, post.scans[0].uid))


def two_persons(make: Maker, patient: Patient) -> None:
    """Two persons share one PatientID: each has one half of what looks like a pair."""
    _, post = make.course(patient, make.day())
    other = Patient(patient.number, patient.recipe, patient.id, "Zebedee^Other", "19011111")
    post.patient = other
    for mask in post.masks:
        mask.PatientBirthDate = other.born
    patient.truth.clear()


def no_id(make: Maker, patient: Patient) -> None:
    """An anonymiser emptied PatientID."""
    patient.id = ""
    make.course(patient, make.day())
    patient.truth.clear()


def contradicting(make: Maker, patient: Patient) -> None:
    """The dates of PRE and POST were exchanged."""
    pre, post = make.course(patient, make.day())
    pre.stated, post.stated = post.date, pre.date


def two_volumes(make: Maker, patient: Patient) -> None:
    """The tumour's series holds two volumes at the same positions."""
    pre, _ = make.course(patient, make.day())
    pre.scans[1].volumes = 2
    patient.truth.clear()


def tumour_on_post(make: Maker, patient: Patient) -> None:
    """The tumour was also copied onto POST."""
    _, post = make.course(patient, make.day())
    make.draw(post, "tumour", how="seg")


def absent_series(make: Maker, patient: Patient) -> None:
    """Masks of a series that was not exported lie in the tree, too."""
    pre, _ = make.course(patient, make.day())
    elsewhere = Scan(make.uid(), pre, frame=make.uid())
    pre.masks.append(seg(make.uid(), elsewhere, [("tumour", 1)]))


def unclear(make: Maker, patient: Patient) -> None:
    """A label speaks of a lesion without saying which."""
    pre, _ = make.course(patient, make.day())
    pre.masks.append(seg(make.uid(), pre.scans[1], [("lesion near IVC", 0)]))
    patient.truth.clear()


def two_readers(make: Maker, patient: Patient) -> None:
    """Two readers drew the same tumour on the same series."""
    pre, _ = make.course(patient, make.day())
    make.draw(pre, "tumour", how="seg")
    patient.truth.clear()


def old_post(make: Maker, patient: Patient) -> None:
    """A zone of an earlier ablation was drawn, too, whose PRE is not here."""
    pre, _ = make.course(patient, make.day())
    old = make.study(patient, pre.day - timedelta(days=make.rng.randint(90, 700)))
    make.draw(old, "ablation")


def recurrence(make: Maker, patient: Patient) -> None:
    """A recurrence was drawn on a late scan, and has not been ablated yet."""
    _, post = make.course(patient, make.day())
    late = make.study(patient, post.day + timedelta(days=make.rng.randint(60, 300)))
    make.draw(late, "tumour")


RECIPES: dict[str, Callable[[Maker, Patient], None]] = {
    f.__name__: f
    for f in (
        plain, small, missing_masks, same_day, anonymised, several_posts, two_phases_drawn, reformat_drawn,
        two_courses, half_drawn_courses, session_between, by_frame, two_persons, no_id, contradicting, two_volumes,
        tumour_on_post, absent_series, unclear, two_readers, old_post, recurrence,
    )
}  # fmt: skip
WEIGHTS = {"plain": 4, "anonymised": 4, "two_courses": 3, "half_drawn_courses": 3, "session_between": 3, "same_day": 2,
           "several_posts": 2}  # fmt: skip


def patients(seed: int, count: int) -> list[Patient]:
    """Return so many patients: every recipe in turn, the common ones more often."""
    make = Maker(seed)
    deck = [name for name in RECIPES for _ in range(WEIGHTS.get(name, 1))]
    made: list[Patient] = []
    while len(made) < count:
        make.rng.shuffle(deck)
        made += [make.patient(len(made) + n, name) for n, name in enumerate(deck[: count - len(made)])]
    return made


def write_tree(made: list[Patient], root: Path, seed: int) -> int:
    """Write the patients below `root`, some interleaved in one flat folder; return the number of files."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    written = 0
    for patient in made:
        for study in patient.studies:
            for scan in study.scans:
                for n, content in enumerate(images(scan)):
                    written += put(root, rng, patient, study, f"s{scan.uid[-6:]}/{n:04d}", content)
            for n, mask in enumerate(study.masks):
                path = place(root, rng, patient, study, f"masks/{n}")
                state_study(mask, study)
                mask.save_as(path, enforce_file_format=True)
                written += 1
                if patient.copies:
                    shutil.copyfile(path, path.with_name(f"{path.name}_2"))
                    written += 1
    return written


def place(root: Path, rng: random.Random, patient: Patient, study: Study, name: str) -> Path:
    """Return a path: in one flat folder of all, or below a folder of the patient."""
    below = Path("inbox") / f"IM{rng.getrandbits(48):012x}" if patient.flat else (
        Path(f"Zebedee_{patient.number:04d}") / f"st{study.uid[-6:]}" / name
    )  # fmt: skip
    path = root / below
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def put(root: Path, rng: random.Random, patient: Patient, study: Study, name: str, content: bytes) -> int:
    """Write an image, twice where the patient was sent twice."""
    path = place(root, rng, patient, study, name)
    path.write_bytes(content)
    if patient.copies:
        path.with_name(f"{path.name}_2").write_bytes(content)
    return 1 + patient.copies


def element(tag: int, vr: str, value: str | bytes) -> bytes:
    """Return an explicit VR little endian element."""
    raw = value.encode("latin-1") if isinstance(value, str) else value
    raw += (b"\0" if vr in ("UI", "OW") else b" ") * (len(raw) % 2)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    return head + (struct.pack("<HI", 0, len(raw)) if vr == "OW" else struct.pack("<H", len(raw))) + raw


def images(scan: Scan) -> list[bytes]:
    """Return the files of a series: what all share is put together once."""
    study, patient = scan.study, scan.study.patient
    count = scan.slices * scan.volumes
    us = struct.pack("<H", SIZE)
    first = element(0x00080008, "CS", scan.types) + element(0x00080016, "UI", CT)
    shared = b"".join((
        element(0x00080020, "DA", study.date), element(0x00080022, "DA", study.date),
        element(0x00080032, "TM", scan.time), element(0x00080060, "CS", "CT"), element(0x00081030, "LO", study.text),
        element(0x0008103E, "LO", scan.text), element(0x00100010, "PN", patient.name),
        element(0x00100020, "LO", patient.id), element(0x00100030, "DA", patient.born), element(0x00100040, "CS", "F"),
        element(0x00180050, "DS", f"{scan.step_mm:g}"), element(0x0020000D, "UI", study.uid),
        element(0x0020000E, "UI", scan.uid),
    ))  # fmt: skip
    sixteen = struct.pack("<H", 16)
    last = b"".join((
        element(0x00200037, "DS", scan.orientation), element(0x00200052, "UI", scan.frame),
        element(0x00280002, "US", struct.pack("<H", 1)), element(0x00280004, "CS", "MONOCHROME2"),
        element(0x00280010, "US", us), element(0x00280011, "US", us), element(0x00280030, "DS", "50\\50"),
        element(0x00280100, "US", sixteen), element(0x00280101, "US", sixteen),
        element(0x00280102, "US", struct.pack("<H", 15)), element(0x00280103, "US", struct.pack("<H", 1)),
        element(0x00280303, "CS", "MODIFIED") if study.modified else b"", element(0x00281052, "DS", "-1024"),
        element(0x00281053, "DS", "1"), element(0x7FE00010, "OW", bytes(2 * SIZE * SIZE)),
    ))  # fmt: skip
    made = []
    for n in range(count):
        sop, along = f"{scan.uid}.{n + 1}", scan.step_mm * (n % scan.slices)
        origin = f"-100\\-100\\{along:g}" if scan.orientation.endswith("1\\0") else f"-100\\{along:g}\\50"
        meta = element(0x00020002, "UI", CT) + element(0x00020003, "UI", sop)
        meta += element(0x00020010, "UI", ExplicitVRLittleEndian)
        meta = element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
        own = element(0x00200012, "IS", str(1 + n // scan.slices))
        own += element(0x00200013, "IS", str(count - n if patient.reverse else n + 1))
        own += element(0x00200032, "DS", origin)
        made.append(
            b"".join((bytes(128), b"DICM", meta, first, element(0x00080018, "UI", sop), shared, own, last))
        )  # fmt: skip
    return made


def state_study(mask: FileDataset, study: Study) -> None:
    """Give a mask what its study states, known only when it is written."""
    mask.StudyDate, mask.PatientID = study.date, study.patient.id
    mask.PatientName, mask.PatientBirthDate, mask.PatientSex = study.patient.name, study.patient.born, "F"
    mask.StudyDescription, mask.StudyInstanceUID = study.text, study.uid


def _dataset(sop_class: str, uid: str, modality: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, f"{uid}.1"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.SOPInstanceUID, made.SeriesInstanceUID = sop_class, f"{uid}.1", uid
    made.Modality = modality
    return made


def _item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def _label(kind: str, number: int) -> str:
    return f"{kind.capitalize()} {number}" if number else kind


def seg(uid: str, scan: Scan, lesions: list[tuple[str, int]]) -> FileDataset:
    """Return a SEG whose header says what was drawn; its pixels are empty."""
    made = _dataset(SEG, uid, "SEG")
    made.FrameOfReferenceUID, made.SegmentationType = scan.frame, "BINARY"
    made.ReferencedSeriesSequence = Items([_item(SeriesInstanceUID=scan.uid)])
    made.SegmentSequence = Items([
        _item(SegmentNumber=n, SegmentLabel=_label(*lesion)) for n, lesion in enumerate(lesions, start=1)
    ])  # fmt: skip
    made.NumberOfFrames, made.Rows, made.Columns = 1, SIZE, SIZE
    made.BitsAllocated = made.BitsStored = 1
    made.HighBit = made.PixelRepresentation = 0
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.PixelData = bytes(2)
    return made


def rtstruct(uid: str, scan: Scan, lesions: list[tuple[str, int]]) -> FileDataset:
    """Return a structure set with a square for each lesion."""
    made = _dataset(RTSTRUCT, uid, "RTSTRUCT")
    series = _item(SeriesInstanceUID=scan.uid)
    study = _item(ReferencedSOPInstanceUID=scan.study.uid, RTReferencedSeriesSequence=Items([series]))
    made.ReferencedFrameOfReferenceSequence = Items([
        _item(FrameOfReferenceUID=scan.frame, RTReferencedStudySequence=Items([study]))
    ])  # fmt: skip
    made.StructureSetROISequence = Items([
        _item(ROINumber=n, ROIName=_label(*lesion), ReferencedFrameOfReferenceUID=scan.frame)
        for n, lesion in enumerate(lesions, start=1)
    ])  # fmt: skip
    square = [-90, -90, 9, -60, -90, 9, -60, -60, 9, -90, -60, 9]
    made.ROIContourSequence = Items([
        _item(ReferencedROINumber=n, ContourSequence=Items([
            _item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=4, ContourData=square)
        ])) for n in range(1, len(lesions) + 1)
    ])  # fmt: skip
    return made
