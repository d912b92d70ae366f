"""containerd, the kubelet, kube-proxy and the scheduler: what makes this machine a node."""

from __future__ import annotations

import json
import socket
from typing import Any, Final

from testbed import debian
from testbed.cluster import binaries, images, network, process
from testbed.cluster.controlplane import ControlPlane, free_ports, write_kubeconfig
from testbed.paths import CACHE, CLUSTER

NAME: Final = "whisper-node"
DNS_ADDRESS: Final = "10.96.0.10"
IMAGE_STORE: Final = CACHE / "cluster-images"
"""Kept when the cluster goes down: none of the images can be pulled again."""

COMPONENTS: Final = ("containerd", "kube-scheduler", "kube-proxy", "kubelet")
"""In the order in which they start."""


def start(plane: ControlPlane) -> None:
    """Starts all of them; the node becomes Ready a little later."""
    write_kubeconfig(plane, CLUSTER / "node.kubeconfig", "node")
    start_containerd()
    load_own_images()
    programs = binaries.ensure("kube-scheduler", "kube-proxy", "kubelet")
    kubeconfig = f"--kubeconfig={CLUSTER / 'node.kubeconfig'}"
    scheduler_port, proxy_metrics, proxy_health = free_ports(3)
    process.start(
        CLUSTER,
        "kube-scheduler",
        (
            str(programs / "kube-scheduler"),
            kubeconfig,
            "--leader-elect=false",
            f"--secure-port={scheduler_port}",
            f"--authentication-kubeconfig={plane.kubeconfig}",
            f"--authorization-kubeconfig={plane.kubeconfig}",
        ),
    )
    process.start(
        CLUSTER,
        "kube-proxy",
        (
            str(programs / "kube-proxy"),
            kubeconfig,
            f"--hostname-override={NAME}",
            "--proxy-mode=iptables",
            f"--cluster-cidr={network.POD_NETWORK}",
            "--conntrack-max-per-core=0",
            f"--metrics-bind-address=127.0.0.1:{proxy_metrics}",
            f"--healthz-bind-address=127.0.0.1:{proxy_health}",
        ),
    )
    (CLUSTER / "kubelet.json").write_text(json.dumps(_kubelet_config(plane)))
    process.start(
        CLUSTER,
        "kubelet",
        (
            str(programs / "kubelet"),
            f"--config={CLUSTER / 'kubelet.json'}",
            kubeconfig,
            f"--hostname-override={NAME}",
            f"--node-ip={network.NODE_ADDRESS}",
            f"--root-dir={CLUSTER / 'kubelet'}",
            f"--cert-dir={CLUSTER / 'kubelet-pki'}",
        ),
    )


def load_own_images() -> None:
    """Imports the cluster's own two images where the node lacks them."""
    for archive, reference in zip(images.write_own(), images.own_references(), strict=True):
        if reference not in images.present():
            images.load(archive)


def start_containerd() -> None:
    network.write_cni(CLUSTER / "cni")
    (CLUSTER / "containerd.toml").write_text(_containerd_config())
    process.start(CLUSTER, "containerd", ("containerd", "--config", str(CLUSTER / "containerd.toml")))
    process.wait(CLUSTER, "containerd", "it answers", _containerd_answers)


def _containerd_answers() -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(CLUSTER / "containerd.sock"))
    except OSError:
        return False
    return True


def _containerd_config() -> str:
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""\
version = 2
root = "{IMAGE_STORE}"
state = "{CLUSTER / "containerd"}"
[grpc]
address = "{CLUSTER / "containerd.sock"}"
[{cri}]
sandbox_image = "{images.pause_reference()}"
# Where the machine may not raise OOM scores, runc would die with each sandbox.
restrict_oom_score_adj = true
[{cri}.cni]
bin_dir = "{debian.CNI_PLUGINS}"
conf_dir = "{CLUSTER / "cni/net.d"}"
[{cri}.containerd]
default_runtime_name = "runc"
[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def _kubelet_config(plane: ControlPlane) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": network.NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(plane.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CLUSTER / 'containerd.sock'}",
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "healthzPort": 0,
        # Images are loaded, not pulled: one that is collected cannot come back.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "podLogsDir": str(CLUSTER / "pod-logs"),
        "registerNode": True,
        "serializeImagePulls": False,
        "shutdownGracePeriod": "0s",
    }
