"""A user's TOML file as a checked document: one line says what is wrong, and repeats nothing that stands there."""

from __future__ import annotations

import tomllib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipelines.case_faults import faults_of, toml_fault
from planner.errors import InputError, quoted

DocumentT = TypeVar("DocumentT", bound=BaseModel)


def tables_of(content: bytes, name: str, code: str, encoding: str = "utf-8") -> dict[str, Any]:
    """Return the tables of a TOML file; `name` is what messages call it, `code` that of its errors.

    Raises
    ------
    InputError
        It is no text in the encoding, or no TOML.
    """
    try:
        return tomllib.loads(content.decode(encoding))
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not TOML: not UTF-8 text", code=code) from error
    except RecursionError as error:
        raise InputError(f"{name}: not TOML: nested too deep", code=code) from error
    except ValueError as error:
        raise InputError(f"{name}: not TOML: {toml_fault(error)}", code=code) from error


def checked(tables: dict[str, Any], model: type[DocumentT], name: str, code: str, where: str) -> DocumentT:
    """Return tables as a document; `where` names the file where only the terminal sees it, with the user's own keys.

    Raises
    ------
    InputError
        They hold an unknown key or a malformed value.
    """
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        faults = faults_of(error, model)
        said, keys = "; ".join(fault for fault, _ in faults), ", ".join(quoted(key) for _, key in faults if key)
        raise InputError(f"{name}: {said}", code=code, where=f"{where}: {keys}" if keys else where) from error
