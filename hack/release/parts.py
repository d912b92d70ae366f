"""The parts of a release, each written into the folder that is to be published."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from hack.release import changelog, image_contents, krew, locked, sbom
from hack.release.version import version
from testbed.paths import CACHE, REPOSITORY

REGISTRY: Final = "ghcr.io/whisper-operator"
IMAGES: Final = "images.txt"
NOTES: Final = "NOTES.md"
LOCKS: Final = {"whisper-operator": "operator.txt", "whisper-runtime": "runtime.txt"}
"""Lock below hack/requirements that an image is built from."""


def distributions(folder: Path, modified: int) -> None:
    """The wheel and the source distribution."""
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        (str(uv), "build", "--quiet", "--cache-dir", str(CACHE / "uv"), "--out-dir", str(folder), str(REPOSITORY)),
        env=os.environ | {"SOURCE_DATE_EPOCH": str(modified)},
        check=True,
    )
    (folder / ".gitignore").unlink(missing_ok=True)


def plugin(
    folder: Path,
    modified: int,
    platforms: Sequence[krew.KrewPlatform] = krew.PLATFORMS,
    pythons: Sequence[str] = krew.PYTHONS,
) -> None:
    """An archive of `kubectl whisper` for each platform, and krew's manifest of them."""
    archives = {platform: folder / platform.file_name for platform in platforms}
    for platform, file in archives.items():
        krew.package(file, platform, modified, pythons)
    body = krew.manifest(version(), archives)
    (folder / f"{krew.NAME}.yaml").write_text(yaml.safe_dump(body, sort_keys=False, width=120))


def images(folder: Path, layout: Path, references: Mapping[str, str], modified: int) -> None:
    """The digest under which each image of `layout` is to be pushed, and its SBOM.

    `references`: of the images in the layout, by name. Raises NoSuchImage or NotOfTheLock.
    """
    pinned: list[str] = []
    for name, reference in references.items():
        contents = image_contents.read(layout, reference)
        hashes = locked.hashes(REPOSITORY / "hack/requirements" / LOCKS[name])
        body = sbom.document(name, version(), contents, hashes, modified)
        (folder / f"{name}-{version()}.cdx.json").write_text(json.dumps(body, indent=1) + "\n")
        pinned.append(f"{REGISTRY}/{name}:{version()}@{contents.digest}\n")
    (folder / IMAGES).write_text("".join(pinned))


def notes(folder: Path, text: str) -> None:
    """What the changelog says of this version, or where it has no section yet, of what is unreleased."""
    sections = {section.version: section for section in changelog.parse(text)}
    section = sections.get(version(), sections[changelog.UNRELEASED])
    (folder / NOTES).write_text(section.notes())
