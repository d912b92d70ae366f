"""The whole, on the real cluster that `make test` brings up: through kubectl and HTTP only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.demo import platform
from tests.support import real_cluster
from tests.support.kubectl import Kubectl


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    return real_cluster.running()


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    return platform.images()


@pytest.fixture(scope="session")
def audit_log() -> Path:
    """The API server's own account of every request."""
    return platform.KUBECONFIG.parent / "audit.log"


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[Kubectl]:
    with real_cluster.fresh_namespace(kubectl) as within:
        yield within


@pytest.fixture(scope="session", autouse=True)
def _operator_is_up(kubectl: Kubectl) -> None:
    real_cluster.wait_for_operator(kubectl)
