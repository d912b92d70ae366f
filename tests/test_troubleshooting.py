"""docs/how-to/troubleshooting.md names reasons that there are, and commands that the plugin has."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import typer
from kubectl_whisper.cli import app
from kubectl_whisper.explain import names

from testbed.paths import REPOSITORY
from whisper_operator.api.conditions import CONDITION_TYPES

PAGE = REPOSITORY / "docs/how-to/troubleshooting.md"
COLUMNS = ["what you see", "cause", "look", "remedy"]
NOT_OURS = {"ReadWriteMany", "Retry-After", "QUEUED", "WHY"}


def tables() -> Iterator[list[list[str]]]:
    """The rows of each table, the first with its headings."""
    for block in re.findall(r"(?:^\|.*\n)+", PAGE.read_text(), re.M):
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()]
        yield [rows[0], *rows[2:]]


def seen() -> Iterator[str]:
    """What stands in backticks in the first column and looks like a reason."""
    for _, *rows in tables():
        for first, *_ in rows:
            yield from re.findall(r"`([A-Z][A-Za-z]+[a-z][A-Za-z]*)`", first)


def test_each_reason_of_the_page_exists() -> None:
    assert sorted(set(seen()) - set(names()) - NOT_OURS) == []


def test_each_condition_that_the_page_leads_to_exists() -> None:
    led_to = re.findall(r"reasons? of `(\w+)`", PAGE.read_text())
    assert led_to
    assert set(led_to) <= set(CONDITION_TYPES)


def test_each_row_has_cause_look_and_remedy() -> None:
    for head, *rows in tables():
        assert head == COLUMNS
        assert all(len(row) == len(COLUMNS) and all(row) for row in rows), rows


def test_the_plugins_commands_are_real() -> None:
    command = typer.main.get_command(app)
    known = set(getattr(command, "commands", {}))
    assert set(re.findall(r"kubectl whisper ([\w-]+)", PAGE.read_text())) <= known


@pytest.mark.parametrize("symptom", ["Nothing happens", "No pod starts", "Clients get errors", "It is slow"])
def test_it_begins_with_what_somebody_notices(symptom: str) -> None:
    assert f"\n## {symptom}" in PAGE.read_text()
