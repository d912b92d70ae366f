"""Rows for people, as a table, and for programs, as JSON and YAML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

COLORS: Final = {
    **{"True": "green", "False": "red", "Unknown": "yellow"},
    **{"ok": "green", "wrong": "red", "unknown": "yellow"},
}
"""Of Ready, and of a check."""
FREE_TEXT: Final = frozenset({"why", "message"})
"""Fields that are as long as they are; empty, they have nothing to say."""


class Output(StrEnum):
    table = "table"
    json = "json"
    yaml = "yaml"


def print_rows(rows: Sequence[DataclassInstance], output: Output, *, everywhere: bool = False) -> None:
    """Each field of the rows is a column of the table, for which there is one row at least.

    `everywhere`: they are of all namespaces, so that the table names them.
    """
    if output is Output.table:
        _print_table(rows, [one.name for one in fields(rows[0]) if everywhere or one.name != "namespace"])
        return
    listed = [asdict(row) for row in rows]
    print(json.dumps(listed, indent=2) if output is Output.json else yaml.safe_dump(listed, sort_keys=False))


def _print_table(rows: Sequence[DataclassInstance], names: Sequence[str]) -> None:
    """`names`: of the fields to show."""
    cells = [tuple(_cell(name, row[name]) for name in names) for row in map(asdict, rows)]
    headers = [name.replace("_", " ").upper() for name in names]
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        print("\n".join(_aligned([headers, *cells])))
        return
    table = Table(box=None, pad_edge=False, header_style="")
    for name, header in zip(names, headers, strict=True):
        table.add_column(header, overflow="fold", no_wrap=name not in FREE_TEXT)
    for of_row in cells:
        table.add_row(*(Text(cell, style=COLORS.get(cell, "")) for cell in of_row))
    console.print(table)


def _cell(name: str, value: str) -> str:
    return value or "-" if name in FREE_TEXT else value


def _aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Whole lines, as a program that reads them wants them: as long as they are, where a terminal has them folded."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
