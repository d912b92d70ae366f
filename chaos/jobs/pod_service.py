"""A service of one real pod that keeps its jobs on a small disk, tells a receiver of their ends, and is disturbed."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.fakes.webhook_receiver import SECRET, WebhookReceiver, receiving
from tests.support import plain_http
from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

NAME: Final = "keeper"
TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
FORM: Final = {"model": "whisper-1", "language": "en"}
DISK: Final = "size=64m,mode=1777"
"""Of the tmpfs that is the jobs' volume."""
FILLER: Final = "filler"
OF_A_POD: Final = "x-request-id"
"""A header that each answer of the runtime has."""
SECONDS: Final = 300
"""The longest that anything takes."""


@dataclass(frozen=True)
class PodService:
    kubectl: Kubectl
    disk: Path
    receiver: WebhookReceiver
    hook: str
    """The URL of the receiver, as pods have it."""

    @property
    def url(self) -> str:
        return self.kubectl.address(NAME)

    @property
    def pods(self) -> list[str]:
        """Names of the pods that serve, or are to."""
        return [pod["metadata"]["name"] for pod in self.kubectl.pods_of(NAME)]

    def wait_ready(self) -> None:
        self.kubectl.wait_ready(NAME, SECONDS)

    def get(self, path: str) -> httpx.Response | None:
        """The answer, as a client sees it that goes on asking: None while no pod answers.

        When a Service gets its first endpoint, kube-proxy takes a rule of one table away before it writes the other's:
        what is asked in between leaves the node, and may be answered by whoever is there.
        """
        try:
            answer = plain_http.get(f"{self.url}{path}", timeout=30)
        except httpx.TransportError:
            return None
        return answer if answer.status_code < 500 and OF_A_POD in answer.headers else None

    def answered(self, path: str) -> httpx.Response:
        """The same, once a pod answers."""
        found: list[httpx.Response] = []

        def is_there() -> bool:
            found[:] = [answer] if (answer := self.get(path)) else []
            return bool(found)

        eventually(f"{path} is answered", is_there, SECONDS)
        assert found[0].status_code == 200, (path, found[0], dict(found[0].headers), found[0].text)
        return found[0]

    def fill(self) -> None:
        """Leaves no byte of the disk."""
        with (self.disk / FILLER).open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self) -> None:
        (self.disk / FILLER).unlink(missing_ok=True)

    def stored_files(self) -> list[str]:
        """What recordings, results and uploaded files there are."""
        return [str(file) for folder in self.disk.rglob("files") if folder.is_dir() for file in folder.iterdir()]


@contextmanager
def serving(kubectl: Kubectl, directory: Path) -> Generator[PodService]:
    """The service, ready, until the block ends."""
    node = kubectl.list("nodes")[0]
    (address,) = [one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP"]
    claim = f"{kubectl.namespace}-jobs"
    host = f"hooks.{kubectl.namespace}.svc.cluster.local"
    with _mounted(directory / "disk") as disk, receiving(host="0.0.0.0") as receiver:
        port = int(receiver.url.rpartition(":")[2])
        kubectl.apply(*_volume(claim, disk, node["metadata"]["labels"]["kubernetes.io/hostname"]))
        kubectl.apply(*_named(address, port), _secret())
        webhooks = {
            "allowedHosts": [f"http://{host}:{port}"],
            "privateNetworks": [f"{address}/32"],
            "secretRef": {"name": "signing"},
        }
        kubectl.apply(mirrored_service(NAME, jobs={"storage": {"existingClaim": claim}, "webhooks": webhooks}))
        found = PodService(kubectl, disk, receiver, f"http://{host}:{port}")
        found.wait_ready()
        yield found
        kubectl("delete", "wsvc", NAME, "--wait=true")
        kubectl("delete", "pvc", claim, "--wait=true")
        kubectl("delete", "pv", claim, "--wait=true")


@contextmanager
def _mounted(path: Path) -> Generator[Path]:
    path.mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(path)), check=True)
    try:
        yield path
    finally:
        subprocess.run(("umount", "--lazy", str(path)), check=True)


def _volume(name: str, path: Path, node: str) -> list[Manifest]:
    """A directory of the node as a volume, and the claim of its name."""
    is_node = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    common: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "storageClassName": name}
    volume = common | {
        "capacity": {"storage": "1Gi"},
        "local": {"path": str(path)},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [is_node]}},
    }
    claim = common | {"resources": {"requests": {"storage": "1Gi"}}}
    return [
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": volume},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": claim},
    ]


def _named(address: str, port: int) -> list[Manifest]:
    """A name in the cluster for what listens at the node's address: webhooks go to names alone."""
    meta: dict[str, Any] = {"name": "hooks", "labels": {"kubernetes.io/service-name": "hooks"}}
    ports = [{"name": "http", "port": port}]
    slice_: Manifest = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta}
    slice_ |= {"addressType": "IPv4", "endpoints": [{"addresses": [address]}], "ports": ports}
    service: Manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hooks"}}
    service |= {"spec": {"clusterIP": "None", "ports": ports}}
    return [service, slice_]


def _secret() -> Manifest:
    data = {"key": base64.b64encode(SECRET.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "signing"}, "data": data}


def transcribed(url: str, recording: bytes) -> str:
    """The text that a request gets which waits for it."""
    answer = plain_http.post(f"{url}{TRANSCRIPTIONS}", files={"file": recording}, data=FORM, timeout=SECONDS)
    found: str = answer.raise_for_status().json()["text"]
    return found
