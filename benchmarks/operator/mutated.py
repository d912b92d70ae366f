"""Counts writes at rest under a policy that changes what is applied: `python -m benchmarks.operator.mutated`.

The podTemplate of each of a thousand services states what the API server drops, and a MutatingAdmissionPolicy adds a
toleration to each Deployment; the requests come from the API server's audit log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.operator.clients import create_all
from benchmarks.operator.rest import observe
from testbed import audit, operator_plane
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR, OperatorProcess
from whisper_operator.api.v1alpha1 import Manifest

SPEC: Final[Manifest] = {
    "podTemplate": {"spec": {"hostNetwork": False}},
    "scheduling": {"tolerations": [{"key": "speech", "operator": "Exists"}]},
}
TOLERATION: Final = "policy.example.com"
REGISTRATION: Final = "admissionregistration.k8s.io/v1"
TOLERATIONS: Final = "object.spec.template.spec.tolerations"
POLICY: Final[Manifest] = {
    "failurePolicy": "Fail",
    "reinvocationPolicy": "Never",
    "matchConstraints": {
        "resourceRules": [
            {
                "apiGroups": ["apps"],
                "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["deployments"],
            }
        ]
    },
    "matchConditions": [{"name": "lacks-it", "expression": f"!{TOLERATIONS}.exists(one, one.key == '{TOLERATION}')"}],
    "mutations": [
        {
            "patchType": "JSONPatch",
            "jsonPatch": {
                "expression": "[JSONPatch{op: 'add', path: '/spec/template/spec/tolerations/-', value: "
                f"Object.spec.template.spec.tolerations{{key: '{TOLERATION}', operator: 'Exists'}}}}]"
            },
        }
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=120)
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, operator_plane.running(Path(directory)) as plane:
        install_policy(plane)
        operator = OperatorProcess(plane)
        operator.start()
        services = [operator_plane.service_manifest(f"s{number}", **SPEC) for number in range(parsed.services)]
        asyncio.run(create_all(plane, services))
        audit.until_quiet(plane.audit_log, OPERATOR, 0, limit=3600, quiet=30)
        print(f"{mutated(plane)} of {len(services)} Deployments have the policy's toleration", flush=True)
        observe(operator, parsed.seconds, "at rest")
        operator.stop()
        operator.start()
        observe(operator, parsed.seconds, "after a restart")
        operator.stop()


def install_policy(plane: ControlPlane) -> None:
    """Returns when the policy is at work."""
    binding = {"policyName": TOLERATION}
    for kind, spec in (("MutatingAdmissionPolicy", POLICY), ("MutatingAdmissionPolicyBinding", binding)):
        body = {"apiVersion": REGISTRATION, "kind": kind, "metadata": {"name": TOLERATION}, "spec": spec}
        operator_plane.kubectl(plane, "apply", "-f", "-", stdin=json.dumps(body))
    operator_plane.wait_until("the policy is at work", lambda: TOLERATION in _dry_run(plane))


def mutated(plane: ControlPlane) -> int:
    """How many Deployments have the policy's toleration."""
    keys = "{range .items[*]}{.spec.template.spec.tolerations[*].key}{'\\n'}{end}"
    return operator_plane.kubectl(plane, "get", "deployments", "-A", "-o", f"jsonpath={keys}").count(TOLERATION)


def _dry_run(plane: ControlPlane) -> str:
    """What the API server would make of a Deployment."""
    labels = {"app": "probe"}
    pod: dict[str, Any] = {
        "containers": [{"name": "web", "image": "web"}],
        "tolerations": [{"key": "speech", "operator": "Exists"}],
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "probe", "namespace": "default"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }
    return operator_plane.kubectl(plane, "create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(body))


if __name__ == "__main__":
    main()
