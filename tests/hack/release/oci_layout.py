"""A small OCI layout of images whose layers say what is installed."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

DPKG = """Package: adduser
Status: install ok installed
Version: 3.134
Architecture: all

Package: libc6
Status: install ok installed
Source: glibc
Version: 2.36-9+deb12u10
Architecture: amd64

Package: removed
Status: deinstall ok config-files
Version: 1
Architecture: all
"""
BASE = {"var/lib/dpkg/status": DPKG, "usr/lib/os-release": 'NAME="Debian"\nVERSION_ID="12"\n'}
VENV = "opt/venv/lib/python3.11/site-packages"


def distribution(name: str, version: str, folder: str = VENV) -> str:
    """Path that says that it is installed."""
    return f"{folder}/{name}-{version}.dist-info/METADATA"


def write(layout: Path, images: Mapping[str, list[dict[str, str]]]) -> Path:
    """Writes images, each by its layers of files, under their references; returns `layout`."""
    (layout / "blobs/sha256").mkdir(parents=True)
    manifests = [
        {
            "digest": _blob(
                layout, json.dumps({"layers": [{"digest": _blob(layout, _tar(one))} for one in layers]}).encode()
            ),
            "annotations": {"org.opencontainers.image.ref.name": reference},
        }
        for reference, layers in images.items()
    ]
    (layout / "index.json").write_text(json.dumps({"manifests": manifests}))
    return layout


def _blob(layout: Path, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(content)
    return f"sha256:{digest}"


def _tar(files: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()
