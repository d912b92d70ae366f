"""Kubernetes' own driver of dynamic resource allocation, as the kubelet's plugin on the cluster's node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from testbed.cluster import binaries, node, process
from testbed.paths import CLUSTER, KUBECONFIG
from tests.support.devices import DRIVER
from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually

NAME = "dra-test-driver"


@contextmanager
def running(kubectl: Kubectl, count: int) -> Iterator[None]:
    """Offers `count` devices on the node until the block ends, then none."""
    start(kubectl, count)
    try:
        yield
    finally:
        stop()
        kubectl("delete", "resourceslice", f"--field-selector=spec.driver={DRIVER}")
        eventually("no device is offered", lambda: not _offered(kubectl))


def start(kubectl: Kubectl, count: int) -> None:
    """Offers `count` devices, which have neither attributes nor capacity; returns once the API server has them.

    The driver writes files of CDI, which containerd reads from 1.7 on: with an earlier one the containers run all the
    same, without the variables that the files add.
    """
    kubelet = CLUSTER / "kubelet"
    (kubelet / "plugins" / DRIVER).mkdir(parents=True, exist_ok=True)
    command = (
        str(binaries.ensure(NAME) / NAME),
        "kubelet-plugin",
        f"--kubeconfig={KUBECONFIG}",
        f"--drivername={DRIVER}",
        f"--node-name={node.NAME}",
        f"--num-devices={count}",
        f"--plugin-registration-path={kubelet / 'plugins_registry'}",
        f"--datadir={kubelet / 'plugins'}",
        f"--cdi-dir={CLUSTER / 'cdi'}",
        "-v=4",
    )
    process.start(CLUSTER, NAME, command)
    process.wait(CLUSTER, NAME, "it offers its devices", lambda: _offered(kubectl) == count)


def stop() -> None:
    """Ends the driver; what it offers stays for as long as the kubelet waits for it to come back, 30 s."""
    process.stop(CLUSTER, NAME)


def _offered(kubectl: Kubectl) -> int:
    slices = kubectl.list("resourceslices")
    return sum(len(one["spec"]["devices"]) for one in slices if one["spec"]["driver"] == DRIVER)
