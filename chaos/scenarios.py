"""What users do to a service with everything switched on, one row for each way through the operator."""

from __future__ import annotations

from typing import Final

from chaos.environment import EVERYTHING, Stage
from chaos.kill import Deed, Scenario
from whisper_operator.api.v1alpha1 import Manifest

NAME: Final = "everything"

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
    "gateway": {"hostnames": ["other.gateway.example.com"]},
    "autoscaling": {"minReplicas": 1, "maxReplicas": 4, "keda": {"pollingInterval": 30}},
    "rollout": {"strategy": "Surge", "drainTimeout": "7m"},
    "disruption": {"maxUnavailable": 2},
    "monitoring": {"serviceMonitor": {"interval": "30s"}, "alerts": {"labels": {"team": "speech"}}},
    "networkPolicy": {"allowFrom": [{"podSelector": {}}]},
    "logging": {"level": "debug"},
    "scheduling": {"priorityClassName": "other"},
    "podTemplate": {"metadata": {"annotations": {"example.com/part": "every"}}},
}
"""A change in every part."""
OFF: Final[Manifest] = dict.fromkeys(
    ("ingress", "gateway", "autoscaling", "disruption", "monitoring", "networkPolicy"), None
) | {"replicas": 3}
"""Everything that can be switched off, switched off: its children go."""
HPA: Final[Manifest] = {"autoscaling": {"keda": None}}
AUTOSCALING: Final[Manifest] = {"autoscaling": EVERYTHING["autoscaling"]}
NOT_RETAINED: Final[Manifest] = {**EVERYTHING, "cache": {**EVERYTHING["cache"], "retention": "Delete"}}


def creating(spec: Manifest) -> Deed:
    async def deed(stage: Stage) -> None:
        await stage.create(NAME, spec)

    return deed


def changing(spec: Manifest) -> Deed:
    async def deed(stage: Stage) -> None:
        await stage.change(NAME, spec)

    return deed


async def delete(stage: Stage) -> None:
    await stage.delete(NAME)


async def replace(stage: Stage) -> None:
    """Deletes the service, and makes another of its name before the first one's children are gone."""
    await stage.delete(NAME)
    await stage.create(NAME, EVERYTHING)


CREATED: Final = creating(EVERYTHING)

CREATE: Final = Scenario("create, everything on", (), CREATED)
UPDATE: Final = Scenario("a change in every part", (CREATED,), changing(CHANGED))
PRUNE: Final = Scenario("every optional part switched off", (CREATED,), changing(OFF))
DELETE: Final = Scenario("delete, at each write of a create", (), creating(NOT_RETAINED), delete)

SCENARIOS: Final = (
    CREATE,
    UPDATE,
    PRUNE,
    Scenario("KEDA's autoscaling switched on", (CREATED, changing(OFF)), changing(AUTOSCALING)),
    Scenario("from KEDA to an HPA", (CREATED,), changing(HPA)),
    Scenario("suspend", (CREATED,), changing({"suspend": True})),
    Scenario("resume", (CREATED, changing({"suspend": True})), changing({"suspend": None})),
    Scenario("replace by another of the same name", (CREATED,), replace),
    DELETE,
)
