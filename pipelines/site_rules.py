"""A site's own rules: the TOML files of a folder, taken whole into the catalogue or refused whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pipelines.catalogue import packaged_catalogue, packaged_comparisons, packaged_hazards
from pipelines.formats.voxel_file import safe_name
from pipelines.limits import is_folder, small_content_of
from planner.errors import EvidenceError, InputError, UsageError, located, quoted
from planner.facts import nearest
from planner.guideline.catalogue import Catalogue, with_site

MOST_BYTES = 1_000_000
"""What one file may hold; a catalogue file of a large guideline has a tenth of it."""

MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class SiteRules:
    """The catalogue with a site's rules in it, and the SHA-256 of each of the site's files, sorted."""

    catalogue: Catalogue
    sha256: tuple[str, ...] = ()


def site_rules(folder: Path | None) -> SiteRules:
    """Return the catalogue with the rules of every `*.toml` of a folder; as it is packaged where there is none.

    Messages call the files by number, since a name may be a patient's; the name is for the terminal.

    Raises
    ------
    InputError
        The folder or a file cannot be read.
    EvidenceError
        A file or a rule is malformed.
    """
    if folder is None:
        return SiteRules(packaged_catalogue())
    paths = _files(folder)
    names = {f"site file {number} of {len(paths)}": path for number, path in enumerate(paths, start=1)}
    return _held(names, {name: safe_name(path) for name, path in names.items()})


def rules_held(path: Path) -> int:
    """Return how many rules a site's file, or every file of a folder, adds to the catalogue: all of them hold.

    Raises
    ------
    InputError, EvidenceError
        As `site_rules`; the file is called by its name.
    """
    paths = _files(path) if is_folder(path) and not path.is_symlink() else (path,)
    found = _held({safe_name(one): one for one in paths}, {})
    return sum(rule.source.of_site for rule in found.catalogue.rules)


def site_example(name: str) -> str:
    """Return a packaged example of a site's file, as text.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    known = site_examples()
    if name not in known:
        raise UsageError(f"example {quoted(name)} is not known{nearest(name, known)}", code="unknown-example")
    return known[name]


def site_examples() -> Mapping[str, str]:
    """Return the text of every packaged example by its name."""
    files = resources.files("planner.guideline").joinpath("site_examples").iterdir()
    return {
        file.name.removesuffix(".toml"): file.read_text(encoding="utf-8")
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def _files(folder: Path) -> tuple[Path, ...]:
    """Return the `*.toml` of a folder by name; hidden files are left out."""
    with located(safe_name(folder)):
        if not is_folder(folder):
            raise InputError("folder of site rules: not found, or not a folder", code="missing")
        try:
            inside = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".toml")
        except OSError as error:
            raise InputError(f"folder of site rules: cannot be read ({error.strerror})") from error
        found = tuple(path for path in inside if not path.name.startswith("."))
        if not found:
            raise InputError("folder of site rules: holds no *.toml file", code="missing")
        if len(found) > MOST_FILES:
            raise InputError(f"folder of site rules: {len(found)} files, expected at most {MOST_FILES}",
                             code="too-large")  # fmt: skip
    return found


def _held(paths: Mapping[str, Path], where: Mapping[str, str]) -> SiteRules:
    """Return the catalogue with the rules of files by what messages call them; `where` tells more at the terminal."""
    read = {name: _read(path, name, where.get(name, "")) for name, path in paths.items()}
    try:
        reserved = [*(h.id for h in packaged_hazards()), *(c.id for c in packaged_comparisons())]
        catalogue = with_site(packaged_catalogue(), {name: text for name, (text, _) in read.items()}, reserved)
    except EvidenceError as error:
        error.where = next((place for name, place in where.items() if str(error).startswith(f"{name}: ")), "")
        raise
    return SiteRules(catalogue, tuple(sorted(sha256 for _, sha256 in read.values())))


def _read(path: Path, name: str, where: str) -> tuple[str, str]:
    """Return the text of a file and its SHA-256."""
    with located(where):
        content = small_content_of(path, name, MOST_BYTES)
        try:
            return content.decode("utf-8-sig"), hashlib.sha256(content).hexdigest()
        except UnicodeDecodeError as error:
            raise EvidenceError(f"{name}: not TOML: not UTF-8 text") from error
