"""User actions on a service with everything switched on, one scenario for each way through the operator."""

from __future__ import annotations

from typing import Final

import yaml

from chaos.environment import ChaosEnvironment
from chaos.kill import Scenario, UserAction
from testbed.paths import REPOSITORY
from whisper_operator.api.v1alpha1 import Manifest

NAME: Final = "everything"
EVERYTHING: Final[Manifest] = yaml.safe_load((REPOSITORY / "examples/everything.yaml").read_text())["spec"]

CHANGED: Final[Manifest] = {
    "model": {"name": "base"},
    "device": "auto",
    "computeType": "float32",
    "language": "en",
    "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "16Gi"}},
    "server": {"maxUploadSize": "50Mi", "requestTimeout": "200s", "maxQueuedAudio": "2h"},
    "auth": {"secretRef": {"name": "other-keys"}},
    "cache": {"size": "30Gi", "retention": "Delete"},
    "service": {"port": 9090, "annotations": {"example.com/team": "other"}},
    "ingress": {"host": "other.example.com", "path": "/speech"},
    "gateway": {"parentRefs": [{"name": "public"}], "hostnames": ["other.gateway.example.com"]},
    "autoscaling": {"minReplicas": 1, "maxReplicas": 4, "keda": {"pollingInterval": "30s"}},
    "rollout": {"strategy": "Surge", "drainTimeout": "7m"},
    "disruption": {"maxUnavailable": 2},
    "monitoring": {"serviceMonitor": {"interval": "30s"}, "alerts": {"labels": {"team": "speech"}}},
    "networkPolicy": {"allowFrom": [{"podSelector": {}}]},
    "logging": {"level": "debug"},
    "scheduling": {"priorityClassName": "other"},
    "podTemplate": {"metadata": {"annotations": {"example.com/part": "every"}}},
}
"""Changes every part."""
OFF: Final[Manifest] = dict.fromkeys(
    ("ingress", "gateway", "autoscaling", "disruption", "monitoring", "networkPolicy"), None
) | {"replicas": 3}
"""Switches every optional part off: its children go."""
HPA: Final[Manifest] = {"autoscaling": {"keda": None}}
AUTOSCALING: Final[Manifest] = {"autoscaling": EVERYTHING["autoscaling"]}
NOT_RETAINED: Final[Manifest] = {**EVERYTHING, "cache": {**EVERYTHING["cache"], "retention": "Delete"}}


def create_service(spec: Manifest) -> UserAction:
    async def action(env: ChaosEnvironment) -> None:
        await env.create(NAME, spec)

    return action


def change_spec(spec: Manifest) -> UserAction:
    async def action(env: ChaosEnvironment) -> None:
        await env.change(NAME, spec)

    return action


async def delete(env: ChaosEnvironment) -> None:
    await env.delete(NAME)


async def replace(env: ChaosEnvironment) -> None:
    """Deletes the service, and creates another of its name before the first one's children are gone."""
    await env.delete(NAME)
    await env.create(NAME, EVERYTHING)


CREATED: Final = create_service(EVERYTHING)

CREATE: Final = Scenario("create, everything on", (), CREATED)
UPDATE: Final = Scenario("a change in every part", (CREATED,), change_spec(CHANGED))
PRUNE: Final = Scenario("every optional part switched off", (CREATED,), change_spec(OFF))
DELETE: Final = Scenario("delete, at each write of a create", (), create_service(NOT_RETAINED), delete)

SCENARIOS: Final = (
    CREATE,
    UPDATE,
    PRUNE,
    Scenario("KEDA's autoscaling switched on", (CREATED, change_spec(OFF)), change_spec(AUTOSCALING)),
    Scenario("from KEDA to an HPA", (CREATED,), change_spec(HPA)),
    Scenario("suspend", (CREATED,), change_spec({"suspend": True})),
    Scenario("resume", (CREATED, change_spec({"suspend": True})), change_spec({"suspend": None})),
    Scenario("replace by another of the same name", (CREATED,), replace),
    DELETE,
)
