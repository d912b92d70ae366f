"""The cluster's binaries: which, in which version, from which Go module."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.paths import REPOSITORY

KUBERNETES: Final = "v1.37.2"
ETCD: Final = "v3.7.3"
HELM: Final = "v4.3.1"

_STAMP = "k8s.io/component-base/version"
LDFLAGS: Final = (
    f"-s -w -X {_STAMP}.gitVersion={KUBERNETES} -X {_STAMP}.gitMajor=1 -X {_STAMP}.gitMinor=37"
    f" -X {_STAMP}.gitTreeState=clean"
)
"""Without the stamp Kubernetes' binaries report a placeholder as their version."""


@dataclass(frozen=True)
class ReleaseAsset:
    """URL at which the project publishes the binary, and beside it the file of its checksum."""

    url: str
    checksum_url: str
    member: str | None = None
    """Path in the tarball; None: the file is the binary itself."""


@dataclass(frozen=True)
class GoTool:
    name: str
    module: str
    """Folder of testbed/tools that pins it."""
    package: str
    version: str
    probe: tuple[str, ...] = ("--version",)
    """Arguments that print the version."""
    release: ReleaseAsset | None = None

    @property
    def source(self) -> Path:
        return REPOSITORY / "testbed/tools" / self.module

    @property
    def key(self) -> str:
        """Changes with everything that goes into the binary."""
        parts = [LDFLAGS.encode(), *(file.read_bytes() for file in sorted(self.source.iterdir()) if file.is_file())]
        return f"{self.version}-{hashlib.sha256(b'|'.join(parts)).hexdigest()[:8]}"


def _kubernetes(name: str, *probe: str) -> GoTool:
    url = f"https://dl.k8s.io/release/{KUBERNETES}/bin/linux/amd64/{name}"
    return GoTool(
        name,
        "kubernetes",
        f"k8s.io/kubernetes/cmd/{name}",
        KUBERNETES,
        probe or ("--version",),
        ReleaseAsset(url, f"{url}.sha256"),
    )


_ETCD_URL = f"https://github.com/etcd-io/etcd/releases/download/{ETCD}"
_HELM_URL = f"https://get.helm.sh/helm-{HELM}-linux-amd64.tar.gz"

TOOLS: Final = {
    tool.name: tool
    for tool in (
        GoTool(
            "etcd",
            "etcd",
            "go.etcd.io/etcd/server/v3",
            ETCD,
            ("--version",),
            ReleaseAsset(
                f"{_ETCD_URL}/etcd-{ETCD}-linux-amd64.tar.gz",
                f"{_ETCD_URL}/SHA256SUMS",
                f"etcd-{ETCD}-linux-amd64/etcd",
            ),
        ),
        _kubernetes("kube-apiserver"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kube-scheduler"),
        _kubernetes("kubelet"),
        _kubernetes("kube-proxy"),
        _kubernetes("kubectl", "version", "--client"),
        GoTool(
            "helm",
            "helm",
            "helm.sh/helm/v4/cmd/helm",
            HELM,
            ("version", "--short"),
            ReleaseAsset(_HELM_URL, f"{_HELM_URL}.sha256sum", "linux-amd64/helm"),
        ),
        GoTool("coredns", "coredns", ".", "v1.15.0"),
        GoTool("metrics-server", "metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server", "v0.9.0"),
        GoTool(
            "local-path-provisioner", "local-path-provisioner", "github.com/rancher/local-path-provisioner", "v0.0.30"
        ),
        GoTool("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok", "v0.8.0"),
        GoTool("promtool", "promtool", "github.com/prometheus/prometheus/cmd/promtool", "v0.316.0"),
        GoTool("prometheus", "prometheus", "github.com/prometheus/prometheus/cmd/prometheus", "v0.316.0"),
        GoTool("otelcol", "otelcol", ".", "v0.165.0"),
        GoTool(
            "prometheus-operator",
            "prometheus-operator",
            "github.com/prometheus-operator/prometheus-operator/cmd/operator",
            "v0.85.0",
        ),
        GoTool("cert-manager", "cert-manager", ".", "v1.21.2"),
        GoTool("source-controller", "flux", "github.com/fluxcd/source-controller", "v1.9.0"),
        GoTool("kustomize-controller", "flux", "github.com/fluxcd/kustomize-controller", "v1.9.0"),
        GoTool("keda", "keda", "github.com/kedacore/keda/v2/cmd/operator", "v2.21.0"),
        GoTool("keda-adapter", "keda", "github.com/kedacore/keda/v2/cmd/adapter", "v2.21.0"),
        GoTool("keda-admission-webhooks", "keda", "github.com/kedacore/keda/v2/cmd/webhooks", "v2.21.0"),
        GoTool("kube-router", "kube-router", "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router", "v2.1.0"),
        GoTool("dra-test-driver", "dra-test-driver", "k8s.io/kubernetes/test/e2e/dra/test-driver", KUBERNETES),
        GoTool("cyclonus", "cyclonus", "github.com/mattfenwick/cyclonus/cmd/cyclonus", "v0.5.6"),
        GoTool("registry", "registry", "github.com/distribution/distribution/v3/cmd/registry", "v3.1.2"),
        GoTool("oras", "oras", "oras.land/oras/cmd/oras", "v1.3.6"),
        GoTool("krew", "krew", "sigs.k8s.io/krew/cmd/krew", "v0.4.3"),
        GoTool("versitygw", "versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.8.0"),
    )
}
"""Tools without a release here are always built: an image's binary must not depend on the machine's libraries.

kwok simulates nodes and pods, promtool runs the alerts' tests, prometheus scrapes as prometheus-operator configures it,
otelcol passes on traces and logs, cert-manager issues certificates, source-controller and kustomize-controller apply
what a git repository has, keda scales by what keda-adapter publishes, keda-admission-webhooks judges its objects,
kube-router enforces NetworkPolicies, cyclonus says what they let through, dra-test-driver offers devices, registry
keeps OCI images, oras pushes models to it, krew installs the plugin, and versitygw is an S3 server.
"""

OF_NEIGHBOURS: Final = frozenset(
    {
        "prometheus",
        "prometheus-operator",
        "otelcol",
        "cert-manager",
        "source-controller",
        "kustomize-controller",
        "keda",
        "keda-adapter",
        "keda-admission-webhooks",
        "kube-router",
        "dra-test-driver",
        "registry",
        "oras",
        "krew",
    }
)
"""Tools of `make neighbours` alone, built when it asks for them."""
