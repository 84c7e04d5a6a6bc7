from __future__ import annotations

import json
from datetime import datetime
from importlib.metadata import PackageNotFoundError

import numpy as np

from pipelines import provenance
from pipelines.provenance import run_record, software_version
from pipelines.settings import Settings, with_registration


def test_two_records_of_one_run_differ_in_nothing_but_their_time():
    first, second = (run_record(Settings(), {"pre/image": "ab"}, "cd") for _ in range(2))
    times = [datetime.fromisoformat(str(record.pop("written_at"))) for record in (first, second)]
    assert first == second
    assert all(time.utcoffset().total_seconds() == 0 for time in times)
    assert json.loads(json.dumps(first)) == first


def test_a_record_names_what_ran_on_what_with_which_settings():
    settings = with_registration("rigid")
    record = run_record(settings, {"pre/image": "ab"}, "cd")
    assert record["libraries"]["numpy"] == np.__version__
    assert record["settings"]["registration"]["kind"] == "rigid"
    assert record["settings_sha256"] == settings.sha256() != Settings().sha256()
    assert record["inputs_sha256"] == {"pre/image": "ab"}
    assert record["transform_sha256"] == "cd"
    assert record["seeds"] == {"registration": settings.registration.seed, "interval": settings.assess.seed}


def test_a_program_that_is_not_installed_says_so(monkeypatch):
    def gone(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(provenance, "version", gone)
    assert software_version() == "not installed"
