"""The claim that the cache is in, live and as the spec wants it: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api.units import canonical_quantity
from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.objects.manifest import status_of
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.observed import Observed

AUTO_SIZE: Final = "10Gi"
"""Room for two of the largest checkpoints, so that a change of model never has to delete the old one first."""
MANY_NODES: Final = frozenset({"ReadWriteMany", "ReadOnlyMany"})


@dataclass(frozen=True)
class ClaimState:
    name: str
    """The name of the service's own claim, or of the one that its spec names; it may not exist yet."""
    live: Manifest | None
    is_mounted: bool
    """Whether pods mount it: the spec's cache is a claim."""
    is_own: bool
    """Whether the operator makes it: pods mount it, and the spec names no other."""
    phase: str
    """Pending, Bound or Lost; empty where there is no claim."""
    ties_to_one_node: bool
    """Whether only the pods of one node can mount the live one."""
    can_grow: bool
    """Whether the live one's class allows it; where classes may not be read, the API server decides."""
    binds_at_first_use: bool
    """Whether the live one gets its volume where its first pod is."""

    @property
    def is_on_one_node(self) -> bool:
        """Whether the pods mount a claim that ties them to one node."""
        return self.is_mounted and self.ties_to_one_node


def resolve_claim(service: WhisperService, observed: Observed) -> ClaimState:
    cache = service.spec.cache
    live = live_claim(service, observed)
    storage_class = _class_of(live, observed.facts) if live else {}
    return ClaimState(
        name=claim_name(service),
        live=live,
        is_mounted=cache.type == "PersistentVolumeClaim",
        is_own=cache.type == "PersistentVolumeClaim" and not cache.existing_claim,
        phase=status_of(live).get("phase", ""),
        ties_to_one_node=live is not None and not MANY_NODES & set(live["spec"]["accessModes"]),
        can_grow=observed.facts.storage_classes is None or bool(storage_class.get("allowVolumeExpansion")),
        binds_at_first_use=storage_class.get("volumeBindingMode") == "WaitForFirstConsumer",
    )


def claim_name(service: WhisperService) -> str:
    return service.spec.cache.existing_claim or names.models_claim(service.metadata.name)


def live_claim(service: WhisperService, observed: Observed) -> Manifest | None:
    """The claim of that name; None where it does not exist, or the claim that the spec names was not looked up."""
    if existing := service.spec.cache.existing_claim:
        return observed.facts.claims.get(existing)
    return observed.get(CLAIM, claim_name(service))


def cache_size(spec: Spec) -> str:
    """The size of the cache, as the API server writes it."""
    return AUTO_SIZE if spec.cache.size == "auto" else canonical_quantity(spec.cache.size)


def _class_of(live: Manifest, facts: Facts) -> Manifest:
    """The claim's storage class; empty where it is not known."""
    return (facts.storage_classes or {}).get(live["spec"].get("storageClassName", ""), {})
