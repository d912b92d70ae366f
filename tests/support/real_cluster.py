"""The cluster that `python3 -m testbed.demo platform` brings up, with the operator in it."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from testbed.demo import platform
from tests.support.kubectl import Kubectl, kubectl_of
from tests.support.leaving import all_pods_leave

RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


def running() -> Kubectl:
    """kubectl on the cluster; the test fails where none is up."""
    if not platform.KUBECONFIG.exists():
        pytest.fail("no cluster is up: `make test` brings one up, or run `python3 -m testbed.demo platform` first")
    return kubectl_of(platform.KUBECONFIG)


def wait_for_operator(kubectl: Kubectl) -> None:
    """The test fails where the operator is not up within a minute."""
    try:
        kubectl("-n", platform.NAMESPACE, "rollout", "status", "deployment", platform.RELEASE, "--timeout=60s")
    except subprocess.CalledProcessError as error:
        pytest.fail(f"the operator is not up: {error.stderr}")


@contextmanager
def fresh_namespace(kubectl: Kubectl) -> Iterator[Kubectl]:
    """kubectl in a namespace that enforces the restricted Pod Security Standard; removed afterwards."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, RESTRICTED)
    within = kubectl.within(name)
    yield within
    # Pods first: the namespace controller looks again only after half of their grace period, minutes.
    within("delete", "wsvc", "--all")
    all_pods_leave(within)
    kubectl("delete", "namespace", name, "--wait=true", "--timeout=120s")
