"""Lets a wheel hold the viewer's library, fetched as scripts/assets does; without network the wheel has none."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface[Any]):
    """Fetches the assets before a wheel is made; an editable install is of a checkout, where scripts/assets does so."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        if version == "editable":
            return
        path = Path(self.root) / "scripts" / "fetch_assets.py"
        spec = importlib.util.spec_from_file_location("fetch_assets", path)
        if spec is None or spec.loader is None:
            raise FileNotFoundError(path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["fetch_assets"] = module
        spec.loader.exec_module(module)
        try:
            module.fetch((module.NIIVUE,))
        except module.AssetError as error:
            self.app.display_warning(f"{error}: this wheel is without the viewer, its reports hold stills")
