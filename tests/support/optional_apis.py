"""Installs and removes the CustomResourceDefinitions of projects that a cluster may lack."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from testbed.cluster.controlplane import ControlPlane
from testbed.paths import REPOSITORY
from tests.support.kubectl import Kubectl, kubectl_on
from tests.support.waiting import eventually


def with_our_api(plane: ControlPlane) -> Kubectl:
    """kubectl on the control plane, with our CRD established."""
    found = kubectl_on(plane)
    install(found, [REPOSITORY / "crds"])
    return found


def install(kubectl: Kubectl, files: Iterable[Path]) -> None:
    """Returns when the API server serves them."""
    named = _arguments(files)
    kubectl("apply", "--server-side", *named)
    eventually("the APIs are served", lambda: are_established(kubectl, named), 30)


def remove(kubectl: Kubectl, files: Iterable[Path]) -> None:
    kubectl("delete", *_arguments(files))


def are_established(kubectl: Kubectl, named: list[str]) -> bool:
    """Whether all are; `kubectl wait` fails on one that has no conditions yet."""
    body = json.loads(kubectl("get", *named, "-o", "json"))
    found: list[dict[str, Any]] = body.get("items", [body])
    conditions = [one.get("status", {}).get("conditions") or [] for one in found]
    return all(any(one["type"] == "Established" and one["status"] == "True" for one in of) for of in conditions)


def _arguments(files: Iterable[Path]) -> list[str]:
    return [argument for file in files for argument in ("-f", str(file))]
