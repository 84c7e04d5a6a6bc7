"""Several studies after one ablation in an audit: which of them counts, and where the others are kept.

Margins of one lesion in two studies are two measurements of one thing. So of each case the first post in the order of
its report that has a result counts; the others are rows of the lesion table, and in no count, band or curve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.store.folder import RESULT
from pipelines.store.post_folders import holds_one_of_several, is_post_name
from planner.errors import InputError

Json = Mapping[str, Any]


def is_common(document: Json) -> bool:
    """Return whether a result is the common one of several posts."""
    return "posts" in document


def is_part(folder: Path) -> bool:
    """Return whether a folder holds one of several posts: it counts with the case above it, never by itself."""
    return holds_one_of_several(folder, RESULT)


def posts_of(place: Path, document: Json, read: Callable[[Path], Json]) -> list[tuple[Path, Json]]:
    """Return the result of each post that has one, with its folder, in order; the first is the one that counts.

    Parameters
    ----------
    place, document
        The case's folder and its common result.
    read
        What reads and checks a result file.

    Raises
    ------
    InputError
        A post's result is missing, of another case, or cannot be used.
    """
    found = []
    for name in _folders(document):
        folder = place / name
        if not (folder / RESULT).is_file():
            raise InputError(f"{name} has no {RESULT}")
        own = read(folder / RESULT)
        if own.get("case_id") != document.get("case_id"):
            raise InputError(f"{name} is of another case")
        found.append((folder, own))
    if not found:
        raise InputError("no post has a result")
    return found


def _folders(document: Json) -> Sequence[str]:
    posts = document["posts"]
    if not isinstance(posts, list) or not all(isinstance(post, dict) for post in posts):
        raise InputError("posts is not a list of posts")
    names = [post.get("folder") for post in posts if post.get("folder") is not None]
    if not all(isinstance(name, str) and is_post_name(name) for name in names) or len(set(names)) < len(names):
        raise InputError("posts names a folder that is none of a post, or one twice")
    return names


def posts_note(cases: int) -> str:
    """Return what is said of cases with several posts."""
    which = "case has" if cases == 1 else "cases have"
    return (
        f"{cases} {which} several studies after the ablation: the first of each with a result counts here; the others"
        " are rows of the lesion table (counted: false) and in no number on this page."
    )
