"""What is fetched of others' scripts is what was pinned, or nothing; what is there already is held to it each time."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def fetching(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script as a module that works in another folder."""
    spec = importlib.util.spec_from_file_location("fetch_assets_there", ROOT / "scripts" / "fetch_assets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fetch_assets_there", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", root)
    return module


def npm(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program named npm first on the path."""
    folder.mkdir()
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_all_is_here_and_asking_again_is_fast_and_silent() -> None:
    ran = subprocess.run([ROOT / "scripts" / "assets"], capture_output=True, text=True, timeout=20, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_neither_is_part_of_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert not [name for name in listed if "niivue.umd" in name or "axe.min" in name]


def test_without_network_one_line_says_what_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    npm(tmp_path / "bin", "echo 'npm error network is unreachable' >&2; exit 1", monkeypatch)
    assert fetching(tmp_path, monkeypatch).main(["--wheel"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "network is unreachable" in said.err
    assert "reports hold stills" in said.err
    assert not (tmp_path / "pipelines").exists()


def test_another_package_of_the_same_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "other.tgz", "w:gz") as archive:
        archive.add(ROOT / "pipelines/bundled/assets/niivue.umd.js", "package/dist/niivue.umd.js")
    npm(tmp_path / "bin", f'cp {tmp_path}/other.tgz "$4"', monkeypatch)
    module = fetching(tmp_path, monkeypatch)
    with pytest.raises(module.AssetError, match="SHA-512"):
        module.fetch((module.NIIVUE,))
    assert not (tmp_path / "pipelines").exists()


def test_a_file_that_was_changed_is_not_taken_for_the_pinned_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = fetching(tmp_path, monkeypatch)
    target = module.NIIVUE.target
    target.parent.mkdir(parents=True)
    shutil.copy(ROOT / "pipelines/bundled/assets/niivue.umd.js", target)
    assert module.NIIVUE.is_there
    assert module.fetch((module.NIIVUE,)) == []
    with target.open("ab") as file:
        file.write(b" ")
    assert not module.NIIVUE.is_there
