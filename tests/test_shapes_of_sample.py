"""The sample in the other shapes in which hospitals hand a study over: the same voxels, masks and margins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cli_runs import ROOT

from pipelines.sample import write_sample, writing
from pipelines.settings import Settings
from pipelines.source import FolderSource
from planner.assess import assess
from planner.register.align import register
from planner.scene import zone_surfaces

pytestmark = pytest.mark.slow
SEED = 7
SAMPLE = ROOT / "sample_data"
COARSE_MM = (4.0, 2.6, 2.6)
TILT_DEGREES = 14.0


def read(folder):
    source = FolderSource(folder / "pre", folder / "post", folder / "case.toml", "test")
    return source.read(lambda *_: None).case


def margins_of(case, alignment):
    found = assess(case, alignment, zone_surfaces(case.post), Settings().assess)
    return [lesion.margin.min_mm for lesion in found.lesions]


def rigid_map(case):
    """Return a map between the studies: which one does not matter here, so the cheapest."""
    pre, post = case.pre.scan(case.pre.tumours), case.post.scan(case.post.ablations)
    return register(pre, post, zone_surfaces(case.post), replace(Settings().registration, kind="rigid"))


@pytest.fixture(scope="module", autouse=True)
def _drawn_once():
    """Draw each study, and find its truth, once: the shapes differ in how they are written."""
    patch = pytest.MonkeyPatch()
    for name in ("make_patient", "draw", "full_truth"):
        patch.setattr(writing, name, remembered(getattr(writing, name)))
    yield
    patch.undo()


def remembered(function):
    """Return a function that keeps what it returned, by how its arguments read."""
    kept = {}

    def once(*given, **named):
        key = repr([getattr(one, "seed", one) for one in given] + sorted(named.items()))
        if key not in kept:
            kept[key] = function(*given, **named)
        return kept[key]

    return once


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The sample as plain DICOM, coarse; a map; its margins."""
    folder = tmp_path_factory.mktemp("dicom")
    write_sample(SEED, folder, spacing_kji_mm=COARSE_MM)
    case = read(folder)
    alignment = rigid_map(case)
    return case, alignment, margins_of(case, alignment)


@pytest.mark.parametrize(
    ("shape", "within_mm"), [("enhanced", 0.05), ("labelmap", 0.05), ("nifti", 0.05), ("rtstruct", 0.3)]
)
def test_another_shape_gives_the_same_voxels_and_margins(plain, tmp_path, shape, within_mm):
    """The same image and masks leave registration no way to differ: it is not run again."""
    known, alignment, margins = plain
    write_sample(SEED, tmp_path, spacing_kji_mm=COARSE_MM, shape=shape)
    case = read(tmp_path)
    for study in ("pre", "post"):
        here, there = getattr(case, study), getattr(known, study)
        assert here.image.grid.same_lattice(there.image.grid)
        np.testing.assert_array_equal(here.image.voxels_kji, there.image.voxels_kji)
        assert here.masks.keys() == there.masks.keys()
        for role, mask in here.masks.items():
            assert mask.grid.same_lattice(there.masks[role].grid), role
            np.testing.assert_array_equal(mask.voxels_kji, there.masks[role].voxels_kji, err_msg=role)
    assert margins_of(case, alignment) == pytest.approx(margins, abs=within_mm)


def test_a_tilted_acquisition_gives_the_margins_of_the_upright_one(plain, tmp_path):
    """Scanned anew with a tilted gantry: other voxels of the same patient; the map between the studies is the same."""
    known = read(SAMPLE)
    _, alignment, _ = plain
    write_sample(SEED, tmp_path, tilt_degrees=TILT_DEGREES)
    case = read(tmp_path)
    shear = case.pre.image.grid.lps_mm_from_ijk[:3, :3]
    assert abs(shear[:, 1] @ shear[:, 2]) > 0.1
    assert any("gantry tilt: slices are sheared by 14.0 degrees" in note for note in case.pre.notes)
    assert margins_of(case, alignment) == pytest.approx(margins_of(known, alignment), abs=0.3)
