"""The pure parts of the cluster's tooling, and what must not go wrong on somebody's machine."""

from __future__ import annotations

import hashlib
import http.server
import os
import random
import socket
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from testbed.cluster import binaries, controlplane, network, process, release
from testbed.cluster.tools import TOOLS, GoTool, ReleaseAsset

RULES = """\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
:CNI-0123 - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A PREROUTING -j DOCKER
-A POSTROUTING -s 10.244.0.5/32 -j CNI-0123
-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-1
COMMIT
"""


def test_only_a_clusters_chains_are_taken_away() -> None:
    assert network.without_our_chains(RULES) == (
        "*nat\n:PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n-A PREROUTING -j DOCKER\nCOMMIT\n"
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A directory, and the URL under which it is served."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def publish(directory: Path, name: str, content: bytes, sha256: str | None = None) -> None:
    (directory / name).write_bytes(content)
    (directory / f"{name}.sha256").write_text(sha256 or hashlib.sha256(content).hexdigest())


def test_a_release_is_taken_when_its_checksum_is_right(served: tuple[Path, str]) -> None:
    directory, url = served
    publish(directory, "etcd", b"binary")
    assert release.download(ReleaseAsset(f"{url}/etcd", f"{url}/etcd.sha256"), directory / "found")
    assert (directory / "found").read_bytes() == b"binary"
    assert os.access(directory / "found", os.X_OK)


def test_a_release_in_a_tarball(served: tuple[Path, str]) -> None:
    directory, url = served
    (directory / "helm").write_bytes(b"binary")
    with tarfile.open(directory / "helm.tar.gz", "w:gz") as archive:
        archive.add(directory / "helm", "linux-amd64/helm")
    publish(directory, "helm.tar.gz", (directory / "helm.tar.gz").read_bytes())
    found = ReleaseAsset(f"{url}/helm.tar.gz", f"{url}/helm.tar.gz.sha256", "linux-amd64/helm")
    assert release.download(found, directory / "found")
    assert (directory / "found").read_bytes() == b"binary"


def test_a_wrong_checksum_ends_it(served: tuple[Path, str]) -> None:
    directory, url = served
    publish(directory, "etcd", b"binary", sha256="0" * 64)
    with pytest.raises(SystemExit, match="does not name"):
        release.download(ReleaseAsset(f"{url}/etcd", f"{url}/etcd.sha256"), directory / "found")
    assert not (directory / "found").exists()


def test_a_release_that_cannot_be_reached_is_no_error(tmp_path: Path) -> None:
    nowhere = ReleaseAsset("http://release.invalid/etcd", "http://release.invalid/etcd.sha256")
    assert release.download(nowhere, tmp_path / "found") is False


def test_the_machines_binary_counts_only_in_the_pinned_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = TOOLS["kubectl"]
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    for version, counts in (("v1.32.4", False), (tool.version, True)):
        (tmp_path / "kubectl").write_text(f"#!/bin/sh\necho Client Version: {version}\n")
        (tmp_path / "kubectl").chmod(0o755)
        assert (binaries.on_machine(tool) == tmp_path / "kubectl") is counts


def test_a_tools_key_follows_what_it_is_built_from() -> None:
    assert TOOLS["kubelet"].key != GoTool("kubelet", "etcd", "", TOOLS["kubelet"].version).key


def test_a_foreign_process_of_the_same_pid_is_not_touched(tmp_path: Path) -> None:
    with subprocess.Popen(("sleep", "60")) as foreign:
        (tmp_path / "pid").mkdir()
        (tmp_path / "pid/etcd").write_text(f"{foreign.pid} 1")
        process.stop(tmp_path, "etcd")
        assert foreign.poll() is None
        foreign.kill()


def test_a_component_is_stopped_and_its_end_is_told(tmp_path: Path) -> None:
    process.start(tmp_path, "sleeper", ("sleep", "60"))
    assert process.is_running(tmp_path, "sleeper")
    process.stop(tmp_path, "sleeper")
    assert not process.is_running(tmp_path, "sleeper")
    process.start(tmp_path, "failing", ("sh", "-c", "echo no such flag; exit 1"))
    with pytest.raises(process.ComponentFailed, match="no such flag"):
        process.wait(tmp_path, "failing", "it answers", lambda: False)


def test_a_port_that_is_taken_on_one_address_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kubelet's, on the node's address: a server that listens on all addresses would not start."""
    (free,) = controlplane.free_ports(1)
    with socket.create_server(("127.0.0.2", 0)) as elsewhere:
        taken = elsewhere.getsockname()[1]
        monkeypatch.setattr(random, "sample", lambda *_: [taken, free])
        assert controlplane.free_ports(1) == [free]
