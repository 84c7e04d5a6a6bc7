"""The packaged evidence: rules and published relations, read from the installation."""

from __future__ import annotations

from functools import cache
from importlib import resources

from planner.errors import EvidenceError, UsageError, quoted
from planner.evidence.baseline import Baseline
from planner.evidence.baselines_text import load_baselines
from planner.evidence.comparison import Comparison
from planner.evidence.hazard import Hazard
from planner.evidence.models_text import load_comparisons, load_hazards
from planner.evidence.standard_volume import StandardVolume, load_standard_volume
from planner.facts import nearest
from planner.guideline.catalogue import Catalogue, load_catalogue
from planner.guideline.systems import EntryKind, System, load_systems
from planner.plan.chart import load_chart
from planner.plan.setting import Setting


@cache
def packaged_catalogue() -> Catalogue:
    """Return the rules that come with the program."""
    guideline = resources.files("planner.guideline")
    conflicts, omitted = (
        guideline.joinpath(name).read_text(encoding="utf-8") for name in ("conflicts.toml", "omitted.toml")
    )
    return load_catalogue(_texts("planner.guideline", "rules"), conflicts, omitted)


@cache
def packaged_systems() -> tuple[System, ...]:
    """Return every guideline, trial, treatment and method that the source documents name, with what is held of it."""
    held = packaged_catalogue()
    kinds: dict[str, EntryKind] = {
        **{rule.id: "check" for rule in held.rules},
        **{reference.id: "reference" for reference in held.references},
        **{hazard.id: "reference" for hazard in packaged_hazards()},
        **{advisory.id: "advisory" for advisory in held.advisories},
        **{omitted.id: "content_lost" for omitted in held.omitted},
    }
    text = resources.files("planner.guideline").joinpath("systems.toml").read_text(encoding="utf-8")
    return load_systems(text, "systems.toml", kinds, kinds)


@cache
def packaged_hazards() -> tuple[Hazard, ...]:
    """Return the published relations that come with the program."""
    texts = _texts("planner.evidence", "models")
    return tuple(hazard for name, text in sorted(texts.items()) for hazard in load_hazards(text, name))


@cache
def packaged_chart() -> tuple[Setting, ...]:
    """Return the device settings that come with the program, by file and in its order."""
    texts = _texts("planner.plan", "charts")
    return tuple(setting for name, text in sorted(texts.items()) for setting in load_chart(text, name))


@cache
def packaged_standard_volume() -> StandardVolume:
    """Return the formula of the standard liver volume that comes with the program."""
    ((name, text),) = _texts("planner.evidence", "volumes").items()
    return load_standard_volume(text, name)


@cache
def packaged_comparisons() -> tuple[Comparison, ...]:
    """Return the published figures that stand beside a relation."""
    texts = _texts("planner.evidence", "models")
    return tuple(one for name, text in sorted(texts.items()) for one in load_comparisons(text, name))


@cache
def packaged_baselines() -> tuple[Baseline, ...]:
    """Return the baseline cohorts that come with the program, by name.

    Raises
    ------
    EvidenceError
        A file is malformed, or two cohorts share a name.
    """
    texts = _texts("planner.evidence", "baselines")
    found = [one for name, text in sorted(texts.items()) for one in load_baselines(text, name)]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise EvidenceError(f"baselines: {name} is the name of two cohorts")
    return tuple(sorted(found, key=lambda one: one.name))


def named_baseline(name: str) -> Baseline:
    """Return the baseline cohort of a name.

    Raises
    ------
    UsageError
        There is none of that name: the known ones are listed.
    """
    known = {one.name: one for one in packaged_baselines()}
    if name not in known:
        near = nearest(name, known)
        hint = near if "did you mean" in near else ""
        raise UsageError(
            f"baseline {quoted(name)} is not known{hint}; known: {', '.join(known)}", code="unknown-baseline"
        )
    return known[name]


def _texts(package: str, folder: str) -> dict[str, str]:
    files = resources.files(package).joinpath(folder).iterdir()
    return {file.name: file.read_text(encoding="utf-8") for file in files if file.name.endswith(".toml")}
