"""The cluster's own two images, written without any image builder: the pause container, and a box of tools."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from testbed import debian
from testbed.cluster import binaries
from testbed.paths import CACHE, CLUSTER

APPLETS: Final = ("sh", "cat", "chmod", "httpd", "ls", "mkdir", "nslookup", "rm", "sleep", "wget")
IN_TOOLS: Final = ("coredns", "metrics-server", "local-path-provisioner")
ARCHIVES: Final = CACHE / "cluster-archives"


def tools_reference() -> str:
    """The image with busybox, CoreDNS, metrics-server and the volume provisioner."""
    return f"localhost/whisper-cluster-tools:{_key(_tools_files())}"


def pause_reference() -> str:
    """The image that holds a pod's namespaces: it sleeps."""
    return f"localhost/whisper-cluster-pause:{_key(_pause_files())}"


def own_references() -> tuple[str, str]:
    return tools_reference(), pause_reference()


def write_own() -> list[Path]:
    """Archives of both images, made where they are missing."""
    return [
        _archive(tools_reference(), _tools_files(), APPLETS, ["/bin/sh"]),
        _archive(pause_reference(), _pause_files(), ("sleep",), ["/bin/sleep", "infinity"]),
    ]


def ctr(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A ctr command on the cluster's containerd, in Kubernetes' namespace; raises CalledProcessError."""
    command = ("ctr", "--address", str(CLUSTER / "containerd.sock"), "--namespace", "k8s.io", *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True)


def present() -> set[str]:
    """References of the images that the node has."""
    return set(ctr("images", "list", "--quiet").stdout.split())


def load(archive: Path) -> None:
    """Imports a docker or OCI archive into the node's store."""
    ctr("images", "import", str(archive))


def _busybox() -> Path:
    debian.ensure({"busybox": "busybox-static"})
    return Path(shutil.which("busybox") or "/bin/busybox")


def _tools_files() -> dict[str, Path]:
    directory = binaries.ensure(*IN_TOOLS)
    return {"busybox": _busybox(), **{name: directory / name for name in IN_TOOLS}}


def _pause_files() -> dict[str, Path]:
    return {"busybox": _busybox()}


def _key(files: Mapping[str, Path]) -> str:
    """By size and resolved path, which carries the version: reading 200 MB for each look would cost a second."""
    parts = [f"{name}={file.resolve()}:{file.stat().st_size}" for name, file in sorted(files.items())]
    return hashlib.sha256("\n".join([*parts, *APPLETS]).encode()).hexdigest()[:12]


def _archive(reference: str, files: Mapping[str, Path], applets: Sequence[str], command: list[str]) -> Path:
    path = ARCHIVES / f"{reference.replace('/', '_').replace(':', '_')}.tar"
    if path.exists():
        return path
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    layer = _layer(files, applets)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": command, "Env": ["PATH=/bin"], "User": "65532:65532"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"]}]).encode()
    partial = path.with_suffix(".partial")
    with tarfile.open(partial, "w") as archive:
        for name, content in (("manifest.json", manifest), ("config.json", config), ("layer.tar", layer)):
            _add(archive, name, content)
    partial.rename(path)
    return path


def _layer(files: Mapping[str, Path], applets: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for directory, mode in (("bin", 0o755), ("tmp", 0o1777), ("etc", 0o755)):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            layer.addfile(entry)
        for name, file in files.items():
            _add(layer, f"bin/{name}", file.read_bytes(), mode=0o755)
        for applet in applets:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            layer.addfile(entry)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
