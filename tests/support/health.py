"""What GitOps tools make of a WhisperService's status: kstatus (Flux, `helm --wait`) and Argo CD's health script."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml
from lupa import lua54

from testbed.paths import REPOSITORY
from whisper_operator.api.v1alpha1 import Manifest


class ToolVerdict(NamedTuple):
    status: str
    message: str


def kstatus(generation: int, status: Manifest) -> ToolVerdict:
    """The verdict on a custom resource, whose `metadata.generation` is `generation`.

    Source: sigs.k8s.io/cli-utils/pkg/kstatus/status: `checkGenericProperties` in generic.go, then `checkReadyCondition`
    in core.go. Without a condition that it knows it takes an object for Current.
    """
    if "observedGeneration" in status and status["observedGeneration"] != generation:
        return ToolVerdict("InProgress", "generation")
    conditions: list[Manifest] = status.get("conditions", [])
    for condition in conditions:
        if condition["type"] == "Reconciling" and condition["status"] == "True":
            return ToolVerdict("InProgress", condition.get("message", ""))
        if condition["type"] == "Stalled" and condition["status"] == "True":
            return ToolVerdict("Failed", condition.get("message", ""))
    for condition in conditions:
        if condition["type"] == "Ready":
            verdict = "Current" if condition["status"] == "True" else "InProgress"
            return ToolVerdict(verdict, condition.get("message", ""))
    return ToolVerdict("Current", "")


def argo_cd(generation: int, status: Manifest) -> ToolVerdict:
    """The verdict of examples/gitops/argocd-cm.yaml, run by the Lua that Argo CD's scripts are written for."""
    config = yaml.safe_load((REPOSITORY / "examples/gitops/argocd-cm.yaml").read_text())
    (script,) = config["data"].values()
    lua = lua54.LuaRuntime()
    lua.globals().obj = lua.table_from({"metadata": {"generation": generation}, "status": status}, recursive=True)
    found: Any = lua.execute(script)
    return ToolVerdict(found.status, found.message)
