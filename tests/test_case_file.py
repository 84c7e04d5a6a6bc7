from __future__ import annotations

from datetime import date

import pytest

from pipelines.case_file import read_case_file
from pipelines.case_tables import Document
from pipelines.stated_days import stated_facts
from planner.errors import InputError
from planner.facts import checked_facts

WHOLE = """
[case]
id = "p7"
[pre]
path = "a/b"
series_uid = "1.2"
[[mask]]
study = "pre"
role = "tumour"
file = "m.nii.gz"
label = [1, 2]
[[mask]]
study = "post"
file = "all.nii.gz"
label = "TotalSegmentator"
[[pair]]
lesion = 1
zones = [1, "2"]
[facts]
primary = "colorectal"
age_years = 61
cirrhosis = false
afp = ""
"""


def read(tmp_path, text):
    path = tmp_path / "case.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_case_file(path)


def test_everything_that_a_case_file_may_say_is_read(tmp_path):
    case = read(tmp_path, WHOLE)
    assert case.case.id == "p7"
    assert case.path_of("pre") == tmp_path / "a/b"
    assert case.path_of("post") is None
    (mask,) = case.masks_of("pre")
    assert (mask.role, mask.label, case.file_of(mask)) == ("tumour_1", [1, 2], tmp_path / "m.nii.gz")
    assert case.masks_of("post")[0].is_whole_map
    assert dict(case.pairs) == {"1": ("1", "2")}
    assert case.facts == {"primary": "colorectal", "age_years": 61, "cirrhosis": False, "afp": ""}
    assert case.empty_facts == ("afp",)
    assert len(case.sha256) == 64


def test_an_empty_case_file_says_nothing(tmp_path):
    case = read(tmp_path, "")
    assert case.mask == []
    assert case.facts == {}


MASK = '[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "a"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[cas]\nid = 'x'", ["unknown key, did you mean 'case'?"]),
        ("[case]\nidd = 'x'", ["unknown key in case, did you mean 'id'?"]),
        (MASK + "roll = 'x'", ["unknown key in mask, number 1, did you mean 'role'?"]),
        (MASK.replace("liver", "livr"), ["mask, number 1, role", "'livr'", "'liver'"]),
        (MASK.replace('"pre"', '"per"'), ["mask, number 1, study"]),
        (MASK.replace('file = "a"', ""), ["'file' is missing"]),
        (MASK.replace('role = "liver"', ""), ["role"]),
        (MASK + "segment = 1\nlabel = 2", ["segment", "label"]),
        (MASK + MASK, ["pre liver", "twice"]),
        (MASK + "label = 1.5", ["mask, number 1, label"]),
        ("[[pair]]\nlesion = 'a'\nzones = [1]", ["pair, number 1, lesion"]),
        ("[[pair]]\nlesion = 1\nzones = []", ["pair, number 1, zones"]),
        ("[[pair]]\nlesion = 1\nzones = [1]\n" * 2, ["lesion 1", "twice"]),
        ("[facts]\nprimary = {a = 1}", ["facts, primary: a value of this type"]),
        (MASK.replace("file", "fille"), ["unknown key in mask, number 1, did you mean 'file'?"]),
        ('[case]\nid = "../x y"', ["case, id: holds one of"]),
        ('[case]\nid = ".x"', ["case, id: begins or ends with a full stop"]),
        ('[case]\nid = "a\\nb"', ["case, id: holds a control character"]),
        ("[strange]", ["unknown key, known: case, pre"]),
        (f"a = {'9' * 5000}", ["not TOML"]),
        ("a = ", ["not TOML"]),
        (b"\xff", ["not TOML"]),
        ("a=" + "[" * 20_000 + "]" * 20_000, ["nested too deep"]),
    ],
)
def test_a_fault_is_one_line_that_names_its_place(tmp_path, text, words):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.exit_code == 3
    assert all(word in message for word in ["case file: ", *words]), message
    assert caught.value.where.startswith("case.toml")


@pytest.mark.parametrize(
    ("text", "said", "where"),
    [
        ("[Doe]\n", "unknown key, known: case, pre, post", "'Doe'"),
        (
            MASK.replace("file", "fille") + "[cas]\nidd = 'x'\n[pre]\npaht = 'x'\n",
            "in pre, did you mean 'path'?; unknown key in mask, number 1, did you mean 'file'?; unknown key, did",
            "'paht', 'fille', 'cas'",
        ),
        ('[case]\n"Doe\\u001b[31m\\n\\u202e" = 1\n', "unknown key in case, known: id", "'Doe?[31m??'"),
        (f"[case]\nDoe{'x' * 90} = 1\n", "unknown key in case, known: id", f"'Doe{'x' * 37}'"),
        ("[facts]\nDoe = {a = 1}", "facts: a value of this type is not understood", "'Doe'"),
        ("[facts]\nDoe = 12:30:00", "facts: a value of this type is not understood", "'Doe'"),
        ("[Doe]\n[Doe]\n", "not TOML: Cannot declare ... twice (at line 2, column 5)", ""),
        ("x = {Doe = 1, Doe = 2}", "not TOML: Duplicate inline table key ... (at line 1, column 22)", ""),
        ("Doe = {a = 1}\nDoe.b = 2", "not TOML: Cannot mutate immutable namespace ... (at end of document)", ""),
        ("Doe", "not TOML: Expected '=' after a key in a key/value pair (at end of document)", ""),
    ],
)
def test_keys_of_ones_own_are_told_at_the_terminal_only_on_one_line_and_cut(tmp_path, text, said, where):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)
    assert "Doe" not in str(caught.value)
    assert not any(f"'{word}'" in str(caught.value) for word in ("fille", "cas", "paht"))
    assert caught.value.where == (f"case.toml: {where}" if where else "case.toml")


TABLES = {
    "case": "[case]\n{}", "pre": "[pre]\n{}", "post": "[post]\n{}", "post, number 2": "[[post]]\n[[post]]\n{}",
    "baseline": "[baseline]\npath = 'a'\n{}",
    "mask, number 1": MASK + "{}", "pair, number 1": "[[pair]]\nlesion = 1\nzones = [1]\n{}",
    "registration": "[registration]\nfile = 'a.h5'\n{}", "landmarks": "[landmarks]\nfiles = ['a.csv']\n{}",
}  # fmt: skip
KEYS = {
    "case": "id", "pre": "series_uid", "post": "days_since_ablation", "post, number 2": "scanned_on",
    "baseline": "modality", "mask, number 1": "segment", "pair, number 1": "zones", "registration": "error_mm",
    "landmarks": "files",
}  # fmt: skip


def test_every_table_of_a_case_file_is_among_those_tried():
    tried = {table.split(",")[0] for table in TABLES}
    assert tried | {"facts"} == set(Document.model_fields)


@pytest.mark.parametrize("table", TABLES)
def test_an_unknown_key_of_any_table_names_the_nearest_known_one(tmp_path, table):
    with pytest.raises(InputError) as caught:
        read(tmp_path, TABLES[table].format(f"{KEYS[table]}x = 1\n"))
    assert str(caught.value) == f"case file: unknown key in {table}, did you mean '{KEYS[table]}'?"
    assert (caught.value.exit_code, caught.value.code) == (3, "bad-case-file")


def test_an_unknown_fact_names_the_nearest_known_one(tmp_path):
    case = read(tmp_path, "[facts]\nprimary = 'colorectal'\nki67_percnt = 3\n")
    with pytest.raises(InputError, match="fact number 2 is not known, did you mean 'ki67_percent'") as caught:
        stated_facts(case, 1)
    assert (caught.value.exit_code, caught.value.code) == (3, "unknown-fact")


def test_a_missing_case_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError) as caught:
        read_case_file(tmp_path / "no.toml")
    assert caught.value.code == "missing"
    assert (str(caught.value).split(" (")[0], caught.value.where) == ("case file: cannot be read", "no.toml")


@pytest.mark.parametrize("written", ["2020-02-01", '"2020-02-01"', "2020-02-01T12:30:00", "2020-02-01 12:30:00Z"])
def test_a_date_is_one_with_and_without_quotes(tmp_path, written):
    case = read(tmp_path, f"[facts]\nablation_date = {written}\n")
    assert checked_facts(case.facts) == {"ablation_date": date(2020, 2, 1)}


@pytest.mark.parametrize("case_id", ["../x", "a/b", "a\\\\b", ".a", "a.", "nul", "NUL.txt", "x" * 101, "a?"])
def test_a_case_id_that_cannot_name_a_folder_is_refused_as_in_a_manifest(tmp_path, case_id):
    with pytest.raises(InputError, match="case, id"):
        read(tmp_path, f'[case]\nid = "{case_id}"\n')
