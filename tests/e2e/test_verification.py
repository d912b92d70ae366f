"""The verification Job against real pods: what it measures, and that pods which are to have no way out have none.

Services that limit their clients, or have a language that is not the clip's, are proven like any other; all start
together, for each proof waits for minutes.

The network of this cluster enforces no NetworkPolicy, as that of many does. What one would do that enforces them, the
node's own packet filter does to a single pod.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from testbed.cluster.network import POD_NETWORK
from testbed.demo import speech
from tests.support.kubectl import Kubectl
from tests.support.processor import PRECISIONS
from tests.support.services import mirrored_model, mirrored_service
from tests.support.waiting import eventually

NAME: Final = "shut-in"
VERIFY_JOBS: Final = f"whisper-operator.io/service={NAME},app.kubernetes.io/component=verify"
SIDE_BY_SIDE: Final = {"verification": {}, "resources": {"requests": {"cpu": "200m", "memory": "1Gi"}}}
"""Three servers fit on the node."""
PROVEN: Final = {
    "limited": mirrored_service("limited", rateLimit={}, **SIDE_BY_SIDE),
    "german": mirrored_service("german", "base", language="de", **SIDE_BY_SIDE),
}
PROOF_SECONDS: Final = 600
"""A client of ten requests in a minute takes two minutes for all that a verification asks, beside fetch and start."""


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    isolated = mirrored_service(NAME, networkPolicy={}, computeType=PRECISIONS[-1], **SIDE_BY_SIDE)
    namespace.apply(isolated, *PROVEN.values())
    return namespace


def checks(kubectl: Kubectl, name: str = NAME) -> dict[str, dict[str, Any]]:
    found = (kubectl.get("wsvc", name) or {}).get("status", {}).get("verification", {}).get("checks", [])
    return {check["name"]: check for check in found}


def server(kubectl: Kubectl) -> dict[str, Any]:
    """The only pod that serves, or starts to."""
    return kubectl.pods_of(NAME)[0]


@contextmanager
def shut_in(address: str) -> Iterator[None]:
    """The pod of that address may open no connection but to pods, among which is the cluster's DNS."""
    rules = [
        ("PREROUTING", "-s", address, "!", "-d", POD_NETWORK, "-p", "tcp", "--syn", "-j", "DROP"),
        ("PREROUTING", "-s", address, "!", "-d", POD_NETWORK, "-p", "udp", "!", "--dport", "53", "-j", "DROP"),
    ]
    with ExitStack() as undo:
        for rule in rules:
            subprocess.run(("iptables", "-t", "raw", "-I", *rule), check=True)
            undo.callback(subprocess.run, ("iptables", "-t", "raw", "-D", *rule), check=True)
        yield


def test_a_network_that_enforces_no_policy_is_found_out(service: Kubectl) -> None:
    ready: set[str | None] = set()

    def is_refused() -> bool:
        ready.add(service.condition(NAME, "Ready").get("status"))
        return service.condition(NAME, "Verified").get("status") == "False"

    eventually("it is verified", is_refused, PROOF_SECONDS)
    assert ready <= {None, "False"}  # neither while the Job tries once more
    assert [name for name, check in checks(service).items() if not check["passed"]] == ["no-way-out"]
    assert "the cluster's network enforces no NetworkPolicy" in service.condition(NAME, "Verified")["message"]
    assert service.condition(NAME, "Ready")["status"] == "False"


def test_where_pods_have_no_way_out_they_start_serve_and_are_verified(service: Kubectl, recordings: Path) -> None:
    before = server(service)["metadata"]["name"]
    service("delete", "pod", before, "--wait=true")
    eventually("the new pod has an address", lambda: server(service)["status"].get("podIP"), 60)
    with shut_in(server(service)["status"]["podIP"]):
        service("wait", "--for=condition=Available", f"deployment/{NAME}", "--timeout=300s")
        assert "country" in speech.transcribe(service.address(NAME), recordings / "jfk.wav")["text"]
        service("delete", "job", "-l", VERIFY_JOBS, "--wait=true")
        eventually("it is verified", lambda: service.condition(NAME, "Verified").get("status") == "True", PROOF_SECONDS)
    assert checks(service)["no-way-out"]["passed"]
    assert checks(service)["not-root"]["message"] == "runs as user 65532"
    service.wait_ready(NAME)


def test_status_has_what_was_measured(service: Kubectl) -> None:
    body = service.get("wsvc", NAME)
    assert body is not None
    status = body["status"]
    assert status["model"]["digest"].endswith(mirrored_model("tiny.en")["source"]["sha256"])
    assert (status["performance"]["device"], status["performance"]["computeType"]) == ("cpu", PRECISIONS[-1])
    assert min(status["performance"][name] for name in ("loadSeconds", "realtimeFactor", "p95Seconds")) > 0
    assert checks(service)["transcribes"]["message"].startswith("word error rate ")


@pytest.mark.parametrize("name", PROVEN)
def test_it_becomes_ready_by_its_own_proof(service: Kubectl, name: str) -> None:
    service.wait_ready(name, PROOF_SECONDS)
    assert service.condition(name, "Verified")["status"] == "True"
    assert [check for check, found in checks(service, name).items() if not found["passed"]] == []


def test_the_proof_of_a_service_with_a_language_holds_it_to_that_language(service: Kubectl) -> None:
    service.wait_ready("german", PROOF_SECONDS)
    assert checks(service, "german")["language"]["message"] == "de, as configured"
