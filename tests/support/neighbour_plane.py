"""A real API server without nodes, where a runtime process on this machine stands for a service's pods."""

from __future__ import annotations

import socket
from typing import Any

import httpx

from testbed.runtime_process import RuntimeProcess
from tests.support import plain_http
from tests.support.kubectl import Kubectl
from tests.support.kubelet import create_pod
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.config import ENV_NAMES, RuntimeConfig

TRANSCRIPTIONS = "/v1/audio/transcriptions"


def own_address() -> str:
    """This machine's address: an EndpointSlice may not name one of the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connected:
        connected.connect(("192.0.2.1", 9))  # sends nothing
        return connected.getsockname()[0]


def runtime_settings(namespace: Kubectl, name: str) -> dict[str, Any]:
    """The limits that the operator gives to the service's pods, as fields of RuntimeConfig."""
    eventually("the Deployment is there", lambda: namespace.get("deployment", name))
    (container,) = (namespace.get("deployment", name) or {})["spec"]["template"]["spec"]["containers"]
    env = {one["name"]: one["value"] for one in container["env"] if one["name"] in ENV_NAMES and "value" in one}
    found = RuntimeConfig.from_env(env).model_dump(exclude_defaults=True)
    return {
        name: value for name, value in found.items() if name.startswith(("max_", "request_", "probes_", "trusted_"))
    }


def transcribe(url: str, recording: bytes, host: str = "", **more: str) -> httpx.Response:
    """The answer to a recording in WAV that is sent as OpenAI's clients do; `host`: that a proxy routes by."""
    headers = {"Host": host} if host else {}
    files = {"file": ("speech.wav", recording)}
    form = {"model": "whisper-1", **more}
    return plain_http.post(f"{url}{TRANSCRIPTIONS}", files=files, data=form, headers=headers, timeout=120)


def pod_name(service: str) -> str:
    """The pod that the runtime stands for. Prometheus asks the API server for it, and labels what it scrapes by it."""
    return f"{service}-stand-in"


def stand_in(namespace: Kubectl, name: str, runtime: RuntimeProcess) -> None:
    """Makes the runtime the only pod behind the service's two Services, as a ready pod would be."""
    create_pod(namespace, pod_name(name), {})
    for service, port_name, port in (
        (name, "http", runtime.port),
        (f"{name}-metrics", "metrics", runtime.metrics_port),
    ):
        eventually(f"the Service {service} is there", lambda service=service: namespace.get("service", service))
        (wanted,) = (namespace.get("service", service) or {})["spec"]["ports"]
        assert wanted["name"] == port_name
        pod = {"kind": "Pod", "name": pod_name(name), "namespace": namespace.namespace}
        namespace.apply(behind(service, port_name, port, targetRef=pod))


def behind(service: str, port_name: str, port: int, **endpoint: Any) -> Manifest:
    """This machine as the only pod behind that Service, as the EndpointSlice controller writes it of pods on nodes."""
    conditions = {"ready": True, "serving": True}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [own_address()], "conditions": conditions, **endpoint}],
        "ports": [{"name": port_name, "port": port, "protocol": "TCP"}],
    }
