"""Everything that can be set, with its defaults: frozen, checked, and recorded in each result."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from planner.assess import AssessSettings
from planner.register.settings import RegistrationSettings

RegistrationKind = Literal["identity", "rigid", "deformable"]


class Settings(BaseModel):
    """Settings of a review."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    registration: RegistrationSettings = RegistrationSettings()
    assess: AssessSettings = AssessSettings()

    def document(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return self.model_dump(mode="json")

    def sha256(self) -> str:
        """Return the SHA-256 of the settings."""
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode("utf-8")).hexdigest()


def with_registration(kind: RegistrationKind) -> Settings:
    """Return the default settings with another kind of registration."""
    return Settings(registration=RegistrationSettings(kind=kind))
