from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from pipelines.settings import Settings, with_registration


def test_a_setting_that_nobody_knows_is_refused():
    with pytest.raises(ValidationError, match="regstration"):
        Settings.model_validate({"regstration": {}})


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().registration = Settings().registration


def test_the_document_is_plain_and_gives_the_settings_back():
    document = json.loads(json.dumps(Settings().document()))
    assert document["registration"]["kind"] == "deformable"
    assert document["registration"]["window_hu"] == [-50.0, 250.0]
    assert document["assess"]["seed"] == Settings().assess.seed
    assert Settings.model_validate(document).sha256() == Settings().sha256()


def test_the_hash_follows_every_value():
    hashes = {with_registration(kind).sha256() for kind in ("identity", "rigid", "deformable")}
    assert len(hashes) == 3
    assert Settings().sha256() == with_registration("deformable").sha256()
