"""The navigation follows from docs/README.md, so that a page is listed once."""

from __future__ import annotations

from hack.site.navigation import navigation

README = """# Documents

[The README](../README.md) is elsewhere; [the tutorial](tutorial.md) comes first.

## How to …

- [Run on a GPU](how-to/gpu.md)
- [`kubectl whisper`](how-to/plugin.md), from a terminal

## Alerts and decisions

- [The runbook of each alert](runbooks/README.md)
- [The decisions](adr/0001-first.md), in their order
"""
PAGES = [
    "adr/0002-second.md",
    "adr/0001-first.md",
    "how-to/gpu.md",
    "runbooks/A.md",
    "runbooks/README.md",
    "tutorial.md",
]


def test_groups_are_the_headings_and_titles_are_the_links() -> None:
    home, tutorial, how_to, *_ = navigation(README, PAGES)
    assert home == {"Home": "README.md"}
    assert tutorial == {"The tutorial": "tutorial.md"}
    assert how_to == {"How to": [{"Run on a GPU": "how-to/gpu.md"}, {"Kubectl whisper": "how-to/plugin.md"}]}


def test_runbooks_and_decisions_are_those_of_their_folders() -> None:
    assert navigation(README, PAGES)[3:] == [
        {"Runbooks": ["runbooks/README.md", "runbooks/A.md"]},
        {"Decisions": ["adr/0001-first.md", "adr/0002-second.md"]},
    ]
