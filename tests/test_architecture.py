from __future__ import annotations

import ast
import dataclasses
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import pipelines
import planner

ROOT = Path(planner.__file__).parents[1]
BANNED_NAMES = {"open", "print", "input", "eval", "exec"}
BANNED_MODULES = {
    "pathlib", "importlib", "time", "logging", "os", "io", "socket", "urllib", "subprocess", "shutil", "tempfile",
}  # fmt: skip
CLOCK = {"now", "today", "utcnow", "fromtimestamp"}
"""Methods of `datetime` and `date` that read the clock; a date itself is a value."""

UNIT = re.compile(r"(?<![a-z])(mm|mm2|mm3|ml|fraction|share|degrees|hu|s|days|percent|voxels|ratio)(?![a-z0-9])")
WITHOUT_UNIT = {
    "Surface.voxel_directions": "unit vectors",
    "PlannedZone.axis_lps": "a unit vector",
    "Shape.axes_lps": "unit vectors",
    "Achieved.dice": "a share",
    "Placement.scale": "a ratio: by how much a zone would have to be scaled",
    "_Bracket.scale_at_high": "the same",
    "Trial.scale": "the same",
    "Robustness.p_at_least": "a probability, keyed by mm",
    "Robustness.expected_covered": "a share, keyed by mm",
    "Setting.power_w": "watts",
    "_Moved.directions": "unit vectors",
    "Edge.at": "the edge of a scale, in the unit of the rule that owns the scale",
    "Interval.p_at_least": "a probability, keyed by mm",
    "Margin.surface_fraction_below": "a fraction, keyed by mm",
    "Coverage.target_covered": "a share, keyed by mm",
    "MarginPoints.tumour_normal": "unit vectors",
    "MarginPoints.zone_normal": "unit vectors",
    "MarginMap.foot_normal": "unit vectors",
    "SpatialMap.rigid_pre_from_post": "a matrix, named to_from",
    "Panel.moved": "grey values, as of Working.image",
    "Deformed.pre_on_post": "grey values, as of Working.image",
    "Working.image": "grey values: HU of a CT",
    "Sites.labels": "+1 or -1",
    "Told.labels": "+1 or -1",
    "Told.kernel": "what a unit weight adds to f",
    "Implicit.off_share": "a share",
    "HalfSpace.inward": "a unit vector",
    "Finder.triangle_normals": "unit vectors",
    "Finder.corner_normals": "unit vectors",
    "Implicit.weights": "coefficients of kernels",
    "Prior.bending": "a weight",
    "Prior.volume": "a weight",
    "Implicit.curvature": "a Hessian of a log probability",
    "_Channel.post_values": "grey values as given, or what stands for them",
    "_Channel.pre": "grey values as given, or what stands for them",
    "_Channel.slopes": "the same a millimetre",
}


def modules(package: ModuleType) -> list[str]:
    return [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


@pytest.mark.parametrize("path", sorted((ROOT / "planner").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_planner_touches_no_file_clock_network_or_log(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not BANNED_MODULES & {name.split(".")[0] for name in names}, ast.unparse(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in BANNED_NAMES, ast.unparse(node)
        assert not (isinstance(node, ast.Attribute) and node.attr in CLOCK), ast.unparse(node)


def values_of(name: str) -> Iterator[tuple[str, type]]:
    for key, value in vars(importlib.import_module(name)).items():
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == name:
            yield key, value


VALUES = [(name, value) for module in modules(planner) for name, value in values_of(module)]


@pytest.mark.parametrize(("name", "value"), VALUES, ids=[name for name, _ in VALUES])
def test_every_float_field_of_a_value_states_its_unit(name: str, value: type) -> None:
    """In its name, or by a field `unit` or `quantity` beside it; hazards and probabilities are ratios."""
    names = {field.name for field in dataclasses.fields(value)}
    beside = bool(names & {"unit", "quantity"}) or name == "RelativeHazard"
    for field in dataclasses.fields(value):
        floating = "float" in str(field.type).lower()
        stated = beside or UNIT.search(field.name.replace("_", " ")) or f"{name}.{field.name}" in WITHOUT_UNIT
        assert not floating or stated, f"{name}.{field.name}"


def test_every_exception_from_the_unit_rule_is_still_a_field() -> None:
    fields = {f"{name}.{field.name}" for name, value in VALUES for field in dataclasses.fields(value)}
    assert set(WITHOUT_UNIT) <= fields


@pytest.mark.parametrize(("name", "value"), VALUES, ids=[name for name, _ in VALUES])
def test_every_value_is_frozen(name: str, value: type) -> None:
    assert vars(value)["__dataclass_params__"].frozen


@pytest.mark.parametrize("package", ["planner", "pipelines"])
def test_every_public_function_and_class_says_what_it_is(package: str) -> None:
    silent = []
    for path in sorted((ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree):
            silent.append(str(path))
        for holder in (tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))):
            for node in holder.body:
                public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
                if public and not ast.get_docstring(node):
                    silent.append(f"{path}: {node.name}")
    assert not silent


@pytest.mark.parametrize("package", [planner, pipelines], ids=["planner", "pipelines"])
def test_no_module_is_longer_than_three_hundred_lines(package: ModuleType) -> None:
    files = (ROOT / package.__name__).rglob("*.py")
    assert not [p for p in files if len(p.read_text(encoding="utf-8").splitlines()) > 300]


def test_every_ignored_type_says_why() -> None:
    marked = re.compile(r"# type: ignore\b(?!\[[a-z-]+\]  # \w)")
    paths = [path for top in ("planner", "pipelines", "scripts", "tests") for path in (ROOT / top).rglob("*.py")]
    lines = [(p, line) for p in paths if p != Path(__file__) for line in p.read_text(encoding="utf-8").splitlines()]
    assert not [f"{path}: {line.strip()}" for path, line in lines if marked.search(line)]


def test_planner_needs_no_pydicom_and_no_reader() -> None:
    banned = ("pydicom", "highdicom", "nibabel", "matplotlib", "click", "jinja2")
    names = [name for name in modules(planner) if not name.startswith("planner.report")]
    code = (
        f"import sys, importlib; [importlib.import_module(n) for n in {names}];"
        f" print([b for b in {banned} if b in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["lint-imports --no-cache", "ruff check .", "ruff format --check .", "mypy"],
)
def test_the_readers_that_never_tire_have_nothing_to_say(command: str) -> None:
    name, *rest = command.split()
    tool = Path(sys.executable).parent / name
    done = subprocess.run([tool, *rest], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
