"""Every block of commands in the tutorial and the how-tos is run by a test, or says why not, in a comment above it."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.paths import REPOSITORY
from tests.support.pages import command_blocks

PAGES = [REPOSITORY / "docs/tutorial.md", *sorted(REPOSITORY.glob("docs/how-to/*.md"))]
RUN_BY, NOT_RUN, NO_COMMAND = "run by ", "not run: ", "no command"

of_each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@of_each
def test_each_block_is_run_or_says_why_not(page: Path) -> None:
    silent = [
        block.line
        for block in command_blocks(page.read_text())
        if not block.is_typed and not (block.marker or "").startswith((RUN_BY, NOT_RUN, NO_COMMAND))
    ]
    assert silent == [], f"lines of {page.name}; above each: <!-- run by PATH --> or <!-- not run: REASON -->"


@of_each
def test_what_is_typed_by_a_test_claims_nothing_else(page: Path) -> None:
    assert [block.line for block in command_blocks(page.read_text()) if block.is_typed and block.marker] == []


@of_each
def test_a_test_that_runs_a_block_names_the_page(page: Path) -> None:
    for block in command_blocks(page.read_text()):
        if (block.marker or "").startswith(RUN_BY):
            test = REPOSITORY / str(block.marker).removeprefix(RUN_BY)
            assert page.name in test.read_text(), f"{page.name}:{block.line}: {test} does not name the page"


@of_each
def test_a_marker_has_its_block(page: Path) -> None:
    """One that a block has lost, or that is not two lines above it, would say nothing."""
    text = page.read_text()
    markers = [
        line for line in text.splitlines() if line.strip().startswith(("<!-- run by", "<!-- not run", "<!-- no co"))
    ]
    assert len(markers) == sum(block.marker is not None for block in command_blocks(text))


@pytest.mark.parametrize(
    ("text", "markers"),
    [
        ("Text\n\n    make\n", [None]),
        ("Text\n\n<!-- not run: why -->\n\n    make\n\n    more\n", ["not run: why"]),
        ("<!-- run by a.py -->\n\n```sh\nmake\n```\n", ["run by a.py"]),
        ("```yaml\nspec:\n\n    key: 1\n```\n", []),
        ("Text that goes\n    on\n", []),
        ("1. Text\n\n       make\n", [None]),
    ],
)
def test_which_blocks_a_page_has(text: str, markers: list[str | None]) -> None:
    assert [block.marker for block in command_blocks(text)] == markers


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("    kubectl get pods\n    kubectl apply -f a.yaml\n", True),
        ("    kubectl get pods\n    kubectl wait pods\n", False),
        ("    kubectl patch wsvc a \\\n      -p '{}'\n", True),
        ("```sh\nkubectl get pods\n```\n", False),
    ],
)
def test_what_is_typed(text: str, typed: bool) -> None:
    (block,) = command_blocks("\n" + text)
    assert block.is_typed is typed
