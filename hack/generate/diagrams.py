"""The pictures of docs/explanation/architecture.md: folders in the order of their imports.

The order comes from the `layers` contracts of pyproject.toml, each sentence from the folder's own docstring.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from collections.abc import Collection, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

SOURCES: Final = {"whisper_operator": "operator", "whisper_runtime": "runtime"}
"""The repository's folder that holds each package."""

WIDTH: Final = 960
MARGIN: Final = 24
GAP: Final = 8
LINE_HEIGHT: Final = 16
CHARACTER_WIDTH: Final = 6.8
"""Width in pixels of a character in 12 px DejaVu Sans, on average: the widest of the fonts below."""
PURE, OTHER = "#e6f4ea", "#eef1f6"
FONT: Final = "system-ui, Helvetica, Arial, 'DejaVu Sans', sans-serif"
NOTE: Final = "A folder imports only from the rows below it. Green: a lint rule keeps clients and frameworks out."


def pictures(repository: Path) -> dict[str, str]:
    """The SVG of each `layers` contract, by its path in the repository."""
    project: dict[str, Any] = tomllib.loads((repository / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    pure = {module for one in contracts if one["type"] == "forbidden" for module in one["source_modules"]}
    return {
        f"docs/explanation/{package.rpartition('.')[2].removeprefix('whisper_')}-layers.svg": _picture(
            repository / SOURCES[package.partition(".")[0]], package, one["layers"], pure
        )
        for one in contracts
        if one["type"] == "layers"
        for package in one["containers"]
    }


def purpose(package: Path, name: str) -> str:
    """The first sentence of the docstring of the folder or module `name`."""
    file = package / name / "__init__.py" if (package / name).is_dir() else package / f"{name}.py"
    text = " ".join((ast.get_docstring(ast.parse(file.read_text())) or "").replace("`", "").split())
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]


def _picture(source: Path, package: str, layers: Sequence[str], pure: Collection[str]) -> str:
    top, body = MARGIN, list[str]()
    for layer in layers:
        names = re.split(r"\s*[|:]\s*", layer)
        height, row = _row(
            source / package.replace(".", "/"), names, [f"{package}.{name}" in pure for name in names], top
        )
        body += row
        top += height + GAP
    body.append(_text(NOTE, MARGIN, top + LINE_HEIGHT, 12))
    return _svg(f"The folders of {package} in the order of their imports", top + LINE_HEIGHT + MARGIN, body)


def _row(package: Path, names: Sequence[str], are_pure: Sequence[bool], top: int) -> tuple[int, list[str]]:
    """The height of a row of boxes side by side, and what draws it."""
    width = (WIDTH - 2 * MARGIN - (len(names) - 1) * GAP) // len(names)
    texts = [textwrap.wrap(purpose(package, name), int((width - 24) / CHARACTER_WIDTH)) for name in names]
    height, drawn = 32 + LINE_HEIGHT * max(map(len, texts)), list[str]()
    for column, (name, lines, is_pure) in enumerate(zip(names, texts, are_pure, strict=True)):
        fill, left = PURE if is_pure else OTHER, MARGIN + column * (width + GAP)
        drawn.append(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="6" fill="{fill}"/>')
        drawn.append(_text(name, left + 12, top + 20, 14, "bold"))
        drawn += [_text(line, left + 12, top + 38 + LINE_HEIGHT * at, 12) for at, line in enumerate(lines)]
    return height, drawn


def _svg(title: str, height: int, body: list[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="{FONT}">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
            *body,
            "</svg>\n",
        ]
    )


def _text(words: str, left: int, top: int, size: int, weight: str = "normal") -> str:
    return f'<text x="{left}" y="{top}" font-size="{size}" font-weight="{weight}" fill="#202124">{escape(words)}</text>'
