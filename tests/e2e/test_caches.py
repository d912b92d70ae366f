"""One claim for several services, and for a service after another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.mirror import refusing
from tests.support.kubectl import Kubectl
from tests.support.model_mirror import from_mirror, mirrored
from tests.support.services import mirrored_service
from tests.support.waiting import eventually

pytestmark = pytest.mark.long


def test_two_services_on_one_claim_download_once(namespace: Kubectl, weights: dict[str, Path]) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shared"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    base = weights["base"].read_bytes()
    with mirrored(namespace, base) as mirror:
        source = from_mirror(mirror, base)
        both = [{**mirrored_service(name, suspend=True, cache={"existingClaim": "shared"})} for name in ("one", "two")]
        for body in both:
            body["spec"]["model"] = source
        namespace.apply(claim, *both)
        for name in ("one", "two"):
            eventually(
                f"{name} has its model",
                lambda name=name: namespace.condition(name, "ModelCached").get("status") == "True",
                300,
            )
        assert len(mirror.requests) == 1
    namespace("delete", "wsvc", "one", "two", "--wait=true")


def test_a_retained_cache_serves_a_new_service_without_one_byte_from_the_mirror(
    namespace: Kubectl, weights: dict[str, Path]
) -> None:
    tiny = weights["tiny.en"].read_bytes()
    with mirrored(namespace, tiny) as mirror:
        body = mirrored_service("kept", cache={"retention": "Retain"})
        body["spec"]["model"] = from_mirror(mirror, tiny, "tiny.en")
        namespace.apply(body)
        namespace.wait_ready("kept")
        namespace("delete", "wsvc", "kept", "--wait=true")
        eventually("its pods are gone", lambda: not namespace.list("pods", "whisper-operator.io/service=kept"), 180)
        mirror.answers, mirror.requests = [refusing(500)], []
        namespace.apply(body)
        namespace.wait_ready("kept")
        assert mirror.requests == []
    namespace("delete", "wsvc", "kept", "--wait=true")
