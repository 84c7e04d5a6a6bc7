"""The bench of the gate judges the maps that `register` makes, not maps of its own."""

from __future__ import annotations

import pytest
from ball_source import made, script

from planner.register.align import register
from planner.register.settings import RegistrationSettings
from planner.surface import surface_of

COARSE = RegistrationSettings(working_mm=4.0)


@pytest.fixture(scope="module")
def case():
    return made(1)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch):
    module = script("bench_gate")
    monkeypatch.setattr(module, "SETTINGS", COARSE)
    return module


def test_the_deformation_of_the_bench_is_that_of_register(bench, case) -> None:
    with bench.one_thread():
        setup = bench.Setup.of(case.post, case.pre)
        judged = setup.deformed(setup.rigid)
    found = register(case.pre, case.post, {"1": surface_of(case.post.lesions["1"])}, COARSE)
    assert found.kind == "deformable"
    assert judged.parameters_sha256 == found.map.parameters_sha256


def test_where_no_deformation_is_closer_the_bench_keeps_the_rigid_motion(bench, case, monkeypatch) -> None:
    with bench.one_thread():
        setup = bench.Setup.of(case.post, case.pre)
    monkeypatch.setattr(bench.Deformed, "of", lambda *_: None)
    judged = setup.deformed(setup.rigid)
    assert judged.displacement is None
    assert (judged.rigid_pre_from_post == setup.rigid).all()
