"""The packaged evidence: rules and published relations, read from the installation."""

from __future__ import annotations

from functools import cache
from importlib import resources

from planner.evidence.hazard import Hazard
from planner.evidence.models_text import load_hazards
from planner.evidence.standard_volume import StandardVolume, load_standard_volume
from planner.guideline.catalogue import Catalogue, load_catalogue


@cache
def packaged_catalogue() -> Catalogue:
    """Return the rules that come with the program."""
    guideline = resources.files("planner.guideline")
    conflicts = guideline.joinpath("conflicts.toml").read_text(encoding="utf-8")
    return load_catalogue(_texts("planner.guideline", "rules"), conflicts)


@cache
def packaged_hazards() -> tuple[Hazard, ...]:
    """Return the published relations that come with the program."""
    texts = _texts("planner.evidence", "models")
    return tuple(hazard for name, text in sorted(texts.items()) for hazard in load_hazards(text, name))


@cache
def packaged_standard_volume() -> StandardVolume:
    """Return the formula of the standard liver volume that comes with the program."""
    ((name, text),) = _texts("planner.evidence", "volumes").items()
    return load_standard_volume(text, name)


def _texts(package: str, folder: str) -> dict[str, str]:
    files = resources.files(package).joinpath(folder).iterdir()
    return {file.name: file.read_text(encoding="utf-8") for file in files if file.name.endswith(".toml")}
