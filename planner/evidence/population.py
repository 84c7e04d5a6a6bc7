"""Whom a published figure was found in, and how far a case resembles them: point by point, with a sentence each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Match = Literal["match", "mismatch", "unknown"]
Method = Literal["2d_manual", "3d_segmentation", "3d_software", "image_fusion", "manual_landmarks"]

METHODS: dict[Method, str] = {
    "2d_manual": "read by hand in 2D",
    "3d_segmentation": "measured in 3D from segmentations",
    "3d_software": "measured with 3D software",
    "image_fusion": "read after fusing the images of before and after",
    "manual_landmarks": "read by hand from landmarks",
}
_ALIKE: dict[Method, tuple[Method, ...]] = {"3d_segmentation": ("3d_segmentation", "3d_software")}
NOT_OURS = "not known to us"


@dataclass(frozen=True, slots=True)
class Population:
    """Whom a figure was found in, and how margins were measured there.

    An empty `primary` or `modality`, and None elsewhere, is what the text available to us does not say.
    """

    primary: tuple[str, ...]
    modality: tuple[str, ...]
    scan_days: tuple[float, float] | None
    method: Method | None
    patients: int | None
    lesions: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a case that tells whether a figure speaks of it; None where it was not entered."""

    primary: str | None = None
    modality: str | None = None
    scan_days: float | None = None
    method: Method = "3d_segmentation"


@dataclass(frozen=True, slots=True)
class PopulationMatch:
    """Whether a case resembles those studied; unknown where the fact was not entered, or is not known of the study."""

    primary: Match
    modality: Match
    scan_days: Match
    method: Match

    def those(self, match: Match) -> tuple[str, ...]:
        """Return the names of the points that are `match`, as words."""
        named = {
            "primary": self.primary, "ablation modality": self.modality, "scan date": self.scan_days,
            "method": self.method,
        }  # fmt: skip
        return tuple(name for name, found in named.items() if found == match)


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to keep in mind of a figure in this case: a code, and a sentence."""

    code: str
    text: str


def matched(population: Population, setting: Setting) -> PopulationMatch:
    """Return how far a case resembles those studied."""
    days, studied = setting.scan_days, population.scan_days
    same_day: Match = "unknown"
    if days is not None and studied is not None:
        same_day = "match" if studied[0] <= days <= studied[1] else "mismatch"
    alike = _ALIKE.get(setting.method, (setting.method,))
    same_method: Match = "unknown"
    if population.method is not None:
        same_method = "match" if population.method in alike else "mismatch"
    return PopulationMatch(
        _among(setting.primary, population.primary), _among(setting.modality, population.modality), same_day,
        same_method,
    )  # fmt: skip


def population_notes(population: Population, match: PopulationMatch, setting: Setting) -> Iterable[str]:
    """Yield on which points the match is not known, and where the case differs, with what was studied and what is."""
    entered = {"primary": setting.primary, "ablation modality": setting.modality, "scan date": setting.scan_days}
    unknown = match.those("unknown")
    if left_out := [name for name in unknown if name in entered and entered[name] is None]:
        yield f"population match unknown: {', '.join(left_out)} not entered"
    if not_theirs := [name for name in unknown if name not in left_out]:
        yield f"population match unknown: {', '.join(not_theirs)} of those studied {NOT_OURS}"
    studied, here = studied_words(population), _here(setting)
    if differing := match.those("mismatch"):
        parts = [f"{name} (studied: {studied[name]}; here: {here[name]})" for name in differing]
        yield f"differs from those studied in {', '.join(parts)}"


def flags_of(population: Population, match: PopulationMatch, setting: Setting) -> tuple[Flag, ...]:
    """Return a flag for every point on which a case differs from those studied, or is not known to resemble them."""
    return (
        *_of_primary(population, match, setting), *_of_modality(population, match, setting),
        *_of_scan(population, match, setting), *_of_method(population, match, setting),
    )  # fmt: skip


def studied_words(population: Population) -> dict[str, str]:
    """Return each point of those studied in words, by its name in words."""
    days = population.scan_days
    method = population.method
    return {
        "primary": _listed(population.primary),
        "ablation modality": _listed(population.modality),
        "scan date": NOT_OURS if days is None else _days(days),
        "method": NOT_OURS if method is None else f"margins {METHODS[method]}",
    }


def _here(setting: Setting) -> dict[str, str]:
    return {
        "primary": _plain(setting.primary or ""),
        "ablation modality": _plain(setting.modality or ""),
        "scan date": "" if setting.scan_days is None else _days((setting.scan_days, setting.scan_days)),
        "method": METHODS[setting.method],
    }


def _of_primary(population: Population, match: PopulationMatch, setting: Setting) -> Iterable[Flag]:
    studied = _listed(population.primary)
    if setting.primary is None:
        text = (
            f"the primary tumour was not entered: whether the figure, found in {studied} tumours, speaks of this case"
        )
        yield Flag("primary_unknown", f"{text} is not known")
    elif match.primary == "mismatch":
        yield Flag("primary_mismatch", f"primary tumour: here {_plain(setting.primary)}, studied {studied}")


def _of_modality(population: Population, match: PopulationMatch, setting: Setting) -> Iterable[Flag]:
    if not population.modality:
        yield Flag("modality_not_stated", f"the ablation modality of those studied is {NOT_OURS}")
        return
    studied = f"measured after {_listed(population.modality)}"
    if setting.modality is None:
        text = f"the ablation modality was not entered, which the figure needs: it was {studied}"
        yield Flag("modality_unknown", f"{text}, and whether it speaks of this case is not known")
    elif match.modality == "mismatch":
        yield _other_modality(setting.modality, studied)


def _other_modality(modality: str, studied: str) -> Flag:
    """Return the flag of a modality that was not studied; ice and electroporation have sentences of their own."""
    if modality == "cryoablation":
        text = "a zone that was drawn on the ice ball is the reach of the ice, which is not what was measured there"
        return Flag("cryoablation_zone", f"cryoablation: the figure was {studied}; {text}")
    if modality == "irreversible_electroporation":
        text = "it says nothing of zones that electroporation made"
        return Flag("electroporation_zone", f"irreversible electroporation: the figure was {studied}; {text}")
    return Flag("modality_mismatch", f"ablation modality: here {_plain(modality)}; the figure was {studied}")


def _of_scan(population: Population, match: PopulationMatch, setting: Setting) -> Iterable[Flag]:
    if setting.scan_days is None:
        yield Flag("scan_day_unknown", "the days from the ablation to the scan are not known")
    elif match.scan_days == "mismatch" and population.scan_days is not None:
        here, there = _days((setting.scan_days, setting.scan_days)), _days(population.scan_days)
        yield Flag("scan_day_mismatch", f"scan date: here {here}, there {there}")


def _of_method(population: Population, match: PopulationMatch, setting: Setting) -> Iterable[Flag]:
    if match.method == "mismatch" and population.method is not None:
        here, there = METHODS[setting.method], METHODS[population.method]
        yield Flag("method_mismatch", f"margins: here {here}, there {there}")


def _days(days: tuple[float, float]) -> str:
    first, last = days
    if first == last:
        return "the day of the ablation" if first == 0 else f"{first:g} day{'s' * (first != 1)} after the ablation"
    return f"{first:g} to {last:g} days after the ablation"


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(map(_plain, words)) or NOT_OURS


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _among(value: str | None, studied: tuple[str, ...]) -> Match:
    if value is None or not studied:
        return "unknown"
    return "match" if value in studied else "mismatch"
