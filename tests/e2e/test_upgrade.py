"""From the previous release to this one: nobody's pod is restarted, no Deployment is written to."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed import audit
from testbed.cluster import images
from testbed.demo import platform
from testbed.images import previous
from tests.support import gpus
from tests.support.kubectl import Kubectl
from tests.support.leaving import all_pods_leave
from tests.support.services import mirrored_service
from tests.support.waiting import eventually

pytestmark = pytest.mark.long

OPERATOR = f"system:serviceaccount:{platform.NAMESPACE}:{platform.RELEASE}"
EARLIER_IMAGE = "localhost/whisper-runtime:previous"
SETTLED_SECONDS = 10
SERVICES = (
    mirrored_service("plain", ingress={"className": "nginx", "host": "plain.example.com"}),
    mirrored_service("calls", rollout={"drainTimeout": "30s"}, **gpus.ON_CPU),
    mirrored_service(
        "scaled",
        autoscaling={"minReplicas": 1, "maxReplicas": 2},
        auth={"secretRef": {"name": "keys"}},
        cache={"type": "EmptyDir"},
        rollout={"strategy": "Replace"},
    ),
)


@pytest.fixture(scope="module")
def previous_release() -> Iterator[None]:
    """The previous release in this one's place, and its pods with another name for their image than the default now."""
    release = previous.ensure()
    images.ctr("images", "tag", "--force", platform.images()["runtime"], EARLIER_IMAGE)
    try:
        upgrade(release.chart, operator=release.operator_image, runtime=EARLIER_IMAGE)
        yield
    finally:
        upgrade()


def upgrade(chart: Path = platform.CHART, **other_images: str) -> None:
    subprocess.run(platform.helm_upgrade(chart, **other_images), check=True, capture_output=True)


@pytest.fixture(scope="module")
def running(kubectl: Kubectl, namespace: Kubectl, previous_release: None) -> Iterator[Kubectl]:
    """Services that the previous release made, Ready."""
    with gpus.offered(kubectl, 1):
        namespace("create", "secret", "generic", "keys", "--from-literal=team=open-sesame")
        namespace.apply(*SERVICES)
        for service in SERVICES:
            namespace.wait_ready(service["metadata"]["name"])
        yield namespace
        namespace("delete", "wsvc", "--all")
        all_pods_leave(namespace)


def lives(kubectl: Kubectl) -> dict[str, tuple[str, int]]:
    """When each pod started, and how often its containers did, by its name."""
    return {
        pod["metadata"]["name"]: (
            pod["status"]["startTime"],
            sum(status["restartCount"] for status in pod["status"]["containerStatuses"]),
        )
        for pod in kubectl.list("pods", "app.kubernetes.io/component=server")
    }


def specs(kubectl: Kubectl) -> dict[str, dict[str, Any]]:
    return {body["metadata"]["name"]: body["spec"] for body in kubectl.list("deployments")}


def test_no_pod_restarts_and_a_deployment_gets_one_annotation_at_most(running: Kubectl, audit_log: Path) -> None:
    """The annotation is the model that serves, which a release before this one did not note down."""
    pods, deployments, since = lives(running), specs(running), audit_log.stat().st_size
    assert len(pods) == len(SERVICES)
    upgrade()
    eventually("this release has judged every service", lambda: all(map(is_judged, running.list("wsvc"))), 120)
    time.sleep(SETTLED_SECONDS)
    assert lives(running) == pods
    assert specs(running) == deployments
    written = [one for one in audit.requests(audit_log, OPERATOR, since) if one.verb in audit.WRITES]
    changed = [one.name for one in written if one.resource == "deployments"]
    assert sorted(changed) == sorted(set(changed))
    assert all(body["status"]["conditions"][0]["status"] == "True" for body in running.list("wsvc"))


def is_judged(body: dict[str, Any]) -> bool:
    """Whether this release has written the status: it alone tells why pods are replaced as they are."""
    conditions = {condition["type"] for condition in body["status"]["conditions"]}
    return "reason" in body["status"]["rollout"] and "RuntimeUpdateAvailable" in conditions
