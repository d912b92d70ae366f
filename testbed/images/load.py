"""Images into the cluster's containerd: only the blobs that it has not got, so a change of code moves megabytes."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testbed.cluster import images
from testbed.images import buildah
from testbed.images.layout import named
from testbed.paths import CLUSTER


def load(reference: str) -> None:
    """Imports the image unless the node has it; it must have been pushed to the layout."""
    if reference in images.present():
        return
    there = set(images.ctr("content", "list", "--quiet").stdout.split())
    command = ("ctr", "--address", str(CLUSTER / "containerd.sock"), "--namespace", "k8s.io", "images", "import", "-")
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        write_archive(process.stdin, buildah.LAYOUT, reference, there)
        process.stdin.close()
        if process.wait():
            raise SystemExit(f"{reference} could not be imported")


def write_archive(stream: Any, layout: Path, reference: str, there: set[str]) -> None:
    """An OCI archive of one image of the layout, without the blobs in `there`. Raises SystemExit."""
    entry = named(layout).get(reference)
    if entry is None:
        raise SystemExit(f"{reference} has not been built: did a file of it change meanwhile? Start again")
    entry["annotations"] = {"io.containerd.image.name": reference}
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        _add(archive, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        _add(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode())
        for digest in _blobs(layout, entry["digest"]):
            if digest not in there:
                path = _path(digest)
                archive.add(layout / path, path)


def _blobs(layout: Path, digest: str) -> Iterator[str]:
    """Layers first: containerd may look at the manifest as soon as it has it."""
    manifest = json.loads((layout / _path(digest)).read_text())
    yield from (layer["digest"] for layer in manifest["layers"])
    yield manifest["config"]["digest"]
    yield digest


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
