"""kubectl as a person uses it, with waiting for what must become true."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Kubectl:
    command: Sequence[str]
    namespace: str = "default"

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Standard output; raises CalledProcessError, whose `stderr` says what the API server answered."""
        done = subprocess.run(
            (*self.command, *arguments), input=stdin, capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode:
            raise KubectlError(done.returncode, done.args, done.stdout, done.stderr)
        return done.stdout

    def within(self, namespace: str) -> Kubectl:
        return Kubectl((*self.command, "--namespace", namespace), namespace)

    def apply(self, *manifests: Manifest) -> None:
        self("apply", "-f", "-", stdin=yaml.safe_dump_all(manifests))

    def get(self, kind: str, name: str) -> Manifest | None:
        found = self("get", kind, name, "-o", "json", "--ignore-not-found")
        return json.loads(found) if found else None

    def get_with_managers(self, kind: str, name: str) -> Manifest:
        return json.loads(self("get", kind, name, "-o", "json", "--show-managed-fields"))

    def list(self, kinds: str, selector: str = "") -> list[Manifest]:
        return json.loads(self("get", kinds, "-o", "json", "-l", selector))["items"]

    def wait_ready(self, service: str, seconds: int = 300) -> None:
        self("wait", "--for=condition=Ready", f"wsvc/{service}", f"--timeout={seconds}s")

    def condition(self, service: str, kind: str) -> dict[str, Any]:
        """The service's condition of that type; empty when it is not there (yet)."""
        conditions = ((self.get("wsvc", service) or {}).get("status") or {}).get("conditions", [])
        return next((condition for condition in conditions if condition["type"] == kind), {})

    def settled_status(self, service: str) -> dict[str, Any] | None:
        """The service's status once it is Ready as specified and no other model is wanted; None until then."""
        body = self.get("wsvc", service)
        assert body is not None
        status, ready = body.get("status", {}), self.condition(service, "Ready")
        is_settled = (
            status.get("observedGeneration") == body["metadata"]["generation"]
            and "wanted" not in status["model"]
            and (ready.get("status"), ready.get("reason")) == ("True", "AsSpecified")
        )
        return status if is_settled else None

    def address(self, service: str) -> str:
        """The Service's cluster IP, which kube-proxy answers on the node itself."""
        found = self.get("service", service)
        assert found is not None
        return f"http://{found['spec']['clusterIP']}"


class KubectlError(subprocess.CalledProcessError):
    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.stdout}{self.stderr}"


def eventually(what: str, holds: Callable[[], object], seconds: float = 60) -> float:
    """Seconds until `holds()` is true; fails the test, naming `what`, when it is not within `seconds`."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - started
