"""The CustomResourceDefinitions of the projects that the operator works with, from their own pinned Go modules."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.cluster import golang
from testbed.locks import locked
from testbed.paths import CACHE

HOME = CACHE / "crds"


@dataclass(frozen=True)
class CrdModule:
    """Files of one Go module at one version."""

    module: str
    version: str
    sum: str
    """The module's hash, as go.sum writes it."""
    files: tuple[str, ...]


GATEWAY_API: Final = CrdModule(
    "sigs.k8s.io/gateway-api",
    "v1.5.1",
    "h1:RqVRIlkhLhUO8wOHKTLnTJA6o/1un4po4/6M1nRzdd0=",
    (
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
        "config/crd/standard/gateway.networking.k8s.io_gateways.yaml",
    ),
)
WHOLE_GATEWAY_API: Final = CrdModule(
    GATEWAY_API.module,
    GATEWAY_API.version,
    GATEWAY_API.sum,
    tuple(
        f"config/crd/standard/gateway.networking.k8s.io_{plural}.yaml"
        for plural in (
            "backendtlspolicies",
            "gatewayclasses",
            "gateways",
            "grpcroutes",
            "httproutes",
            "listenersets",
            "referencegrants",
            "tlsroutes",
        )
    ),
)
"""What a controller of Gateways needs."""
KEDA: Final = CrdModule(
    "github.com/kedacore/keda/v2",
    "v2.21.0",
    "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
    ("config/crd/bases/keda.sh_scaledobjects.yaml",),
)
WHOLE_KEDA: Final = CrdModule(
    KEDA.module,
    KEDA.version,
    KEDA.sum,
    (
        *(
            f"config/crd/bases/keda.sh_{plural}.yaml"
            for plural in ("clustertriggerauthentications", "scaledjobs", "scaledobjects", "triggerauthentications")
        ),
        "config/crd/bases/eventing.keda.sh_cloudeventsources.yaml",
        "config/crd/bases/eventing.keda.sh_clustercloudeventsources.yaml",
    ),
)
"""What KEDA watches."""
PROMETHEUS_OPERATOR: Final = CrdModule(
    "github.com/prometheus-operator/prometheus-operator",
    "v0.85.0",
    "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
    (
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
)
WHOLE_PROMETHEUS_OPERATOR: Final = CrdModule(
    PROMETHEUS_OPERATOR.module,
    PROMETHEUS_OPERATOR.version,
    PROMETHEUS_OPERATOR.sum,
    tuple(
        f"example/prometheus-operator-crd/monitoring.coreos.com_{plural}.yaml"
        for plural in ("prometheuses", "servicemonitors", "podmonitors", "probes", "prometheusrules", "scrapeconfigs")
    ),
)
"""What the Prometheus operator needs to configure a Prometheus."""
CERT_MANAGER: Final = CrdModule(
    "github.com/cert-manager/cert-manager",
    "v1.21.2",
    "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
    tuple(
        f"deploy/crds/cert-manager.io_{plural}.yaml"
        for plural in ("certificates", "certificaterequests", "issuers", "clusterissuers")
    ),
)
FLUX: Final = (
    CrdModule(
        "github.com/fluxcd/source-controller",
        "v1.9.0",
        "h1:5msg2yyjVYDULZos+2ve8MZzcSqTpusiXmrOeBhc9yY=",
        tuple(
            f"config/crd/bases/source.toolkit.fluxcd.io_{plural}.yaml"
            for plural in (
                "buckets",
                "externalartifacts",
                "gitrepositories",
                "helmcharts",
                "helmrepositories",
                "ocirepositories",
            )
        ),
    ),
    CrdModule(
        "github.com/fluxcd/kustomize-controller",
        "v1.9.0",
        "h1:WfM+bQUGUGW2qyrrTgh2bIVSZSPmc3JC7234K8NiTWQ=",
        ("config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",),
    ),
)
"""What its two controllers watch."""
SOURCES: Final = (GATEWAY_API, KEDA, PROMETHEUS_OPERATOR)


def ensure(source: CrdModule) -> list[Path]:
    """The files, downloaded by Go's module proxy where they are missing; raises RuntimeError for another hash."""
    home = HOME / f"{source.module.replace('/', '+')}-{source.version}"
    wanted = [home / Path(file).name for file in source.files]
    if all(file.exists() for file in wanted):
        return wanted
    with locked(HOME / "lock"):
        if not all(file.exists() for file in wanted):
            module = _download(source)
            home.mkdir(parents=True, exist_ok=True)
            for file, kept in zip(source.files, wanted, strict=True):
                shutil.copyfile(module / file, kept)
    return wanted


def _download(source: CrdModule) -> Path:
    """The module's folder in Go's cache."""
    command = (golang.toolchain(), "mod", "download", "-json", f"{source.module}@{source.version}")
    # Outside of any module, or Go would look the version up in that module's own requirements.
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if found["Sum"] != source.sum:
        raise RuntimeError(f"{source.module} {source.version} has the hash {found['Sum']}, and {source.sum} is pinned")
    return Path(found["Dir"])
