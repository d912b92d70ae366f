"""CHANGELOG.md in the form of https://keepachangelog.com/en/1.1.0, read into its versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from hack.release.version import SEMANTIC

UNRELEASED: Final = "Unreleased"
GROUPS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""Headings of a version's changes, in the order that the form gives them."""


class MalformedChangelog(ValueError):
    """The changelog is not in its form; the message names the heading."""


@dataclass(frozen=True)
class ReleaseSection:
    """What one version changed."""

    version: str
    """Or UNRELEASED."""
    released: date | None
    """None: not yet."""
    groups: dict[str, str]
    """Entries, by their heading of GROUPS."""

    def notes(self) -> str:
        """As a release is announced: the groups without the version's own heading."""
        return "\n".join(f"## {group}\n\n{entries}\n" for group, entries in self.groups.items())


def parse(text: str) -> list[ReleaseSection]:
    """The versions, newest first, of which the first is UNRELEASED. Raises MalformedChangelog."""
    title, *parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    if not title.startswith("# Changelog\n"):
        raise MalformedChangelog("the first line is not `# Changelog`")
    sections = [_section(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
    if not sections or sections[0].version != UNRELEASED:
        raise MalformedChangelog(f"the first heading is not `## [{UNRELEASED}]`")
    dates = [one.released for one in sections[1:] if one.released]
    if dates != sorted(dates, reverse=True):
        raise MalformedChangelog("the versions are not newest first")
    return sections


def _section(heading: str, body: str) -> ReleaseSection:
    version, released = _of_heading(heading)
    before, *parts = re.split(r"^### (.*)\n", body, flags=re.MULTILINE)
    groups = {name: entries.strip() for name, entries in zip(parts[::2], parts[1::2], strict=True)}
    if wrong := [name for name in parts[::2] if name not in GROUPS or parts[::2].count(name) > 1]:
        raise MalformedChangelog(f"`## {heading}`: `### {wrong[0]}` is none of {', '.join(GROUPS)}, or stands twice")
    if before.strip():
        raise MalformedChangelog(f"`## {heading}` has text that is under no `###`")
    if empty := [name for name, entries in groups.items() if not entries.startswith("- ")]:
        raise MalformedChangelog(f"`## {heading}`: `### {empty[0]}` is no list")
    return ReleaseSection(version, released, groups)


def _of_heading(heading: str) -> tuple[str, date | None]:
    if heading == f"[{UNRELEASED}]":
        return UNRELEASED, None
    found = re.fullmatch(rf"\[({SEMANTIC.pattern})\] - (\d{{4}}-\d\d-\d\d)", heading)
    if found is None:
        raise MalformedChangelog(f"`## {heading}` is not like `## [1.2.3] - 2026-01-31`")
    return found[1], date.fromisoformat(found[2])
