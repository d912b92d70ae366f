"""distribution's registry as a process, and the tools by which people push to it: oras and buildah."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from testbed.cluster import binaries, process
from testbed.cluster.controlplane import free_ports
from tests.support import plain_http
from tests.support.certificates import self_signed

NAME = "registry"
PASSWORD = "hunter2"
HTPASSWD = "me:$2b$05$7oTVi3V/zoKA5DlbsCqgee.L2XZ13/VZI7WYtB0Be5twmy4omdC2u\n"
"""`me` with that password, as `htpasswd -B` writes it."""


@contextmanager
def running(directory: Path, *, is_private: bool = False) -> Iterator[str]:
    """host:port of an empty registry; a private one has TLS, by the authority in `directory`/ca.crt, and a password."""
    (port,) = free_ports(1)
    http: dict[str, Any] = {"addr": f"127.0.0.1:{port}"}
    config: dict[str, Any] = {"version": "0.1", "storage": {"filesystem": {"rootdirectory": str(directory / "data")}}}
    if is_private:
        certificate, key = self_signed(directory)
        (directory / "htpasswd").write_text(HTPASSWD)
        http["tls"] = {"certificate": str(certificate), "key": str(key)}
        config["auth"] = {"htpasswd": {"realm": "models", "path": str(directory / "htpasswd")}}
    file = directory / "registry.yaml"
    file.write_text(yaml.safe_dump({**config, "http": http}))
    process.start(directory, NAME, (str(binaries.ensure(NAME) / NAME), "serve", str(file)))
    try:
        process.wait(directory, NAME, "it listens", lambda: _listens(port))
        yield f"127.0.0.1:{port}"
    finally:
        process.stop(directory, NAME)


def _listens(port: int) -> bool:
    try:
        return plain_http.get(f"http://127.0.0.1:{port}/v2/", timeout=5).status_code > 0
    except httpx.TransportError:
        return False


def pushed_by_oras(folder: Path, reference: str, *names: str, access: tuple[str, ...] = ("--plain-http",)) -> str:
    """Pushes these files or folders of `folder`, and returns the digest of the manifest."""
    program = str(binaries.ensure("oras") / "oras")
    command = (program, "push", *access, "--format=json", "--no-tty", reference, *names)
    pushed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return json.loads(pushed.stdout)["digest"]


def pulled_by_oras(folder: Path, reference: str, *access: str) -> None:
    """Pulls the files of an artifact into `folder`."""
    program = str(binaries.ensure("oras") / "oras")
    subprocess.run((program, "pull", *access, "--no-tty", reference), cwd=folder, check=True, capture_output=True)


def pushed_as_image(folder: Path, reference: str, scratch: Path, *options: str) -> str:
    """Builds an image that has the files of `folder` in /models, pushes it, and returns the digest of the manifest."""
    storage = ("--root", str(scratch / "root"), "--runroot", str(scratch / "run"), "--storage-driver", "vfs")

    def buildah(*arguments: str) -> str:
        command = ("buildah", *storage, *arguments)
        environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    container = buildah("from", "scratch")
    buildah("copy", container, str(folder), "/models")
    buildah("commit", "--quiet", container, reference)
    digest = scratch / "digest"
    buildah("push", "--tls-verify=false", "--digestfile", str(digest), *options, reference, f"docker://{reference}")
    return digest.read_text()
