"""The site's navigation, which follows from docs/README.md and the folders: there is no second list. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

HOME: Final = "README.md"
FOLDERS: Final = {"Runbooks": "runbooks", "Decisions": "adr"}
"""Folders whose pages are read in their order, of which docs/README.md names the first alone."""
LINK: Final = re.compile(r"\[([^\]]+)\]\(([^)#\s]+\.md)\)")

NavigationEntry = Mapping[str, "str | list[NavigationEntry]"] | str


def navigation(readme: str, pages: Iterable[str]) -> list[NavigationEntry]:
    """Entries as mkdocs' `nav` has them, of the text of docs/README.md and the paths of all `pages` below docs.

    Pages of the opening come first, then a group for each heading that has a list of pages, then FOLDERS.
    """
    opening, *parts = re.split(r"^## (.*)\n", readme, flags=re.MULTILINE)
    entries: list[NavigationEntry] = [{"Home": HOME}, *_links(opening)]
    for heading, body in zip(parts[::2], parts[1::2], strict=True):
        found = [one for one in _links(body) if not next(iter(one.values())).startswith(tuple(FOLDERS.values()))]
        if found:
            entries.append({heading.rstrip(" …"): [*found]})
    for title, folder in FOLDERS.items():
        entries.append({title: [*_in_order(page for page in pages if page.startswith(f"{folder}/"))]})
    return entries


def _in_order(pages: Iterable[str]) -> list[str]:
    """By name, but the folder's own page first."""
    return sorted(pages, key=lambda page: (not page.endswith(HOME), page))


def _links(text: str) -> list[dict[str, str]]:
    """Title and path of each page of docs that the text links to, in its order."""
    return [
        {title.replace("`", "")[0].upper() + title.replace("`", "")[1:]: path}
        for title, path in LINK.findall(text)
        if not path.startswith("../")
    ]
