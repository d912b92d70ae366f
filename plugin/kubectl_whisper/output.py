"""Rows for people, as a table, and for programs, as JSON and YAML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from enum import StrEnum
from typing import Final

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kubectl_whisper.status import Row
from kubectl_whisper.top import PodRow

COLORS: Final = {"True": "green", "False": "red", "Unknown": "yellow"}
"""Of Ready."""


class Output(StrEnum):
    table = "table"
    json = "json"
    yaml = "yaml"


def print_rows(rows: Sequence[Row | PodRow], output: Output, *, everywhere: bool = False) -> None:
    """Each field of the rows is a column of the table, for which there is one row at least.

    `everywhere`: they are of all namespaces, so that the table names them.
    """
    if output is Output.table:
        _print_table(rows, [one.name for one in fields(rows[0]) if everywhere or one.name != "namespace"])
        return
    listed = [asdict(row) for row in rows]
    print(json.dumps(listed, indent=2) if output is Output.json else yaml.safe_dump(listed, sort_keys=False), end="\n")


def _print_table(rows: Sequence[Row | PodRow], names: Sequence[str]) -> None:
    """`names`: of the fields to show."""
    table = Table(box=None, pad_edge=False, header_style="")
    for name in names:
        table.add_column(name.replace("_", " ").upper(), overflow="fold", no_wrap=name != "why")
    for row in rows:
        cells = asdict(row)
        table.add_row(*(_cell(name, cells[name]) for name in names))
    console = Console(markup=False, highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    # A program that reads lines gets whole ones, and as short as they are.
    wide = Console(markup=False, highlight=False, width=100_000)
    with wide.capture() as captured:
        wide.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _cell(name: str, value: str) -> Text:
    if name == "ready":
        return Text(value, style=COLORS.get(value, ""))
    return Text(value or "-") if name == "why" else Text(value)
