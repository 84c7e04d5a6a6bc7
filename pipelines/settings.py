"""Everything that can be set, with its defaults: frozen, checked, and recorded in each result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pipelines.ports import ReportVolume
from planner.assess import AssessSettings
from planner.plan.plan import PlanSettings
from planner.plan.robust import Spread
from planner.register.settings import RegistrationSettings

RegistrationKind = Literal["identity", "rigid", "deformable", "file"]


class _Recorded(BaseModel):
    """What a run was set to, as its result keeps it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def document(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return self.model_dump(mode="json")

    def sha256(self) -> str:
        """Return the SHA-256 of the settings."""
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode("utf-8")).hexdigest()


class Settings(_Recorded):
    """Settings of a review.

    `baseline` names the cohort whose observed rates stand beside a margin, if any does; `site_rules_sha256` the files
    of a site's own rules, sorted; `report_volume` how much of both images the report carries: it changes pictures,
    never numbers.
    """

    registration: RegistrationSettings = RegistrationSettings()
    assess: AssessSettings = AssessSettings()
    baseline: str | None = None
    site_rules_sha256: tuple[str, ...] = ()
    report_volume: ReportVolume = "roi"

    @property
    def seeds(self) -> dict[str, int]:
        """Seeds of what is drawn at random."""
        return {"registration": self.registration.seed, "interval": self.assess.seed}


class PlanningSettings(_Recorded):
    """Settings of a plan.

    `asked_mm` is the margin asked for, `spread` what the plan is tried against. `chosen` names the settings of devices
    that may be proposed, none for every one of the chart; `chart_sha256` a site's own chart, `site_rules_sha256` the
    files of its rules, sorted; `report_volume` how much of the image the report carries: it changes pictures, never
    numbers.
    """

    asked_mm: float = 5.0
    spread: Spread = Spread()
    assess: AssessSettings = AssessSettings()
    chosen: tuple[str, ...] = ()
    chart_sha256: str | None = None
    site_rules_sha256: tuple[str, ...] = ()
    report_volume: ReportVolume = "roi"

    @property
    def seeds(self) -> dict[str, int]:
        """Seeds of what is drawn at random."""
        return {"interval": self.assess.seed, "spread": self.spread.seed}

    def plan(self) -> PlanSettings:
        """Return what the plan is made with."""
        return PlanSettings(self.asked_mm, self.spread, self.assess)


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
