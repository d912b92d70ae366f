"""What the pages of docs/ show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

SHELLS: Final = ("bash", "console", "sh")
"""Languages of fenced blocks that hold commands."""
TYPED: Final = re.compile(r"kubectl (apply|create|patch|scale|describe|get|delete (wsvc|secret)) ")
"""What needs no running pod, and removes nothing but a page's own objects."""


@dataclass(frozen=True)
class CommandBlock:
    """An indented block, or one of a shell, with the comment before it that says what runs it."""

    line: int
    text: str
    marker: str | None
    is_fenced: bool

    @property
    def is_typed(self) -> bool:
        """Whether each of its commands is of those that the tests of pages type."""
        return not self.is_fenced and all(TYPED.match(command) for command in typed_lines(self.text))


def yaml_blocks(page: Path) -> list[dict[str, Any]]:
    """The objects, or parts of them, in the page's blocks of YAML."""
    blocks = re.findall(r"^( *)```yaml\n(.*?)^ *```", page.read_text(), re.S | re.M)
    return [body for _, block in blocks for body in yaml.safe_load_all(block)]


def typed_lines(text: str) -> list[str]:
    """The commands of the text's indented blocks, in order, each with its continuation lines."""
    return re.findall(r"^    (\S.*)$", re.sub(r"\\\n\s*", "", text), re.M)


def command_blocks(text: str) -> Iterator[CommandBlock]:
    """The blocks of a page of which each is run by a test, or marked with why not."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        start, line = number, lines[number]
        number += 1
        if fence := re.match(r" *```(\w*)", line):
            while not lines[number].lstrip().startswith("```"):
                number += 1
            number += 1
            if fence[1] in SHELLS:
                yield CommandBlock(start + 1, "\n".join(lines[start:number]), _marker(lines, start), is_fenced=True)
        elif line.startswith("    ") and line.strip() and not lines[start - 1].strip():
            while number < len(lines) and (lines[number].startswith("    ") or not lines[number].strip()):
                number += 1
            yield CommandBlock(start + 1, "\n".join(lines[start:number]), _marker(lines, start), is_fenced=False)


def _marker(lines: list[str], start: int) -> str | None:
    """The text of the comment above the block that begins at `start`."""
    found = re.fullmatch(r" *<!-- (.*) -->", lines[start - 2]) if start >= 2 else None
    return found[1] if found else None
