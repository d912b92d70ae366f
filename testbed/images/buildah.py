"""buildah, with its storage in the cache: layers are kept, so a change of code builds one small layer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from testbed.paths import CACHE, REPOSITORY

BUILDERS: Final = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}
"""Debian packages that images are built with, by the program that each brings."""
IMAGES: Final = CACHE / "images"
LAYOUT: Final = IMAGES / "oci"
"""An OCI layout that every image is pushed to: blobs that are there already are not written again."""
CERTIFICATES: Final = "/etc/ssl/certs"
_COMMAND: Final = (
    *("buildah", "--root", str(IMAGES / "storage"), "--runroot", str(IMAGES / "run")),
    *("--storage-driver", "overlay"),
)


def exists(reference: str) -> bool:
    return _run("inspect", "--type", "image", reference, check=False, capture=True).returncode == 0


def references(name: str) -> list[str]:
    """Of all images of that name."""
    found = _run("images", "--format", "{{.Name}}:{{.Tag}}", capture=True).stdout.split()
    return [reference for reference in found if reference.split(":")[0] == f"localhost/{name}"]


def layers(reference: str) -> list[str]:
    """Digests of the image's layers as they are, not compressed."""
    template = "{{range .OCIv1.RootFS.DiffIDs}}{{println .}}{{end}}"
    return _run("inspect", "--type", "image", "--format", template, reference, capture=True).stdout.split()


def remove(reference: str) -> None:
    """Removes the image, with the layers that no other image has; one that is not there is left alone.

    A build that was killed leaves a container on it, which goes, too: buildah removes no image that one stands on.
    """
    if exists(reference):
        _run("rmi", "--force", reference, capture=True)


def pull(reference: str) -> None:
    _run("pull", "--quiet", reference)


def build(reference: str, dockerfile: str, base: str, *options: str, context: Path = REPOSITORY) -> None:
    """Builds a Dockerfile of the tree `context` on `base`; the machine's certificates count in it too."""
    _run(
        "build", "--layers", "--pull=never", "--format=oci", "--network=host",
        "--build-arg", f"BASE_IMAGE={base}", "--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro",
        "--file", str(context / dockerfile), "--tag", reference, *options, str(context),
    )  # fmt: skip


def from_archive(reference: str, archive: str) -> None:
    """An image whose only layer is the tar archive."""
    container = _run("from", "scratch", capture=True).stdout.strip()
    try:
        _run("add", "--quiet", container, archive, "/")
        _run("config", "--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", container)
        _run("commit", "--quiet", container, reference)
    finally:
        _run("rm", container, capture=True)


def seed(reference: str) -> None:
    """Puts the image's layers into the layout as they are, unless all are there.

    A push finds them there; it would else compress them all, and a node would unpack them.

    buildah 1.28 compresses what it pushes to a layout, whatever it is told; to an archive it does not.
    """
    blobs = LAYOUT / "blobs/sha256"
    if all((blobs / digest.removeprefix("sha256:")).exists() for digest in layers(reference)):
        return
    blobs.mkdir(parents=True, exist_ok=True)
    command = (*_COMMAND, "push", "--quiet", reference, "docker-archive:/dev/stdout")
    with (
        subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE) as writer,
        tarfile.open(fileobj=writer.stdout, mode="r|") as archive,
    ):
        for layer in archive:
            if layer.isfile() and layer.name.endswith(".tar"):
                _write_blob(archive, layer, blobs / layer.name.removesuffix(".tar"))
    if writer.returncode:
        raise subprocess.CalledProcessError(writer.returncode, command)


def _write_blob(archive: tarfile.TarFile, layer: tarfile.TarInfo, blob: Path) -> None:
    found = archive.extractfile(layer)
    assert found is not None
    partial = blob.with_suffix(".partial")
    with partial.open("wb") as copy:
        shutil.copyfileobj(found, copy, 1 << 22)
    partial.replace(blob)


def push(reference: str) -> None:
    """Writes the image into the OCI layout under its reference."""
    LAYOUT.mkdir(parents=True, exist_ok=True)
    _run("push", "--quiet", "--disable-compression", reference, f"oci:{LAYOUT}:{reference}")


def _run(*arguments: str, check: bool = True, capture: bool = False) -> subprocess.CompletedProcess[str]:
    IMAGES.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        (*_COMMAND, *arguments), env=_environment(), check=check, text=True,
        stdout=subprocess.PIPE if capture else None, stderr=subprocess.PIPE if capture else None,
    )  # fmt: skip


def _environment() -> dict[str, str]:
    return {**os.environ, "BUILDAH_ISOLATION": "chroot"}
