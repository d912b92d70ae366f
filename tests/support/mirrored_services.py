"""WhisperServices as the tests' users write them."""

from __future__ import annotations

from typing import Any

from testbed.inputs import CHECKPOINTS

Manifest = dict[str, Any]
MIRROR = "http://models.whisper-models.svc.cluster.local"


def model(name: str) -> dict[str, Any]:
    """`spec.model` from the cluster's own mirror, as an air-gapped site writes it."""
    return {"name": name, "source": {"url": f"{MIRROR}/{name}.pt", "sha256": CHECKPOINTS[name]}}


def whisper_service(name: str, model_name: str = "tiny.en", **spec: Any) -> Manifest:
    return {
        "apiVersion": "whisper-operator.io/v1alpha1",
        "kind": "WhisperService",
        "metadata": {"name": name},
        "spec": {"model": model(model_name), **spec},
    }
