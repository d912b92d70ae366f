"""The input of a check, and its finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.objects.manifest import container_of, part_of
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.replicas import ReplicaCounts
from whisper_operator.resolve.asked_pods import AskedPod, fetching, fronting, server_pod_spec, serving, verifying
from whisper_operator.resolve.claim import ClaimState
from whisper_operator.resolve.devices import DeviceSupply
from whisper_operator.resolve.limit_ranges import defaulted
from whisper_operator.resolve.promise import fewest_pods


@dataclass(frozen=True)
class Finding:
    reason: str
    message: str
    """Names the object, the field, the value, and the remedy."""
    holds: bool = False
    """Whether nothing may be started before it is corrected."""


@dataclass(frozen=True)
class CheckInput:
    """The service to check, the facts about the cluster, and the values that several checks need."""

    service: WhisperService
    facts: Facts
    claim: ClaimState
    """Of the checkpoints."""
    jobs_claim: ClaimState | None
    """Of jobs; None: the spec has none."""
    needs_source: bool
    """Whether the model's source is still to be read."""
    replicas: ReplicaCounts
    """The live Deployment's."""
    devices: DeviceSupply | None = None
    """The devices of dynamic resource allocation that may be the pods' GPUs; None where none may."""
    verifies: bool = False
    """Whether a pod that verifies is still to come."""
    fronts_to_come: int = 0
    """Pods of the front that do not exist yet."""

    @property
    def spec(self) -> Spec:
        return self.service.spec

    @property
    def namespace(self) -> str:
        return self.service.metadata.namespace

    @property
    def claims(self) -> tuple[ClaimState, ...]:
        return (self.claim, *((self.jobs_claim,) if self.jobs_claim else ()))

    @property
    def wanted_replicas(self) -> int:
        """Pods that must find room."""
        return fewest_pods(self.spec)

    @property
    def needs_room(self) -> bool:
        """Whether pods are still to be placed: those that run have shown that they fit."""
        return self.wanted_replicas > self.replicas.ready

    @cached_property
    def server_pod(self) -> Manifest:
        """The part of a server pod's spec that decides where it may run."""
        return server_pod_spec(self.spec)

    @property
    def resources(self) -> Manifest:
        """Requests and limits of the container that serves the wanted model."""
        return part_of(container_of(self.server_pod, "server") or {}, "resources")

    @cached_property
    def pods_to_come(self) -> tuple[AskedPod, ...]:
        """The pods that have not been admitted yet, one of each kind: what runs has shown that it may."""
        fetches = self.needs_source and self.spec.cache.type == "PersistentVolumeClaim"
        serves = self.needs_room or self.replicas.updated < self.wanted_replicas
        return (
            *((serving(self.spec),) if serves else ()),
            *((fetching(self.spec),) if fetches else ()),
            *((verifying(self.spec),) if self.verifies else ()),
            *((fronting(self.spec),) if self.fronts_to_come else ()),
        )

    @cached_property
    def defaulted_pods(self) -> tuple[AskedPod, ...]:
        """The same pods as the namespace's LimitRanges default them."""
        return tuple(defaulted(pod, self.facts.limit_ranges or ()) for pod in self.pods_to_come)


PreflightFunction = Callable[[CheckInput], Finding | None]
