"""What case folders hold: results, failures, and cases that were begun and never ended."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from pipelines.audit.posts import is_common, is_part, posts_of
from pipelines.formats.voxel_file import safe_name
from pipelines.store.folder import RESULT
from pipelines.store.plan_names import KIND
from pipelines.store.result import SCHEMA_VERSION
from planner.errors import AmbiguousInputError, InputError
from planner.report.counts import counted

FAILURE, BEGUN = "failure.json", "batch.json"
LESION_STATUSES = ("assessed", "not_assessable", "not_treated")
FAULTS_SHOWN = 20

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """A case of a batch that has no result: why in a word and a sentence; "unfinished": begun and never ended."""

    case_id: str
    code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """All cases found: the documents of finished ones by case id, those without a result, and the results' hashes.

    `later` holds, by case id, the further posts of a case with several: `documents` holds the one that counts.
    """

    documents: Mapping[str, Json]
    failed: tuple[Failed, ...]
    sha256: Mapping[str, str]
    later: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)


def find_cases(folders: Sequence[Path]) -> Found:
    """Return the cases in folders, however deep; a folder met twice counts once.

    Raises
    ------
    InputError
        A folder is missing, none holds a case, or a result cannot be used; the one message lists all of those.
    AmbiguousInputError
        Different folders hold the same case id.
    """
    places = _places(folders)
    documents: dict[str, Json] = {}
    later: dict[str, tuple[Json, ...]] = {}
    failed: dict[str, Failed] = {}
    sha256: dict[str, str] = {}
    where: dict[str, list[str]] = {}
    faults: dict[str, str] = {}
    for number, place in enumerate(places, start=1):
        try:
            found = _read(place)
        except (OSError, ValueError) as error:
            faults[f"case folder {number} of {len(places)}: {_why(error)}"] = f"case folder {number} {_shown(place)}"
            continue
        case_id = found.case_id if isinstance(found, Failed) else str(found[0][1]["case_id"])
        where.setdefault(case_id, []).append(_shown(place))
        if isinstance(found, Failed):
            failed[case_id] = found
            continue
        (_, documents[case_id]), *rest = found
        later[case_id] = tuple(document for _, document in rest)
        sha256 |= {_key(case_id, folder, place): _sha256(folder) for folder, _ in found}
    _refuse(faults)
    _require_once(where)
    several = {case_id: posts for case_id, posts in later.items() if posts}
    return Found(dict(sorted(documents.items())), tuple(failed[name] for name in sorted(failed)), sha256, several)


def _key(case_id: str, folder: Path, place: Path) -> str:
    """Return what a result's hash is listed under: the case, and of several posts the folder within it."""
    return case_id if folder == place else f"{case_id}/{folder.name}"


def _sha256(folder: Path) -> str:
    return hashlib.sha256((folder / RESULT).read_bytes()).hexdigest()


def _places(folders: Iterable[Path]) -> list[Path]:
    places: dict[Path, None] = {}
    for folder in folders:
        if not folder.is_dir():
            raise InputError("OUT: no such folder", code="missing", where=f".../{safe_name(folder)}")
        if is_part(folder.resolve()):
            said = "OUT: holds one of several posts, which count together: give the folder above it"
            raise InputError(said, code="one-of-several", where=f".../{safe_name(folder)}")
        places |= dict.fromkeys(_case_folders(folder.resolve()))
    if not places:
        raise InputError(f"OUT: no {RESULT} and no {FAILURE} in what was given", code="missing")
    return list(places)


def _case_folders(top: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if {RESULT, FAILURE, BEGUN} & set(names) and not is_part(Path(folder)):
            yield Path(folder)


def _read(place: Path) -> list[tuple[Path, Json]] | Failed:
    """Return a case's result, or those of its posts, each with its folder: the first is the one that counts.

    A result outweighs a failure: a batch takes results back before it tries again.
    """
    if (place / RESULT).is_file():
        document = _object(place / RESULT)
        if is_common(document):
            return posts_of(place, document, _usable)
        return [(place, _usable(place / RESULT))]
    if (place / FAILURE).is_file():
        failure = _object(place / FAILURE)
        code, text = str(failure.get("code") or "unknown"), str(failure.get("text") or "")
        return Failed(str(failure.get("case_id") or place.name), code, text)
    return Failed(place.name, "unfinished", "begun and never ended")


def _usable(path: Path) -> Json:
    document = _object(path)
    _require_usable(document)
    return document


def _object(path: Path) -> Json:
    found = json.loads(path.read_bytes(), parse_constant=_no_constant)
    if not isinstance(found, dict):
        raise InputError(f"{path.name}: not a JSON object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise InputError(f"{name} is not a number")


def _require_usable(document: Json) -> None:
    if document.get("kind") == KIND:
        raise InputError("is the result of a plan, expected that of a review: nothing was ablated yet")
    if document.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"schema_version is {document.get('schema_version')!r}, expected {SCHEMA_VERSION}")
    for key in ("case_id", "patient_key", "status"):
        if not isinstance(document.get(key), str) or not document[key]:
            raise InputError(f"{key} is missing or empty")
    lesions = document.get("lesions")
    if not isinstance(lesions, list):
        raise InputError("lesions is not a list")
    ids = [_usable_lesion(lesion) for lesion in lesions]
    if len(set(ids)) < len(ids):
        raise InputError("two lesions of one lesion_id")


def _usable_lesion(lesion: Any) -> str:
    if not isinstance(lesion, dict) or not isinstance(lesion.get("lesion_id"), str):
        raise InputError("a lesion without a lesion_id")
    if lesion.get("status") not in LESION_STATUSES:
        raise InputError(f"lesion {lesion['lesion_id']}: status is not one of {', '.join(LESION_STATUSES)}")
    margin = lesion.get("margin")
    if not isinstance(margin, dict) or "min_mm" not in margin:
        raise InputError(f"lesion {lesion['lesion_id']}: margin.min_mm is missing")
    value = margin["min_mm"]
    if value is not None and not _is_number(value):
        raise InputError(f"lesion {lesion['lesion_id']}: margin.min_mm is not a number")
    return str(lesion["lesion_id"])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _shown(place: Path) -> str:
    return f".../{safe_name(place.parent)}/{safe_name(place)}"


def _why(error: Exception) -> str:
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"not JSON ({type(error).__name__})"


def _refuse(faults: Mapping[str, str]) -> None:
    """Raise if there are faults: of each what is wrong, and where, which names folders."""
    if not faults:
        return
    more = f"\n  and {len(faults) - FAULTS_SHOWN} more" if len(faults) > FAULTS_SHOWN else ""
    listed = "".join(f"\n  {fault}" for fault in list(faults)[:FAULTS_SHOWN])
    said = f"{counted(len(faults), 'result')} cannot be used:{listed}{more}"
    raise InputError(said, code="result", where=", ".join(list(faults.values())[:FAULTS_SHOWN]))


def _require_once(where: Mapping[str, Sequence[str]]) -> None:
    twice = {case_id: places for case_id, places in where.items() if len(places) > 1}
    if not twice:
        return
    shown = sorted(twice.items())[:FAULTS_SHOWN]
    listed = "".join(f"\n  {case_id}: in {len(places)} folders" for case_id, places in shown)
    more = f"\n  and {len(twice) - FAULTS_SHOWN} more" if len(twice) > FAULTS_SHOWN else ""
    said = f"{counted(len(twice), 'case id is', 'case ids are')} there more than once:{listed}{more}"
    named = "; ".join(f"{case_id}: {', '.join(places)}" for case_id, places in shown)
    raise AmbiguousInputError(said, code="duplicate-case", where=named)
