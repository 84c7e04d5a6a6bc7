"""`ablation figures` on folders as a review leaves them."""

from __future__ import annotations

import csv
import json
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from cli_runs import ROOT, ablation, python
from PIL import Image
from review_fixture import a_case, an_assessment

from pipelines.bundled import templates, text
from pipelines.figure_files import COLUMNS
from pipelines.figures import MatplotlibIllustrator
from pipelines.figures.encode import encoded
from pipelines.figures.kept import figures_in
from pipelines.figures.style import canvas
from planner.report.content import report_content
from planner.report.figure import Figure
from planner.report.html import render_html
from planner.report.page import picture

HOSTILE = "</title><script>alert(1)</script>\" onload=\"x' & \u202e =cmd|' /C calc'!A0\nnext " + "x" * 300


@pytest.fixture(scope="module")
def figures() -> tuple[Figure, ...]:
    return MatplotlibIllustrator().draw(a_case(), an_assessment())


def page_of(figures: tuple[Figure, ...]) -> str:
    content = report_content(an_assessment(), figures, {}, {})
    return render_html(content, templates=templates(), css=text("report.css"))


def finished(folder: Path, page: str, posts: int | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(page, encoding="utf-8")
    timing = {} if posts is None else {"timing": {"posts": posts}}
    (folder / "result.json").write_text(json.dumps(timing), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def out(figures: tuple[Figure, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("case") / "out", page_of(figures))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "captions.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_page_gives_back_each_figure_as_it_was_drawn(figures: tuple[Figure, ...]) -> None:
    found = {figure.name: figure for figure in figures_in(page_of(figures))}
    assert set(found) == {figure.name for figure in figures}
    for figure in figures:
        back = found[figure.name]
        assert (back.caption, back.alt, back.lesion_id, back.kind) == (
            figure.caption, figure.alt, figure.lesion_id, figure.kind,
        )  # fmt: skip
        # Space between elements is all that the page leaves out.
        assert re.sub(rb"\s+", b" ", back.content) == re.sub(rb"\s+", b" ", figure.content)


def test_svg_is_the_default_and_the_same_every_time(out: Path, figures: tuple[Figure, ...], tmp_path: Path) -> None:
    ran = ablation("figures", out, "-o", tmp_path / "a", "--quiet")
    assert ran.code == 0
    assert ablation("figures", out, "-o", tmp_path / "b", "--quiet").code == 0
    names = {f"{figure.name}.svg" for figure in figures} | {"captions.csv"}
    assert {path.name for path in (tmp_path / "a").iterdir()} == names
    assert {Path(line).name for line in ran.stdout.splitlines()} == names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_captions_stand_in_a_table(out: Path, figures: tuple[Figure, ...], tmp_path: Path) -> None:
    ablation("figures", out, "-o", tmp_path, "--lesion", "2", "--quiet")
    table = rows(tmp_path)
    assert tuple(table[0]) == COLUMNS
    of_two = [figure for figure in figures if figure.lesion_id == "2"]
    assert {row["figure"] for row in table} == {figure.name for figure in of_two}
    for figure in of_two:
        row = next(row for row in table if row["figure"] == figure.name)
        assert (row["file"], row["caption"], row["alt"]) == (f"{figure.name}.svg", figure.caption, figure.alt)
        assert (row["lesion_id"], row["kind"]) == ("2", figure.kind)


def test_pdf_keeps_lines_as_lines_and_is_the_same_every_time(out: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        assert (
            ablation("figures", out, "-o", tmp_path / folder, "--lesion", "2", "--format", "pdf", "--quiet").code == 0
        )
    for path in (tmp_path / "a").glob("*.pdf"):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
        with pikepdf.open(path) as document:
            (page,) = document.pages
            assert len(drawing_operators(document)) > 100, path.name
            assert float(page.MediaBox[2]) == pytest.approx(691.2 if "strip" not in path.name else 345.6, abs=0.2)
            assert "/CreationDate" not in document.docinfo
            assert document.Root.Lang is not None
    with pikepdf.open(tmp_path / "a" / "lesion_2_planes.pdf") as document:
        scans = [one for one in document.objects if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Image"]
        assert len(scans) >= 9
        assert max(int(scan.Width) for scan in scans) < 300


def drawing_operators(document: pikepdf.Pdf) -> list[str]:
    found = []
    for one in document.objects:
        is_content = isinstance(one, pikepdf.Stream) and (
            one.get("/Subtype") == "/Form" or any(one.objgen == page.Contents.objgen for page in document.pages)
        )
        if is_content:
            found += [str(step.operator) for step in pikepdf.parse_content_stream(one)]
    return [operator for operator in found if operator in {"l", "c", "S", "f", "f*"}]


def test_png_has_the_resolution_it_states(out: Path, tmp_path: Path) -> None:
    for dpi in (100, 200):
        ran = ablation("figures", out, "-o", tmp_path / str(dpi), "--lesion", "1", "--format", "png", "--dpi", dpi)
        assert ran.code == 0
        with Image.open(tmp_path / str(dpi) / "lesion_1_polar.png") as drawn:
            assert drawn.size[0] == pytest.approx(9.6 * dpi, abs=1)
            assert drawn.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)
            assert np.asarray(drawn).std() > 20.0


def test_every_post_of_a_case_gives_its_figures(figures: tuple[Figure, ...], tmp_path: Path) -> None:
    page = page_of(figures)
    top = finished(tmp_path / "out", "<p>Two posts.</p>")
    for number in (1, 2):
        finished(top / f"post_{number}", page, posts=2)
    finished(top / "post_3", page)  # another review that happens to lie there
    ran = ablation("figures", top, "-o", tmp_path / "figures", "--lesion", "3", "--quiet")
    assert ran.code == 0
    kinds = ("strip", "planes", "checkerboard", "edges", "displacement")
    expected = {f"post_{number}_lesion_3_{kind}.svg" for number in (1, 2) for kind in kinds}
    assert {path.name for path in (tmp_path / "figures").iterdir()} == expected | {"captions.csv"}


@pytest.mark.parametrize("what", ["absent", "unfinished", "file"])
def test_without_a_finished_review_the_exit_code_is_3(what: str, tmp_path: Path) -> None:
    place = tmp_path / "out"
    if what == "unfinished":
        place.mkdir()
        (place / "report.html").write_text("<p>")
    elif what == "file":
        place.write_text("x")
    ran = ablation("figures", place, "-o", tmp_path / "figures", "--quiet")
    assert ran.code == 3
    assert ran.stdout == ""
    assert "error [no-result]: OUT: " in ran.stderr
    assert not (tmp_path / "figures").exists()


def test_a_batch_folder_is_told_to_name_a_case(tmp_path: Path) -> None:
    finished(tmp_path / "batch" / "case-1", "")
    ran = ablation("figures", tmp_path / "batch", "-o", tmp_path / "figures", "--quiet")
    assert ran.code == 3
    assert "of a batch, name a case's folder" in ran.stderr


@pytest.mark.parametrize(("page", "code"), [(b"<p>none</p>", "no-figures"), (b"\xff\xfe\x00", "no-report")])
def test_a_report_without_figures_is_said_to_be_one(page: bytes, code: str, tmp_path: Path) -> None:
    out = finished(tmp_path / "out", "")
    (out / "report.html").write_bytes(page)
    ran = ablation("figures", out, "-o", tmp_path / "figures", "--quiet")
    assert ran.code == 3
    assert f"error [{code}]" in ran.stderr


def test_a_lesion_that_is_not_there_is_a_wrong_call(out: Path, tmp_path: Path) -> None:
    ran = ablation("figures", out, "-o", tmp_path / "figures", "--lesion", "9", "--quiet")
    assert ran.code == 2
    assert "expected one of: 1, 2, 3" in ran.stderr
    assert not (tmp_path / "figures").exists()


def test_a_place_that_cannot_be_written_ends_in_5(out: Path, tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("a file")
    ran = ablation("figures", out, "-o", tmp_path / "figures", "--quiet")
    assert ran.code == 5
    assert "FIGURES: " in ran.stderr


def test_pictures_of_another_kind_in_the_page_are_left_alone() -> None:
    page = '<img src="data:image/svg+xml,%3Csvg%20xmlns=%22x%22/%3E"><img src="data:image/png;base64,AAAA">'
    assert figures_in(page) == ()


def test_hostile_words_stay_words_in_svg_page_and_table(tmp_path: Path) -> None:
    figure = encoded(canvas(2.0, 2.0), f"lesion_{HOSTILE}_planes", HOSTILE, HOSTILE, kind="planes", lesion_id=HOSTILE)
    document = figure.content.decode("utf-8")
    assert "<script" not in document
    assert "\u202e" not in document
    source = picture(figure).source
    assert not set("<>\"'#\n\u202e") & set(source)
    out = finished(tmp_path / "out", f'<img src="{source}">')
    ran = ablation("figures", out, "-o", tmp_path / "figures", "--quiet")
    assert ran.code == 0
    (row,) = rows(tmp_path / "figures")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}\.svg", row["file"])
    assert (tmp_path / "figures" / row["file"]).is_file()
    assert "<script>alert(1)</script>" in row["alt"]
    assert "\u202e" not in "".join(row.values())


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_hostile_words_do_not_reach_the_typesetter_as_markup(form: str, tmp_path: Path) -> None:
    hostile = '#panic("x") \\ " ] $ @a'
    figure = encoded(canvas(2.0, 2.0), "lesion_1_planes", hostile, hostile, kind="planes", lesion_id="1")
    out = finished(tmp_path / "out", f'<img src="{picture(figure).source}">')
    assert ablation("figures", out, "-o", tmp_path / "f", "--format", form, "--quiet").code == 0


def test_names_that_differ_in_case_alone_get_files_of_their_own(tmp_path: Path) -> None:
    pages = [encoded(canvas(1.0, 1.0), f"lesion_{name}_planes", "", "x", kind="planes") for name in ("a", "A", "a/")]
    out = finished(tmp_path / "out", "".join(f'<img src="{picture(one).source}">' for one in pages))
    assert ablation("figures", out, "-o", tmp_path / "f", "--quiet").code == 0
    assert len({path.name.lower() for path in (tmp_path / "f").glob("*.svg")}) == 3


def test_help_says_what_it_does_without_loading_anything_heavy() -> None:
    loaded = (
        "import sys\nfrom pipelines.cli.__main__ import main\ntry:\n    main(['figures', '--help'])\n"
        "except SystemExit:\n    print(*{name.partition('.')[0] for name in sys.modules})"
    )
    ran = python("-c", loaded, cwd=ROOT)
    assert ran.code == 0
    assert "--format [svg|png|pdf]" in ran.stdout
    assert not {"matplotlib", "numpy", "typst", "PIL"} & set(ran.stdout.split())


def test_a_png_is_what_the_svg_shows(out: Path, tmp_path: Path) -> None:
    ablation("figures", out, "-o", tmp_path, "--lesion", "2", "--format", "png", "--dpi", "72", "--quiet")
    pixels = np.asarray(Image.open(BytesIO((tmp_path / "lesion_2_distribution.png").read_bytes()))).astype(int)
    vermilion = (np.abs(pixels - [0xD5, 0x5E, 0x00]).max(axis=2) <= 3).mean()
    assert vermilion > 0.005
