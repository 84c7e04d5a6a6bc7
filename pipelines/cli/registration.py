"""What a review and a batch are told of two studies: how to align them, and whether they may be of two patients."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipelines.settings import RegistrationKind

KINDS = ("identity", "rigid", "deformable")


class KindOrFile(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs alone
    """One of `KINDS`, as text, or the path of a transform file."""

    name = "KIND|FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | Path:
        """Return the kind or the path; a bare word that is neither is a slip of the pen."""
        if isinstance(value, Path):
            return value
        if value in KINDS:
            return str(value)
        path = Path(value)
        if not path.suffix and len(path.parts) < 2 and not path.exists():
            self.fail(f"{value!r} is none of {', '.join(KINDS)} and no file.", param, ctx)
        return path


def kind_and_file(registration: RegistrationKind | Path) -> tuple[RegistrationKind, Path | None]:
    """Return the kind of registration, and the file where it is one."""
    return ("file", registration) if isinstance(registration, Path) else (registration, None)


class Millimetres(click.FloatRange):
    """A length above 0, at most 100 mm."""

    name = "MM"

    def __init__(self) -> None:
        super().__init__(min=0.0, min_open=True, max=100.0)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the length."""
        length_mm = float(super().convert(value, param, ctx))
        if not math.isfinite(length_mm):
            self.fail(f"{value!r} is no length.", param, ctx)
        return length_mm


def registration_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--registration` and `--registration-error` to a command."""
    kind = click.option(
        "--registration",
        type=KindOrFile(),
        metavar="KIND|FILE",
        default="deformable",
        show_default=True,
        help="Richest map between the studies to try: identity, rigid or deformable. Or a file with your own: an ITK "
        "transform (.h5, .tfm, .txt, ...) or displacement field (.nii.gz, .nrrd, .mha) in the convention of ITK's "
        "resampling, that takes points of POST to points of PRE (LPS, mm).",
    )
    error = click.option(
        "--registration-error",
        type=Millimetres(),
        metavar="MM",
        help="What you know of your transform's mean 3-D error at the zones; it is not measured. [default: 2 mm are "
        "assumed]",
    )
    return kind(error(command))


def landmarks_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--landmarks` to a command."""
    return click.option(
        "--landmarks",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        help="Pairs of points that show the same place: a CSV (pre_x_mm ... post_z_mm, LPS), or twice, PRE's and "
        "POST's list of 3D Slicer (.mrk.json). With four pairs within 50 mm of a zone their error replaces the "
        "predicted one.",
    )(command)


def different_patients_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--allow-different-patients` to a command."""
    return click.option(
        "--allow-different-patients",
        is_flag=True,
        help="Review studies that state different patients (PatientID), with a caution: one patient may have two "
        "pseudonyms. Without it they are refused.",
    )(command)


def phi_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--phi` to a command."""
    return click.option(
        "--phi",
        is_flag=True,
        help="Show patient data: name, id and birth date in the result and the report, labels in error messages.",
    )(command)
