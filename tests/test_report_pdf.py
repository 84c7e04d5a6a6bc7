"""The report on paper: tagged by PDF/UA-1's rules as far as structure shows them, whole, the same every time."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date
from functools import cache
from itertools import pairwise

import pikepdf
import pytest
from cli_runs import ROOT
from entered import EVERYTHING
from paper_read import PaperRead, Tag
from review_fixture import a_review, an_assessment

from pipelines.paper import PaperError, fitted, pdf_of, printed
from pipelines.wire import packaged_evidence, render
from planner.assessment import Assessment, Distance, LesionAssessment, Passage, Reason
from planner.caution import Caution
from planner.consult import consulted
from planner.report import words
from planner.report.beside_rules import DisputeRow
from planner.report.blocks import Paper, Picture, document
from planner.report.content import Content, report_content
from planner.report.figure import Figure
from planner.report.paper import NOT_REPEATED, paper

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DRAWN = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20"><title>not for the page</title>'
    b'<rect width="30" height="20" fill="#D55E00"/><path d="M0 0L60 20" stroke="#000"/></svg>'
)
HOSTILE = (
    '<script>alert(1)</script>" #eval("1") *b* _i_ $x^2$ @ref <lab> `raw` \\u{41} // = h\nnew'
    "\tline\u202egnp.exe\x00\x1b[31m" + "A" * 300
)
FOREIGN = "山田 太郎, 🎉, שלום 12, مرحبا بكم, Ёлка, Ærøskøbing, ữ, \U0001f468\u200d\U0001f469"


def figures_of(lesions: tuple[str, ...]) -> tuple[Figure, ...]:
    found = [Figure("all", "The whole case.", "alternative of the case", "image/png", PIXEL)]
    for lesion in lesions:
        for kind in ("strip", "planes", "checkerboard"):
            said = (f"Caption of {kind}, {lesion}.", f"alternative of {kind}, {lesion}")
            found.append(Figure(f"lesion_{lesion}_{kind}", *said, "image/svg+xml", DRAWN, lesion, kind))
    return tuple(found)


@cache
def whole_assessment() -> Assessment:
    """An assessment that fills every part of a report."""
    around = (Distance("ivc", "tumour", 12.0, None), Distance("ivc", "ablation", -0.5, None, (-2.0, 1.0)),
              Distance("colon", "tumour", 45.0, None), Distance("colon", "ablation", 40.0, None))  # fmt: skip
    first, *others = an_assessment().lesions
    held = replace(
        an_assessment(), lesions=(replace(first, distances=around), *others),
        cautions=(Caution("different-patients", "the studies name two patients"),),
        passages=(Passage("portal_vein", False, "one_side", 20.0),),
        reasons=(Reason(None, "x", "something is absent"),),
    )  # fmt: skip
    return consulted(held, EVERYTHING, packaged_evidence("wang-2013"))


def content_of(assessment: Assessment, figures: tuple[Figure, ...], **changes: object) -> Content:
    given = {
        "provenance": {**a_review().provenance, "written_at": "2031-12-24T10:11:12+00:00"},
        "timings_s": {"read": 7.125},
        "notes": ("PRE: a note.",), "identities": {"pre": ("Anna Müller", "id 77", ""), "post": ("", "", "1950-02-03")},
        "scan_dates": {"pre": date(2024, 1, 10), "post": date(2024, 3, 1)},
    } | changes  # fmt: skip
    return report_content(assessment, figures, **given)  # type: ignore[arg-type]  # any argument by name


def set_on_paper(assessment: Assessment, **changes: object) -> tuple[Paper, bytes]:
    figures = figures_of(tuple(lesion.lesion_id for lesion in assessment.lesions))
    said = paper(content_of(assessment, figures, **changes), version="ablation-planner 0.1.0")
    return said, pdf_of(said, figures)


def without_space(text: str) -> str:
    return re.sub(r"\s+", "", text)


def texts(value: object) -> Iterator[str]:
    """Yield the texts of a block in the order of reading; of a picture its caption."""
    match value:
        case {"text": str(text), "style": _} | {"text": str(text), "level": _}:
            yield text
        case {"kind": "picture", "caption": str(caption)}:
            yield caption
        case {"kind": "table", "caption": caption, "heads": heads, "rows": rows}:
            yield from (str(caption), *heads)
            yield from texts(rows)
        case dict():
            for part in value.values():
                yield from texts(part)
        case list():
            for part in value:
                yield from texts(part)


@pytest.fixture(scope="module")
def whole() -> tuple[Paper, PaperRead]:
    said, content = set_on_paper(whole_assessment())
    return said, PaperRead(content)


def test_it_says_that_it_is_tagged_in_english_with_a_title_by_pdf_ua_1(whole: tuple[Paper, PaperRead]) -> None:
    root = whole[1].pdf.Root
    assert root.MarkInfo.Marked
    assert not root.MarkInfo.get("/Suspects", False)
    assert str(root.Lang) == "en"
    assert root.ViewerPreferences.DisplayDocTitle
    assert str(whole[1].pdf.docinfo.Title) == whole[0].title == "Ablation margin, case case-1"
    with whole[1].pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == whole[0].title


def test_nothing_is_drawn_outside_the_tags(whole: tuple[Paper, PaperRead]) -> None:
    assert whole[1].loose == []
    assert len(whole[1].marked) > 500


def test_it_reads_in_the_order_of_the_document_and_leaves_nothing_out(whole: tuple[Paper, PaperRead]) -> None:
    wanted = without_space("".join(texts(document(whole[0])["blocks"])))
    assert len(wanted) > 40_000
    assert without_space(whole[1].tree.text.replace("•", "")) == wanted


def test_pages_follow_the_order_of_reading(whole: tuple[Paper, PaperRead]) -> None:
    by_page = "".join(whole[1].page_of(n + 1) for n in range(len(whole[1].pdf.pages)))
    assert sorted(without_space(by_page)) == sorted(without_space(whole[1].tree.text))
    assert whole[1].pages_in_order == sorted(whole[1].pages_in_order)
    assert set(whole[1].pages_in_order) == set(range(len(whole[1].pdf.pages)))


def test_headings_skip_no_level_and_are_the_bookmarks(whole: tuple[Paper, PaperRead]) -> None:
    headings = whole[1].tree.all("H1", "H2", "H3", "H4", "H5", "H6")
    levels = [int(tag.kind[1]) for tag in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    with whole[1].pdf.open_outline() as outline:
        found = [one.title for top in outline.root for one in _flat(top)]
    assert found == [tag.text for tag in headings]
    assert len(found) > 20


def _flat(item: pikepdf.OutlineItem) -> Iterator[pikepdf.OutlineItem]:
    yield item
    for child in item.children:
        yield from _flat(child)


def test_every_picture_has_its_text_alternative(whole: tuple[Paper, PaperRead]) -> None:
    pictures = [block for block in whole[0].blocks if isinstance(block, Picture)]
    assert len(pictures) == 10
    assert [tag.alt for tag in whole[1].tree.all("Figure")] == [picture.alt for picture in pictures]


def test_every_table_has_a_caption_and_every_column_a_head_with_its_scope(whole: tuple[Paper, PaperRead]) -> None:
    tables = whole[1].tree.all("Table")
    assert len(tables) > 15
    captions = whole[1].tree.all("Caption")
    told = [block for block in whole[0].blocks if isinstance(block, Picture) and block.caption]
    assert len(captions) == len(tables) + len(told)
    # Of a table that begins a page the caption stands in an element around the two.
    around = [tag for tag in whole[1].tree.all("Table", "Div") if any(_is_caption(child) for child in tag.children)]
    assert len(around) == len(captions)
    assert all(any(tag.kind == "Table" or table in tag.all("Table") for tag in around) for table in tables)
    for table in tables:
        rows = table.all("TR")
        heads = rows[0].all("TH")
        assert heads
        assert all(head.scopes == ("/Column",) for head in heads)
        assert all(head.text for head in heads)
        assert all(len(row.all("TD")) == len(heads) for row in rows[1:])


def _is_caption(child: object) -> bool:
    return isinstance(child, Tag) and child.kind == "Caption"


def test_every_list_has_items_with_a_label_and_a_body(whole: tuple[Paper, PaperRead]) -> None:
    lists = whole[1].tree.all("L")
    assert len(lists) > 10
    for one in lists:
        for item in one.children:
            assert isinstance(item, Tag)
            assert item.kind in ("LI", "L")
            if item.kind == "LI":
                assert [part.kind for part in item.children if isinstance(part, Tag)][:2] == ["Lbl", "LBody"]


def test_fonts_are_embedded_and_every_code_has_its_text(whole: tuple[Paper, PaperRead]) -> None:
    fonts = list(whole[1].fonts())
    assert {re.sub(r"^/[A-Z]{6}\+", "", str(font.BaseFont)).split("-Identity")[0] for font in fonts} == {
        "DejaVuSans", "DejaVuSans-Bold",
    }  # fmt: skip
    for font in fonts:
        descriptor = font.DescendantFonts[0].FontDescriptor
        assert any(name in descriptor for name in ("/FontFile", "/FontFile2", "/FontFile3"))
        assert "/ToUnicode" in font


def test_head_and_foot_of_every_page_name_case_version_banner_and_page_and_are_no_content(
    whole: tuple[Paper, PaperRead],
) -> None:
    pages = len(whole[1].pdf.pages)
    for number, artifact in enumerate(whole[1].artifacts, start=1):
        assert artifact.startswith("Case case-1ablation-planner 0.1.0")
        assert artifact.endswith(f"{words.BANNER}Page {number} of {pages}")
    assert "Page 1 of" not in whole[1].tree.text


def test_pages_have_their_tabs_in_the_order_of_the_tags(whole: tuple[Paper, PaperRead]) -> None:
    assert all(page.get("/Tabs", "/S") == "/S" for page in whole[1].pdf.pages)


def test_it_reaches_for_nothing_and_runs_nothing(whole: tuple[Paper, PaperRead]) -> None:
    _, content = set_on_paper(hostile_assessment(), provenance={HOSTILE: HOSTILE})
    for pdf in (whole[1].pdf, PaperRead(content).pdf):
        assert not {"/OpenAction", "/AA", "/AcroForm", "/Names"} & set(pdf.Root.keys())
        for one in pdf.objects:
            if isinstance(one, (pikepdf.Dictionary, pikepdf.Stream)):
                assert not {"/JS", "/JavaScript", "/URI", "/Launch", "/EmbeddedFile"} & set(one.keys())


UNPRINTED = {
    "strip",
    "key",
    "band",
    "gate",
    "word",
    "total",
    "status",
    "timings",
    "risk",
    "validity",
    "cell",
    "alignment_kind",
}
OF_TYPE: dict[type, set[str]] = {Figure: {"name", "alt", "media_type", "lesion_id", "kind"}, DisputeRow: {"id"}}
"""Identifiers and functions; and what stands in other words: small checkerboards are explained once, sentences on risk
are a table of the relation."""


def said_by(value: object) -> Iterator[str]:
    """Yield every text of a content, but of figures the caption alone."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from said_by(part)
    elif is_dataclass(value):
        unprinted = OF_TYPE.get(type(value), set())
        for one in fields(value):
            if one.name not in UNPRINTED | unprinted:
                yield from said_by(getattr(value, one.name))


def test_whatever_the_page_says_the_paper_says(whole: tuple[Paper, PaperRead]) -> None:
    content = content_of(whole_assessment(), figures_of(("1", "2", "3")))
    kept = tuple(pair for pair in content.provenance if pair[0] not in NOT_REPEATED)
    printed_text = without_space(whole[1].tree.text).lower()
    wanted = list(said_by(replace(content, provenance=kept)))
    assert len(wanted) > 800
    assert [text for text in wanted if without_space(text).lower() not in printed_text] == []
    assert all(without_space(text) in without_space(whole[1].tree.text) for text in content.progression.validity)


def test_no_verdict_stands_as_a_bare_word(whole: tuple[Paper, PaperRead]) -> None:
    assert not re.search(r"\b(PASS|FAIL)(ED)?\b", whole[1].tree.text)


def test_times_of_day_and_durations_stay_off_it(whole: tuple[Paper, PaperRead]) -> None:
    later, slower = {**a_review().provenance, "written_at": "2032-01-01T00:00:00+00:00"}, {"read": 99.0}
    _, first = set_on_paper(whole_assessment())
    _, second = set_on_paper(whole_assessment(), provenance=later, timings_s=slower)
    assert first == second
    assert "2031-12-24" not in whole[1].tree.text
    assert "/CreationDate" not in whole[1].pdf.docinfo


PRINT_IT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import test_report_pdf as t
print(hashlib.sha256(t.set_on_paper(t.whole_assessment())[1]).hexdigest())
"""


@pytest.mark.slow
def test_two_processes_in_other_folders_set_the_same_bytes(tmp_path) -> None:
    found = set()
    for number, zone in enumerate(("UTC", "Asia/Tokyo")):
        here = tmp_path / f"folder {number}"
        here.mkdir()
        environment = os.environ | {
            "TMPDIR": str(here), "TZ": zone, "PYTHONHASHSEED": str(number), "PYTHONPATH": str(ROOT), "LC_ALL": "C",
        }  # fmt: skip
        ran = subprocess.run(
            [sys.executable, "-c", PRINT_IT, str(ROOT / "tests")], cwd=here, env=environment, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        found.add(ran.stdout.strip())
        assert list(here.iterdir()) == []
    assert len(found) == 1


def hostile_assessment() -> Assessment:
    lesions = tuple(
        replace(lesion, lesion_id=f"{place}{HOSTILE}") for place, lesion in enumerate(an_assessment().lesions)
    )
    held = replace(
        an_assessment(), case_id=HOSTILE, notes=(HOSTILE,), reasons=(Reason(HOSTILE, "code", HOSTILE),),
        cautions=(Caution("x", HOSTILE),), lesions=lesions,
    )  # fmt: skip
    return consulted(held, {}, packaged_evidence())


def test_hostile_strings_are_text() -> None:
    said, content = set_on_paper(
        hostile_assessment(), provenance={HOSTILE: HOSTILE}, notes=(HOSTILE,), timings_s={HOSTILE: 1.0},
        identities={"pre": (HOSTILE, HOSTILE, HOSTILE)},
    )  # fmt: skip
    read = PaperRead(content)
    shown = '<script>alert(1)</script>" #eval("1") *b* _i_ $x^2$ @ref <lab> `raw` \\u{41} // = h new line\ufffdgnp.exe'
    assert read.tree.text.count(shown) > 15
    assert "A" * 300 in read.tree.text.replace("\n", "")
    assert read.loose == []
    assert str(read.pdf.docinfo.Title) == document(said)["title"]
    for text in (read.tree.text, "".join(read.artifacts), str(read.pdf.docinfo.Title)):
        assert not [character for character in text if character in "\u202e\x00\x1b"]


def test_long_names_stay_on_the_sheet_and_are_copied_as_they_are() -> None:
    _, content = set_on_paper(replace(an_assessment(), case_id="ab" * 200))
    read = PaperRead(content)
    assert read.tree.all("H1")[0].text == f"Ablation margin, case {'ab' * 200}"
    assert read.artifacts[0].startswith(f"Case {('ab' * 200)[:59]}…")


def test_names_that_no_font_draws_are_shown_as_replaced_and_never_stop_it() -> None:
    lesions = tuple(replace(one, lesion_id=f"{place} {FOREIGN}") for place, one in enumerate(an_assessment().lesions))
    _, content = set_on_paper(replace(an_assessment(), case_id=FOREIGN, notes=(FOREIGN,), lesions=lesions))
    text = PaperRead(content).tree.text
    assert "\ufffd\ufffd \ufffd\ufffd, " in text
    assert "Ёлка, Ærøskøbing, ữ, " in text
    assert "山" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("中", "\ufffd"),
        ("שלום 12", "שלום\u200e 12"),
        ("שלום בית 3", "שלום בית\u200e 3"),
        ("a\u0301", "a\u0301"),
    ],
)
def test_words_read_from_the_right_leave_what_follows_in_place(text: str, shown: str) -> None:
    known = frozenset(map(ord, "plain 123שלוםבית\u0301a"))
    assert fitted(text, known) == shown


def test_a_row_that_no_sheet_holds_goes_on_over_the_next() -> None:
    word = "abcdefg "
    _, content = set_on_paper(an_assessment(), provenance={"software": "x", "a long setting": word * 3000})
    read = PaperRead(content)
    assert read.tree.text.count(word) == 3000
    assert sum(word * 20 in read.page_of(n + 1) for n in range(len(read.pdf.pages))) > 2


def first_sheet(assessment: Assessment, figures: bool = True) -> str:
    held = figures_of(tuple(lesion.lesion_id for lesion in assessment.lesions)) if figures else ()
    content = content_of(assessment, held, identities={})
    return PaperRead(pdf_of(paper(content, version="ablation-planner 0.1.0"), held)).page_of(1)


def many(count: int) -> tuple[LesionAssessment, ...]:
    three = an_assessment().lesions
    return tuple(replace(three[place % 3], lesion_id=f"L{place + 1}") for place in range(count))


@pytest.mark.parametrize("count", [1, 4, 12])
def test_the_first_sheet_holds_the_whole_answer(count: int) -> None:
    assessment = consulted(replace(an_assessment(), lesions=many(count)), {}, packaged_evidence())
    sheet, content = first_sheet(assessment), content_of(assessment, ())
    rows = ["".join(f"{cell.text}{cell.note}" for cell in row.cells) for row in content.answer]
    wanted = [words.BANNER, *content.impression, *content.reasons, *rows]
    assert [text for text in wanted if without_space(text) not in without_space(sheet)] == []
    places = [without_space(sheet).index(without_space(row)) for row in rows]
    assert places == sorted(places)
    if count <= 4:
        assert "Registration quality" in sheet
        assert without_space(content.alignment) in without_space(sheet)


def test_a_table_over_several_pages_repeats_its_head() -> None:
    figures: tuple[Figure, ...] = ()
    content = content_of(replace(an_assessment(), lesions=many(40)), figures)
    read = PaperRead(pdf_of(paper(content, version="v"), figures))
    assert "L40" in "".join(read.page_of(n) for n in (2, 3))
    assert "Minimal margin" in read.artifacts[1]
    assert [len(table.all("TH")) for table in read.tree.all("Table")][1] == len(content.heads)


@pytest.mark.parametrize("status", ["no lesions", "not treated", "not assessable", "no liver"])
def test_cases_without_a_margin_have_a_paper(status: str) -> None:
    plain = an_assessment()
    lost = Reason("margin", "registration", "a check of the registration failed")
    held = {
        "no lesions": replace(plain, lesions=(), findings=(), status="not_assessable"),
        "not treated": replace(plain, lesions=plain.lesions[2:]),
        "not assessable": replace(plain, status="not_assessable", lesions=tuple(
            replace(one, status="not_assessable", margin=None, coverage=None, reasons=(lost,))
            for one in plain.lesions[:2])),
        "no liver": replace(plain, liver_used="none", lesions=tuple(
            replace(one, margin=replace(one.margin, definition="geometric", capsule_facing_fraction=None))
            for one in plain.lesions[:2])),
    }[status]  # fmt: skip
    sheet = first_sheet(held, figures=False)
    assert words.BANNER in sheet
    assert {
        "no lesions": "No lesions.", "not treated": "no ablation zone touches this tumour", "not assessable": lost.text,
        "no liver": words.LIVER["none"],
    }[status] in sheet  # fmt: skip


def test_bands_have_words_beside_their_colour() -> None:
    content = content_of(an_assessment(), ())
    for row in document(paper(content, version="v"))["blocks"]:  # type: ignore[attr-defined]  # JSON
        for cell in (cell for line in row.get("rows", ()) for cell in line if cell["band"]):
            assert "".join(run["text"] for text in cell["lines"] for run in text).strip()


def test_without_typst_the_page_says_why_there_is_no_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    pages = render(a_review(), ())
    assert pages.pdf is None
    assert pages.no_pdf == "There is no report.pdf: the typesetter typst, or what it needs, cannot be loaded."
    assert pages.no_pdf in pages.html


@pytest.mark.parametrize("content", [b"no picture", b"<svg", b""])
def test_a_picture_that_cannot_be_read_costs_the_paper_only(content: bytes) -> None:
    broken = Figure("lesion_1_planes", "A plane.", "alternative", "image/svg+xml", content, "1", "planes")
    pages = render(a_review(), (broken,))
    assert pages.pdf is None
    assert pages.no_pdf == "There is no report.pdf: the typesetter could not set the paper (TypstError)."
    assert pages.no_pdf in pages.html


class PanicException(BaseException):
    """What a panic in Rust looks like from here."""


def test_a_panic_costs_the_paper_only_and_an_interrupt_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    said = paper(content_of(an_assessment(), ()), version="v")

    def breaking(error: BaseException) -> object:
        def compile_(*_: object, **__: object) -> bytes:
            raise error

        return compile_

    monkeypatch.setattr("typst.compile", breaking(PanicException("a panic")))
    assert printed(said, ()).why_not == "There is no report.pdf: the typesetter broke down."
    monkeypatch.setattr("typst.compile", breaking(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        printed(said, ())


def test_a_font_that_is_absent_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("pipelines.paper._font_folder", lambda: tmp_path)
    monkeypatch.setattr("pipelines.paper._known_characters", _uncached())
    with pytest.raises(PaperError, match=r"the font DejaVuSans\.ttf is not installed"):
        pdf_of(paper(content_of(an_assessment(), ()), version="v"), ())


def _uncached() -> object:
    from pipelines import paper as module

    return module._known_characters.__wrapped__  # type: ignore[attr-defined]  # of functools.cache


def test_it_is_small_and_quick_and_set_beside_the_page() -> None:
    started = time.process_time()
    pages = render(a_review(), figures_of(("1", "2", "3")))
    assert time.process_time() - started < 2.0
    assert pages.no_pdf == ""
    assert pages.pdf is not None
    assert pages.pdf.startswith(b"%PDF-1.7")
    assert len(pages.pdf) < 1_000_000
