"""The lesion table as files: CSV for spreadsheets, Parquet for programs, and the dictionary of its columns."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

from pipelines.audit.columns import Cell, Column
from pipelines.formats.csv_cells import csv_text, guarded


def csv_bytes(columns: Sequence[Column], rows: Iterable[Mapping[str, Cell]]) -> bytes:
    """Return the table as CSV (UTF-8, RFC 4180); text that a spreadsheet would run as a formula gets a leading '."""
    lines = ([_text(row.get(column.name)) for column in columns] for row in rows)
    return csv_text([column.name for column in columns], lines)


def dictionary_bytes(columns: Sequence[Column]) -> bytes:
    """Return the data dictionary as CSV."""
    lines = ([column.name, column.unit, column.definition, guarded(column.sign)] for column in columns)
    return csv_text(["column", "unit", "definition", "sign"], lines)


def parquet_bytes(columns: Sequence[Column], rows: Sequence[Mapping[str, Cell]]) -> bytes:
    """Return the table as Parquet, its text as it is, with unit, definition and sign on each field."""
    import pyarrow as pa
    from pyarrow import parquet

    types = {"text": pa.string(), "number": pa.float64(), "boolean": pa.bool_()}
    fields = [
        pa.field(column.name, types[column.kind], metadata={
            "unit": column.unit, "definition": column.definition, "sign": column.sign,
        })
        for column in columns
    ]  # fmt: skip
    arrays = [
        pa.array([row.get(column.name) for row in rows], type=field.type)
        for column, field in zip(columns, fields, strict=True)
    ]
    stream = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), stream)
    return stream.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return guarded(cell) if isinstance(cell, str) else repr(cell)
