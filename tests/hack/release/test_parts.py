"""The parts of a release, made from this checkout and from images of a few bytes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from hack.release import locked, parts
from hack.release.krew import KrewPlatform
from hack.release.version import version
from testbed.images.recipe import RECIPES
from testbed.paths import REPOSITORY
from tests.hack.release.oci_layout import BASE, distribution, write

MODIFIED = 1_764_000_000


def test_the_distributions_are_the_same_each_time_and_hold_the_packages_alone(tmp_path: Path) -> None:
    for name in ("once", "again"):
        parts.distributions(tmp_path / name, MODIFIED)
    wheel, source = f"whisper_operator-{version()}-py3-none-any.whl", f"whisper_operator-{version()}.tar.gz"
    for name in (wheel, source):
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert {file.name for file in (tmp_path / "once").iterdir()} == {wheel, source}
    shutil.unpack_archive(tmp_path / "once" / source, tmp_path)
    entries = {entry.name for entry in (tmp_path / source.removesuffix(".tar.gz")).iterdir()}
    assert entries >= {"operator", "plugin", "runtime", "LICENSE", "README.md", "pyproject.toml"}
    assert not entries & {"tests", "docs", "testbed"}


def test_each_image_has_its_digest_and_its_sbom(tmp_path: Path) -> None:
    for recipe in RECIPES:
        assert (REPOSITORY / "hack/requirements" / parts.LOCKS[recipe.name]).name in "".join(recipe.inputs)
    references = {"whisper-operator": "localhost/whisper-operator:1", "whisper-runtime": "localhost/whisper-runtime:2"}
    layers = {
        reference: [
            BASE,
            dict.fromkeys(
                distribution(*one) for one in locked.hashes(REPOSITORY / "hack/requirements" / parts.LOCKS[name])
            ),
        ]
        for name, reference in references.items()
    }
    layout = write(
        tmp_path / "oci",
        {ref: [{k: v or "" for k, v in one.items()} for one in files] for ref, files in layers.items()},
    )
    (tmp_path / "release").mkdir()
    parts.images(tmp_path / "release", layout, references, MODIFIED)
    digests = {one["digest"] for one in json.loads((layout / "index.json").read_text())["manifests"]}
    pinned = (tmp_path / "release/images.txt").read_text().splitlines()
    assert {one.partition("@")[2] for one in pinned} == digests
    for name in references:
        body = json.loads((tmp_path / "release" / f"{name}-{version()}.cdx.json").read_text())
        assert {"libc6", "pydantic"} <= {one["name"] for one in body["components"]}


def test_the_plugin_has_its_archive_beside_the_manifest(tmp_path: Path) -> None:
    parts.plugin(tmp_path, MODIFIED, [KrewPlatform("darwin", "arm64", "aarch64-apple-darwin")], ["3.12"])
    (platform,) = yaml.safe_load((tmp_path / "whisper.yaml").read_text())["spec"]["platforms"]
    assert (tmp_path / platform["uri"].rpartition("/")[2]).exists()


@pytest.mark.parametrize(
    ("heading", "says"),
    [(f"## [{version()}] - 2026-01-31", "A defect."), ("## [0.0.1] - 2026-01-31", "A thing.")],
)
def test_the_notes_are_the_versions_or_what_is_to_come(tmp_path: Path, heading: str, says: str) -> None:
    text = f"# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n{heading}\n\n### Fixed\n\n- A defect.\n"
    parts.notes(tmp_path, text)
    assert says in (tmp_path / parts.NOTES).read_text()
