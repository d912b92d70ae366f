"""kube-router as the process of a node that enforces NetworkPolicies, and does nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from testbed import debian
from testbed.cluster import binaries, process
from testbed.cluster.controlplane import SERVICE_NETWORK, ControlPlane
from tests.support import pod_network
from tests.support.kubectl import Kubectl
from tests.support.kubelet import write_status
from whisper_operator.api.v1alpha1 import Manifest

NAME = "kube-router"
NODE = "guarded-node"


@contextmanager
def running(plane: ControlPlane, kubectl: Kubectl) -> Iterator[None]:
    """Enforces them on the node of tests/support/pod_network.py, for the pods whose status has its address."""
    debian.ensure({"ipset": "ipset", "iptables": "iptables"})
    kubectl.apply(_node())
    addresses = [{"type": "InternalIP", "address": pod_network.NODE_ADDRESS}]
    write_status(kubectl, "node", NODE, {"addresses": addresses})
    command = (
        *pod_network.inside(pod_network.NODE),
        str(binaries.ensure(NAME) / NAME),
        f"--kubeconfig={plane.kubeconfig}",
        f"--hostname-override={NODE}",
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        "--run-loadbalancer=false",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        "--health-port=0",
    )
    process.start(plane.directory, NAME, command)
    try:
        yield
    finally:
        process.stop(plane.directory, NAME)
        kubectl("delete", "node", NODE)


def _node() -> Manifest:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}, "spec": {"podCIDR": pod_network.NETWORK}}
