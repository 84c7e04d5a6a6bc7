from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.batch.manifest import read_manifest
from pipelines.formats.folder_name import id_fault
from planner.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("pre", "post", "one.toml"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "in" / "pre").mkdir()
    (tmp_path / "in" / "post").mkdir()
    (tmp_path / "in" / "one.toml").write_text("")
    return tmp_path / "in"


def manifest(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "manifest.csv"
    path.write_bytes(text.encode(encoding))
    return path


def refused(folder: Path, text: str, encoding: str = "utf-8") -> InputError:
    with pytest.raises(InputError) as caught:
        read_manifest(manifest(folder, text, encoding))
    assert caught.value.exit_code == 3
    assert str(caught.value).startswith("manifest: ")
    assert caught.value.where.startswith("manifest.csv")
    assert "\n" not in str(caught.value)
    return caught.value


def refusal(folder: Path, text: str, encoding: str = "utf-8") -> str:
    return str(refused(folder, text, encoding))


def test_paths_are_relative_to_the_manifest_wherever_it_is_called_from(folder, monkeypatch):
    monkeypatch.chdir("/")
    (row,) = read_manifest(manifest(folder, "case_id,patient,pre,post,case\na,p1,pre,post,one.toml\n"))
    assert (row.case_id, row.patient) == ("a", "p1")
    assert (row.pre, row.post, row.case) == (folder / "pre", folder / "post", folder / "one.toml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_patient_and_case_may_be_left_out_and_a_byte_order_mark_is_no_part_of_a_name(folder, encoding):
    (row,) = read_manifest(manifest(folder, "case_id,pre,post\r\nb ,pre,post\r\n\r\n", encoding))
    assert (row.case_id, row.patient, row.case) == ("b", "", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("case_id,pre\na,pre\n", "column 'post' is missing"),
        (
            "case_id,pre,post,patinet\na,pre,post,p\n",
            "column 4 is unknown, did you mean 'patient'?; expected case_id,pre,post",
        ),
        ("case_id,pre,post,pre\na,pre,post,pre\n", "column 'pre' is there twice"),
        ("case_id;pre;post\na;pre;post\n", "separated by semicolons"),
        ("", "column 'case_id' is missing"),
        ("case_id,pre,post\n", "no case"),
        ("case_id,pre,post\na,pre,post\na,pre,post\n", "lines 2, 3: one and the same case_id"),
        ("case_id,pre,post\nA1,pre,post\na1,pre,post\n", "lines 2, 3: one and the same case_id (A1, a1), expected"),
        ("case_id,pre,post\na,gone,post\n", "line 2: pre: no such file or folder"),
        ("case_id,pre,post\na,,post\n", "line 2: pre is empty"),
        ("case_id,pre,post,case\na,pre,post,pre\n", "line 2: case: no such file"),
        ("case_id,pre,post\na,pre\n", "line 2: 2 cells, expected 3"),
        ('case_id,pre,post\n"a,pre,post\n', "not a CSV file"),
        ("case_id,patient,pre,post\na,p\x07,pre,post\n", "patient holds a control character"),
    ],
)
def test_a_faulty_manifest_is_refused_in_one_line(folder, text, said):
    assert said in refusal(folder, text)


def test_several_faults_are_told_at_once_and_many_are_counted(folder):
    said = refusal(folder, "case_id,pre,post\n" + "".join(f"c{n},gone,post\n" for n in range(9)))
    assert said.count("no such file") == 5
    assert said.endswith("and 4 more faults")


def test_faults_stand_in_the_order_of_their_lines(folder):
    rows = ["a,gone,post", "b,pre,post", "c,pre", "b,pre,post", "d,pre,gone"]
    said = refusal(folder, "\n".join(["case_id,pre,post", *rows]) + "\n")
    assert [fault.split(":")[0] for fault in said.removeprefix("manifest: ").split("; ")] == [
        "line 2", "lines 3, 5", "line 4", "line 6",
    ]  # fmt: skip
    assert "lines 3, 5: one and the same case_id (b), expected each once" in said


def test_one_more_fault_is_one(folder):
    said = refusal(folder, "case_id,pre,post\n" + "".join(f"c{n},gone,post\n" for n in range(6)))
    assert said.endswith("and 1 more fault")


def test_another_encoding_is_named_not_guessed(folder):
    assert "not UTF-8" in refusal(folder, "case_id,pre,post\nä,pre,post\n", "latin-1")


def test_a_manifest_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(InputError, match="No such file") as caught:
        read_manifest(tmp_path / "zebedee.csv")
    assert (caught.value.code, caught.value.where) == ("missing", "zebedee.csv")
    assert "zebedee" not in str(caught.value)


def test_of_a_missing_path_the_last_name_is_said_and_only_at_the_terminal(folder):
    error = refused(folder, "case_id,pre,post\na,1933/Doe^Jane,post\nb,pre,Roe\n")
    assert str(error) == "manifest: line 2: pre: no such file or folder; line 3: post: no such file or folder"
    assert error.where == "manifest.csv: line 2 .../Doe^Jane, line 3 .../Roe"


def test_only_names_of_faults_that_are_listed_are_said(folder):
    error = refused(folder, "case_id,pre,post\n" + "".join(f"c{n},gone{n},post\n" for n in range(9)))
    assert error.where.endswith(".../gone4")


def test_the_name_of_a_strange_column_is_said_only_at_the_terminal_on_one_line_and_cut(folder):
    error = refused(folder, f'case_id,pre,post,"Doe\x1b[31m\n{"x" * 90}"\na,pre,post,\n')
    assert "Doe" not in str(error)
    assert error.where == f"manifest.csv: column 4 'Doe?[31m?{'x' * 31}'"


@pytest.mark.parametrize(
    "case_id", ["..", ".", "a/b", "a\\b", "a\x00b", "a\nb", "\u202eb", "c:", ".hidden", "end.", "con", "x" * 101]
)
def test_an_id_that_could_leave_its_folder_or_name_none_is_refused(case_id):
    assert id_fault(case_id)


@pytest.mark.parametrize("case_id", ["a", "-rf", "case 7", "Ä-1", "=1+1", "2024.01", "x" * 100])
def test_other_ids_are_fine(case_id):
    assert id_fault(case_id) == ""
