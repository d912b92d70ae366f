"""The CustomResourceDefinitions of others whose kinds are children of a WhisperService, from their own Go modules."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.cluster import golang


@dataclass(frozen=True)
class Source:
    """Where a project keeps its CustomResourceDefinitions."""

    module: str
    """Path and version."""
    checksum: str
    """Of the module, as go.sum has it."""
    files: tuple[str, ...]


SOURCES: Final = (
    Source(
        "sigs.k8s.io/gateway-api@v1.6.3",
        "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
        ("config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",),
    ),
    Source(
        "github.com/kedacore/keda/v2@v2.21.0",
        "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
        ("config/crd/bases/keda.sh_scaledobjects.yaml",),
    ),
    Source(
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        (
            "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        ),
    ),
)


def files() -> Iterator[Path]:
    """Each definition's file, in Go's module cache; raises ValueError where a module is not the pinned one."""
    go = golang.toolchain()
    for source in SOURCES:
        command = (go, "mod", "download", "-json", source.module)
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        if found["Sum"] != source.checksum:
            raise ValueError(f"module {source.module} has checksum {found['Sum']}, not {source.checksum}")
        yield from (Path(found["Dir"]) / file for file in source.files)
