"""What the command says of itself, quickly."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from cli_runs import ROOT, ablation, python

HEAVY = ("SimpleITK", "vtkmodules", "matplotlib", "pydicom", "numpy", "scipy", "skimage", "nibabel", "pydantic")
LOADED = """
import sys
from importlib.metadata import version
from pipelines.cli.__main__ import main
try:
    main(sys.argv[1:], prog_name="ablation")
except SystemExit as end:
    assert not end.code, end.code
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(
    "call", [["--help"], ["--version"], ["review", "--help"], ["margin", "--help"], ["demo", "--help"]]
)
def test_help_imports_no_heavy_library(call):
    ran = python("-c", LOADED, *call)
    assert ran.code == 0, ran.stderr
    loaded = ran.stdout.rpartition("loaded:")[2].split()
    assert "click" in loaded
    assert not set(HEAVY) & set(loaded)


def test_help_lists_the_commands_and_exit_codes():
    ran = ablation("--help")
    assert ran.code == 0
    assert all(f"\n  {name}  " in ran.stdout for name in ("demo", "margin", "review"))
    assert "130 interrupted" in ran.stdout
    assert "Not a medical device" in ran.stdout


def test_the_readme_has_a_row_for_every_command_with_exactly_its_options():
    from pipelines.cli.__main__ import COMMANDS, main

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `ablation ([a-z]+).*?` \| (.*) \|$", readme, re.MULTILINE))
    assert set(rows) == set(COMMANDS)
    for name, row in rows.items():
        options = main.get_command(click.Context(main), name).params
        shown = {o.opts[0] for o in options if isinstance(o, click.Option) and not o.hidden}
        assert set(re.findall(r"`(--?[a-z-]+)", row)) == shown, name


def test_a_command_without_arguments_explains_itself():
    ran = ablation()
    assert ran.code == 2
    assert "Usage:" in ran.stderr + ran.stdout


def test_the_module_is_the_command():
    ran = python("-m", "pipelines.cli", "--version")
    assert ran.code == 0
    assert ran.stderr == ""
    assert ran.stdout.split()[-1] == version("ablation-planner")


def test_the_installed_command_answers():
    import subprocess

    script = Path(sys.executable).with_name("ablation")
    done = subprocess.run([script, "margin", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "TUMOUR" in done.stdout
