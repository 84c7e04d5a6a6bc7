"""What a case's folder holds, as a worklist knows it: each study's result in a few values, or why there is none.

Where an audit refuses what it cannot use, a worklist lists it: it never fails over one case.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipelines.batch.case_folder import FAILURE, KnownResult, known_result
from pipelines.store.folder import FILES, RESULT
from pipelines.store.post_folders import is_post_name
from pipelines.store.result import SCHEMA_VERSION
from planner.report.worklist import Gate, LesionItem, Study

HTML, PDF = FILES[:2]
"""The reports, of which a row links those that are there."""

Json = Mapping[str, Any]

_COULD_READ = ("pass", "caution", "fail")
"""Words of a verdict that may turn out worse or better where a value lies near a line."""


class _UnusableError(ValueError):
    """A result that is not what a review writes; its text says why."""


def read_case(folder: Path) -> tuple[tuple[Study, ...], KnownResult]:
    """Return the studies of a case's folder, and what its result says of the case as a whole.

    There is one study without a result where no result can be read. A result outweighs a failure: a batch takes results
    back before it tries again.
    """
    if not (folder / RESULT).is_file():
        return (_without_result(folder),), KnownResult(whole=False, remarks=())
    try:
        document = _object(folder / RESULT)
    except (OSError, ValueError) as error:
        return (Study(folder.name, "unreadable", why=_why(error)),), KnownResult(whole=False, remarks=())
    return tuple(_with_result(folder, document)), known_result(document)


def _without_result(folder: Path) -> Study:
    failure = _failure(folder / FAILURE)
    if failure is None:
        return Study(folder.name, "unfinished")
    return Study(str(failure.get("case_id") or folder.name), "failed", why=_said(failure))


def _said(reason: Json) -> tuple[str, str]:
    """Return a code and a sentence."""
    return str(reason.get("code") or "unknown"), str(reason.get("text") or "no reason was kept")


def _with_result(folder: Path, document: Json) -> Iterator[Study]:
    try:
        _require_schema(document)
        posts = document.get("posts")
        if not isinstance(posts, list):
            yield _study(document, folder, (folder.name,))
            return
    except _UnusableError as error:
        yield Study(folder.name, "unreadable", why=_why(error))
        return
    listed = _dicts(posts)
    overview = _link(folder, (folder.name,), HTML)
    for place, post in enumerate(listed, start=1):
        yield _of_several(folder, post, place, len(listed), overview)


def _of_several(folder: Path, post: Json, place: int, posts: int, overview: str) -> Study:
    """Return one of several posts: its own result, or why it has none."""
    name = post.get("folder")
    if name is None:
        found = Study(folder.name, "failed", why=_said(_dict(post.get("reason"))))
    else:
        found = _of_post(folder, name)
    return replace(found, post_number=place, posts=posts, overview=overview)


def _of_post(folder: Path, name: object) -> Study:
    try:
        if not isinstance(name, str) or not is_post_name(name):
            raise _UnusableError("posts names a folder that is none of a post")
        document = _object(folder / name / RESULT)
        _require_schema(document)
        return _study(document, folder / name, (folder.name, name))
    except (OSError, ValueError) as error:
        return Study(folder.name, "unreadable", why=_why(error))


def _study(document: Json, folder: Path, names: Sequence[str]) -> Study:
    status = document.get("status")
    if status not in ("assessed", "not_assessable"):
        raise _UnusableError("its status is not one of assessed, not_assessable")
    timing = _dict(document.get("timing"))
    words = [(str(one.get("verdict")), one.get("borderline") is True) for one in _dicts(document.get("guidelines"))]
    return Study(
        case_id=str(document.get("case_id") or names[0]),
        state=status,
        post_number=_count(timing.get("post_number")),
        posts=_count(timing.get("posts")),
        days_since_ablation=_number(timing.get("days_since_ablation")),
        lesions=tuple(_lesion(lesion) for lesion in _dicts(document.get("lesions"))),
        gate=_gate(_dict(document.get("registration"))),
        outside=sum(word == "fail" for word, _ in words),
        short=sum(word == "caution" for word, _ in words),
        borderline=sum(near and word in _COULD_READ for word, near in words),
        remarks=tuple(dict.fromkeys(str(reason.get("text")) for reason in _dicts(document.get("reasons")))),
        report=_link(folder, names, HTML),
        pdf=_link(folder, names, PDF),
        software_version=str(_dict(document.get("provenance")).get("software_version") or ""),
    )


def _lesion(lesion: Json) -> LesionItem:
    margin = _dict(lesion.get("margin"))
    low, high = map(_number, (*_list(margin.get("ci95_mm")), None, None)[:2])
    least = _number(margin.get("min_mm"))
    return LesionItem(
        lesion_id=str(lesion.get("lesion_id")),
        status=str(lesion.get("status")),
        min_mm=least,
        ci95_mm=None if least is None or low is None or high is None else (low, high),
        direction=str(margin.get("direction") or ""),
        definition=str(margin.get("definition") or ""),
        registration_error_mm=_number(lesion.get("registration_error_mm")),
        flags=tuple(str(flag) for flag in _list(margin.get("flags"))),
        reasons=() if least is not None else tuple(_reasons(lesion)),
    )


def _reasons(lesion: Json) -> Iterator[str]:
    """Yield why a lesion has no margin."""
    for reason in _dicts(lesion.get("reasons")):
        if reason.get("field") in (None, "margin", "margin.min_mm"):
            yield str(reason.get("text"))


def _gate(registration: Json) -> Gate:
    """Return what the checks say of the case and of all its zones: the worst counts."""
    zones = [_dict(zone) for zone in _dict(registration.get("zones")).values()]
    gates = {zone.get("gate") for zone in zones}
    checks = [*_dicts(registration.get("checks")), *(check for zone in zones for check in _dicts(zone.get("checks")))]
    if registration.get("passed") is False or "fail" in gates:
        return "fail"
    if "warn" in gates or any(check.get("warned") is True for check in checks):
        return "warn"
    return "pass" if any(check.get("passed") is not None for check in checks) else "unchecked"


def _link(folder: Path, names: Sequence[str], report: str) -> str:
    """Return the link to a report, from the folder above the case's; "" where there is none."""
    if not (folder / report).is_file():
        return ""
    return "/".join(quote(os.fsencode(name), safe="") for name in (*names, report))


def _require_schema(document: Json) -> None:
    if document.get("schema_version") != SCHEMA_VERSION:
        raise _UnusableError(f"its schema_version is not {SCHEMA_VERSION}")


def _failure(path: Path) -> Json | None:
    """Return why a case failed; None where nothing says so, {} where that cannot be read."""
    try:
        return _object(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _UnusableError("it is not JSON") from error
    if not isinstance(found, dict):
        raise _UnusableError("it is not a JSON object")
    return found


def _why(error: Exception) -> tuple[str, str]:
    text = str(error) if isinstance(error, _UnusableError) else "it cannot be read"
    return RESULT, text


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        return None
    return float(value)


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _dicts(value: object) -> list[Json]:
    return [one for one in _list(value) if isinstance(one, dict)]
