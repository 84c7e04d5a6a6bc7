"""A site's own chart of device settings: a TOML file, taken whole beside the packaged one or refused whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pipelines.catalogue import packaged_chart
from pipelines.formats.voxel_file import safe_name
from pipelines.limits import small_content_of
from planner.errors import EvidenceError, UsageError, located, quoted
from planner.facts import nearest
from planner.plan.chart import load_chart
from planner.plan.setting import Setting

NAME = "chart"
"""What messages call the file, whose own name is for the terminal."""

MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Chart:
    """Device settings by id, and the SHA-256 of the site's file; None where there is none."""

    settings: Mapping[str, Setting]
    sha256: str | None = None

    def chosen(self, ids: Sequence[str]) -> tuple[Setting, ...]:
        """Return the settings of some ids; where none is named all of them but means over many settings.

        Raises
        ------
        UsageError
            An id is not known: the known ones are listed.
        """
        own = tuple(one for one in self.settings.values() if not one.averaged)
        return tuple(self.named(one) for one in dict.fromkeys(ids)) or own

    def named(self, name: str) -> Setting:
        """Return the setting of an id.

        Raises
        ------
        UsageError
            It is not known: the known ones are listed.
        """
        if name not in self.settings:
            near = nearest(name, self.settings)
            hint = near if "did you mean" in near else ""
            known = ", ".join(self.settings)
            raise UsageError(f"setting {quoted(name)} is not known{hint}; known: {known}", code="unknown-setting")
        return self.settings[name]


def chart_of(path: Path | None) -> Chart:
    """Return the packaged chart, with a site's own rows after it where a file is given.

    Raises
    ------
    InputError
        The file cannot be read.
    EvidenceError
        A row is malformed, or has the id of another.
    """
    packaged = {setting.id: setting for setting in packaged_chart()}
    if path is None:
        return Chart(MappingProxyType(packaged))
    with located(safe_name(path)):
        content = small_content_of(path, NAME, MOST_BYTES)
        try:
            rows = load_chart(content.decode("utf-8-sig"), NAME)
        except UnicodeDecodeError as error:
            raise EvidenceError(f"{NAME}: not TOML: not UTF-8 text") from error
        for row in rows:
            if row.id in packaged:
                raise EvidenceError(f"{NAME}: {row.id}: is the id of a packaged setting, expected one of its own")
    own = {row.id: row for row in rows}
    return Chart(MappingProxyType({**packaged, **own}), hashlib.sha256(content).hexdigest())
