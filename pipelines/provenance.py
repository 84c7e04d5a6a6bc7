"""The run record: what ran, on what, with which settings."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from pipelines.settings import PlanningSettings, Settings

DISTRIBUTION = "ablation-planner"
LIBRARIES = ("numpy", "scipy", "scikit-image", "SimpleITK", "vtk", "pydicom", "nibabel", "matplotlib")


def software_version() -> str:
    """Return the version of this program."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed"


def run_record(
    settings: Settings | PlanningSettings, inputs_sha256: Mapping[str, str], transform_sha256: str | None
) -> dict[str, object]:
    """Return the provenance of a result. Only `written_at` differs between two equal runs.

    A plan is of one study: there is no transform.
    """
    return {
        "software": DISTRIBUTION,
        "software_version": software_version(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "settings": settings.document(),
        "settings_sha256": settings.sha256(),
        "seeds": settings.seeds,
        "inputs_sha256": dict(inputs_sha256),
        "transform_sha256": transform_sha256,
        "written_at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
    }
