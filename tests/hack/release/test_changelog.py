"""CHANGELOG.md keeps the form of Keep a Changelog."""

from __future__ import annotations

from datetime import date

import pytest

from hack.release.changelog import GROUPS, UNRELEASED, MalformedChangelog, parse
from testbed.paths import REPOSITORY

HEAD = "# Changelog\n\nThe format.\n\n"
NEXT = "## [Unreleased]\n\n### Added\n\n- A thing,\n  described.\n- Another.\n\n"


def test_ours_is_in_that_form() -> None:
    first, *_ = parse((REPOSITORY / "CHANGELOG.md").read_text())
    assert first.version == UNRELEASED
    assert set(first.groups) <= set(GROUPS)


def test_a_version_has_its_day_and_its_groups() -> None:
    unreleased, released = parse(HEAD + NEXT + "## [1.2.3] - 2026-01-31\n\n### Fixed\n\n- A defect.\n")
    assert unreleased.groups == {"Added": "- A thing,\n  described.\n- Another."}
    assert (released.version, released.released) == ("1.2.3", date(2026, 1, 31))
    assert released.notes() == "## Fixed\n\n- A defect.\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Changes\n", "first line"),
        (HEAD, "first heading"),
        (HEAD + "## [1.2.3] - 2026-01-31\n", "first heading"),
        (HEAD + "## Unreleased\n", "is not like"),
        (HEAD + NEXT + "## 1.2.3\n", "is not like"),
        (HEAD + NEXT + "## [1.2.3]\n", "is not like"),
        (HEAD + NEXT + "## [1.2] - 2026-01-31\n", "is not like"),
        (HEAD + NEXT + "### New\n\n- A thing.\n", "`### New` is none of"),
        (HEAD + NEXT + "### Added\n\n- A thing.\n", "stands twice"),
        (HEAD + NEXT + "### Fixed\n\n", "is no list"),
        (HEAD + "## [Unreleased]\n\nMuch is new.\n", "under no `###`"),
        (HEAD + NEXT + "## [1.2.3] - 2026-01-31\n\n## [1.2.4] - 2026-02-28\n", "newest first"),
    ],
)
def test_what_is_not_in_that_form_is_named(text: str, says: str) -> None:
    with pytest.raises(MalformedChangelog, match=says):
        parse(text)
