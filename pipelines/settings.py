"""Everything that can be set, with its defaults: frozen, checked, and recorded in each result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pipelines.ports import ReportVolume
from planner.assess import AssessSettings
from planner.register.settings import RegistrationSettings

RegistrationKind = Literal["identity", "rigid", "deformable", "file"]


class Settings(BaseModel):
    """Settings of a review.

    `baseline` names the cohort whose observed rates stand beside a margin, if any does; `site_rules_sha256` the files
    of a site's own rules, sorted; `report_volume` how much of both images the report carries: it changes pictures,
    never numbers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    registration: RegistrationSettings = RegistrationSettings()
    assess: AssessSettings = AssessSettings()
    baseline: str | None = None
    site_rules_sha256: tuple[str, ...] = ()
    report_volume: ReportVolume = "roi"

    def document(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return self.model_dump(mode="json")

    def sha256(self) -> str:
        """Return the SHA-256 of the settings."""
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode("utf-8")).hexdigest()


def with_registration(
    kind: RegistrationKind,
    stated_error_mm: float | None = None,
    baseline: str | None = None,
    site_rules_sha256: tuple[str, ...] = (),
    report_volume: ReportVolume = "roi",
) -> Settings:
    """Return the default settings with a kind of registration, a map's error, a cohort, a site's files and images."""
    registration = RegistrationSettings(kind=kind, stated_error_mm=stated_error_mm)
    return Settings(
        registration=registration, baseline=baseline, site_rules_sha256=site_rules_sha256, report_volume=report_volume
    )


def as_given(settings: Settings, stated_error_mm: float | None) -> Settings:
    """Return the settings of a review whose map was given: they hold neither the file's name nor its place."""
    registration = replace(settings.registration, kind="file", stated_error_mm=stated_error_mm)
    return settings.model_copy(update={"registration": registration})
