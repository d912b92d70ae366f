"""Every version of every object of a kind in a namespace, as a watch shows them."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.kubectl import Kubectl
from whisper_operator.api.v1alpha1 import Manifest

PATHS = {"whisperservices": "/apis/whisper-operator.io/v1alpha1", "pods": "/api/v1", "events": "/api/v1"}


@dataclass(frozen=True)
class Version:
    seen: float
    """Seconds since the epoch."""
    body: Manifest

    @property
    def name(self) -> str:
        return self.body["metadata"]["name"]

    @property
    def conditions(self) -> dict[str, Manifest]:
        found = self.body.get("status", {}).get("conditions", [])
        return {condition["type"]: condition for condition in found}


@dataclass
class History:
    versions: list[Version] = field(default_factory=list)

    def of(self, name: str) -> list[Version]:
        return [version for version in self.versions if version.name == name]


@contextmanager
def watching(kubectl: Kubectl, plural: str) -> Iterator[History]:
    """The history of the namespace's objects of that kind, from now until the block ends."""
    path = f"{PATHS[plural]}/namespaces/{kubectl.namespace}/{plural}?watch=1"
    history = History()
    with subprocess.Popen((*kubectl.command, "get", "--raw", path), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = process.stdout

        def read() -> None:
            for line in lines:
                history.versions.append(Version(time.time(), json.loads(line)["object"]))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield history
        finally:
            process.terminate()
            reader.join()
