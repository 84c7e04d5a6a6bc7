"""The sample's DICOM, judged by a validator that others wrote (dicom3tools' dciodvfy)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parent.parent / "sample_data"
DCIODVFY = shutil.which("dciodvfy")


@pytest.mark.skipif(DCIODVFY is None, reason="dciodvfy is not installed (Debian package dicom3tools)")
@pytest.mark.parametrize("study", ["pre", "post"])
@pytest.mark.parametrize("name", ["CT_0001.dcm", "CT_0050.dcm", "seg.dcm"])
def test_the_sample_has_no_error_for_dciodvfy(study, name):
    found = subprocess.run([DCIODVFY, "-new", SAMPLE / study / name], capture_output=True, text=True, check=False)
    said = (found.stdout + found.stderr).splitlines()
    assert any("CTImage" in line or "Segmentation" in line for line in said)
    assert [line for line in said if line.startswith("Error")] == []
