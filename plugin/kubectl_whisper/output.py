"""Rows for people, as a table, and for programs, as JSON and YAML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Final

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kubectl_whisper.status import Row

COLORS: Final = {"True": "green", "False": "red", "Unknown": "yellow"}
"""Of Ready."""


class Output(StrEnum):
    table = "table"
    json = "json"
    yaml = "yaml"


def print_rows(rows: Sequence[Row], output: Output) -> None:
    if output is Output.table:
        _print_table(rows)
        return
    listed = [asdict(row) for row in rows]
    print(json.dumps(listed, indent=2) if output is Output.json else yaml.safe_dump(listed, sort_keys=False), end="\n")


def _print_table(rows: Sequence[Row]) -> None:
    table = Table(box=None, pad_edge=False, header_style="")
    several = len({row.namespace for row in rows}) > 1
    for name in (*(["NAMESPACE"] if several else []), "NAME", "READY", "MODEL", "PODS", "QUEUED", "SPEED"):
        table.add_column(name, no_wrap=True)
    table.add_column("WHY", overflow="fold")
    for row in rows:
        cells = (row.name, Text(row.ready, style=COLORS.get(row.ready, "")), row.model, row.pods, row.queued, row.speed)
        table.add_row(*([row.namespace] if several else []), *cells, row.why or "-")
    console = Console(markup=False, highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    # A program that reads lines gets whole ones, and as short as they are.
    wide = Console(markup=False, highlight=False, width=100_000)
    with wide.capture() as captured:
        wide.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))
