"""What an image of an OCI layout holds: Debian's packages and Python's distributions, read from its layers."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any, Final

from testbed.images.layout import named

DPKG_STATUS: Final = "var/lib/dpkg/status"
OS_RELEASE: Final = "usr/lib/os-release"
DISTRIBUTION: Final = re.compile(r"(.*/(?:site|dist)-packages)/([\w.]+)-([\w.!+]+)\.dist-info/METADATA")
WHITEOUT: Final = ".wh."
"""https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts"""
OPAQUE: Final = ".wh..wh..opq"


class NoSuchImage(LookupError):
    """The layout has no image of that reference; the message names both."""


@dataclass(frozen=True)
class DebianPackage:
    name: str
    version: str
    architecture: str
    source: str
    """Name of the source package, by which Debian reports vulnerabilities."""


@dataclass(frozen=True)
class PythonDistribution:
    name: str
    """Normalised: https://packaging.python.org/en/latest/specifications/name-normalization/."""
    version: str
    folder: str
    """The site-packages that holds it, without a leading slash."""


@dataclass(frozen=True)
class ImageContents:
    digest: str
    """Of the manifest, `sha256:…`."""
    release: str
    """Debian's, such as 12."""
    debian: tuple[DebianPackage, ...]
    python: tuple[PythonDistribution, ...]


def read(layout: Path, reference: str) -> ImageContents:
    """The contents of the image that `layout` has under `reference`. Raises NoSuchImage."""
    digest = _digest(layout, reference)
    files = _files(layout, json.loads(_blob(layout, digest).read_text()))
    release = re.search(r'^VERSION_ID="?([^"\n]+)', files.get(OS_RELEASE, b"").decode(), re.MULTILINE)
    return ImageContents(
        digest,
        release[1] if release else "",
        tuple(_debian(files.get(DPKG_STATUS, b"").decode())),
        tuple(sorted(_python(files), key=lambda one: (one.name, one.folder))),
    )


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(layout: Path, reference: str) -> str:
    if found := named(layout).get(reference):
        return found["digest"]
    raise NoSuchImage(f"{layout} has no image {reference}: `make images`")


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")


def _files(layout: Path, manifest: dict[str, Any]) -> dict[str, bytes]:
    """Content by path of those files that say what is installed, as the layers leave them, one above the other."""
    found: dict[str, bytes] = {}
    for layer in manifest["layers"]:
        with tarfile.open(_blob(layout, layer["digest"])) as archive:
            for entry in archive:
                path = entry.name.removeprefix("./")
                folder, _, name = path.rpartition("/")
                if name.startswith(WHITEOUT):
                    gone = folder if name == OPAQUE else f"{folder}/{name.removeprefix(WHITEOUT)}".lstrip("/")
                    found = {path: kept for path, kept in found.items() if not f"{path}/".startswith(f"{gone}/")}
                elif entry.isfile() and (path in (DPKG_STATUS, OS_RELEASE) or DISTRIBUTION.fullmatch(path)):
                    content = archive.extractfile(entry)
                    found[path] = content.read() if content and not path.endswith("METADATA") else b""
    return found


def _debian(status: str) -> Iterator[DebianPackage]:
    for stanza in status.split("\n\n"):
        fields = HeaderParser().parsestr(stanza)
        if fields.get("Status", "").endswith(" installed"):
            source = fields.get("Source", fields["Package"]).split()[0]
            yield DebianPackage(fields["Package"], fields["Version"], fields["Architecture"], source)


def _python(files: dict[str, bytes]) -> Iterator[PythonDistribution]:
    for path in files:
        if found := DISTRIBUTION.fullmatch(path):
            yield PythonDistribution(normalized(found[2]), found[3], found[1])
