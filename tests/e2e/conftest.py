"""The whole, on the real cluster that `make test` brings up: through kubectl and HTTP only."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.demo import platform
from tests.support.kubectl import Kubectl, kubectl_of
from tests.support.leaving import all_pods_leave

RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    if not platform.KUBECONFIG.exists():
        pytest.fail("no cluster is up: `make test` brings one up, or run `python3 -m testbed.demo platform` first")
    return kubectl_of(platform.KUBECONFIG)


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    return platform.images()


@pytest.fixture(scope="session")
def audit_log() -> Path:
    """The API server's own account of every request."""
    return platform.KUBECONFIG.parent / "audit.log"


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[Kubectl]:
    """kubectl in a fresh namespace that enforces the restricted Pod Security Standard; removed afterwards."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, RESTRICTED)
    within = kubectl.within(name)
    yield within
    # Pods first: the namespace controller looks again only after half of their grace period, minutes.
    within("delete", "wsvc", "--all")
    all_pods_leave(within)
    kubectl("delete", "namespace", name, "--wait=true", "--timeout=120s")


@pytest.fixture(scope="session", autouse=True)
def _operator_is_up(kubectl: Kubectl) -> None:
    try:
        kubectl("-n", platform.NAMESPACE, "rollout", "status", "deployment", platform.RELEASE, "--timeout=60s")
    except subprocess.CalledProcessError as error:
        pytest.fail(f"the operator is not up: {error.stderr}")
