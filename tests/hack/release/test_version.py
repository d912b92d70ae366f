"""The version has one place, and no other place says another."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hack.release import version
from testbed.paths import REPOSITORY


@pytest.mark.parametrize("place", version.PLACES)
def test_every_place_has_the_distributions_version(place: str) -> None:
    assert set(version.written()[place]) == {version.version()}


def test_no_page_names_an_image_of_a_version_without_being_a_place() -> None:
    image = re.compile(r"(?:registry\.example\.com|ghcr\.io/whisper-operator)/whisper-(?:operator|runtime):\d")
    pages = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("examples/**/*.yaml")]
    named = {page.relative_to(REPOSITORY).as_posix() for page in pages if image.search(page.read_text())}
    assert named - version.PLACES.keys() == set()


def test_a_new_version_is_written_to_every_place_and_nothing_else_changes(tmp_path: Path) -> None:
    for place in version.PLACES:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / place, tmp_path / place)
    version.write("12.3.4-rc.1", tmp_path)
    assert {one for found in version.written(tmp_path).values() for one in found} == {"12.3.4-rc.1"}
    version.write(version.version(), tmp_path)
    for place in version.PLACES:
        assert (tmp_path / place).read_text() == (REPOSITORY / place).read_text()


@pytest.mark.parametrize("wrong", ["", "v1.2.3", "1.2", "1.2.3+build", "1.2.3\n"])
def test_what_is_no_version_is_refused(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is not like"):
        version.write(wrong, tmp_path)
