"""The claim that the cache is in, live and as the spec wants it: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api.units import any_quantity, canonical_quantity
from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.objects.manifest import annotations_of, status_of
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.observed import Observed

AUTO_SIZE: Final = "10Gi"
"""Room for two of the largest checkpoints, so that a change of model never has to delete the old one first."""
MANY_NODES: Final = frozenset({"ReadWriteMany", "ReadOnlyMany"})
DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
SHARING_PROVISIONERS: Final = (
    "cephfs.csi.ceph.com",
    "cluster.local/nfs-subdir-external-provisioner",
    "csi.juicefs.com",
    "efs.csi.aws.com",
    "file.csi.azure.com",
    "filestore.csi.storage.gke.io",
    "fsx.csi.aws.com",
    "k8s-sigs.io/nfs-subdir-external-provisioner",
    "kubernetes.io/azure-file",
    "nfs.csi.k8s.io",
    "smb.csi.k8s.io",
)
"""Provisioners whose every volume many nodes can write to; a StorageClass says nothing of its access modes.

Source: the column Supported Access Modes of https://kubernetes-csi.github.io/docs/drivers.html. Rook puts its namespace
before the driver's name.
"""


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
    access_mode: str
    """Access mode that the spec asks of a new one."""
    asked: str | None
    """The spec's wish when it was made, or asks now if it is to be; None where an earlier release made it."""
    makes_way: bool
    """Whether the live one, which has no volume yet, is not what the spec asks for: another one is made."""
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
    is_mounted = cache.type == "PersistentVolumeClaim"
    is_own = is_mounted and not cache.existing_claim
    live = live_claim(service, observed)
    storage_class = _class_of(live, observed.facts) if live else {}
    mode = _new_access_mode(service.spec, observed.facts)
    now = _asked(service.spec, mode)
    makes_way = is_own and live is not None and not has_volume(live) and not _is_as_asked(live, service.spec, mode)
    return ClaimState(
        name=claim_name(service),
        live=live,
        is_mounted=is_mounted,
        is_own=is_own,
        phase=status_of(live).get("phase", ""),
        access_mode=mode,
        asked=asked_of(live) if live and not makes_way else now,
        makes_way=makes_way,
        ties_to_one_node=live is not None and not MANY_NODES & set(live["spec"]["accessModes"]),
        can_grow=observed.facts.storage_classes is None or bool(storage_class.get("allowVolumeExpansion")),
        binds_at_first_use=storage_class.get("volumeBindingMode") == "WaitForFirstConsumer",
    )


def has_volume(claim: Manifest) -> bool:
    """Whether a volume is bound to the claim, was, or is reserved for it: there may be data in it."""
    return bool(claim["spec"].get("volumeName")) or status_of(claim).get("phase", "Pending") != "Pending"


def asked_of(claim: Manifest) -> str | None:
    """Returns the spec's wish when the claim was made; None where an earlier release made it, or somebody else."""
    return annotations_of(claim).get(names.ANNOTATION_ASKED)


def default_class(facts: Facts) -> Manifest | None:
    """The StorageClass of claims that name none; None where there is none, or classes may not be read.

    Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
    """
    marked = [one for one in (facts.storage_classes or {}).values() if annotations_of(one).get(DEFAULT_CLASS) == "true"]
    by_name = sorted(marked, key=lambda one: one["metadata"]["name"])
    return max(by_name, key=lambda one: one["metadata"].get("creationTimestamp", ""), default=None)


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


def _asked(spec: Spec, mode: str) -> str:
    """Class (a hyphen: the cluster's default), access mode and size of a new claim, as its annotation keeps them."""
    name = spec.cache.storage_class_name
    return f"{'-' if name is None else name} {mode} {cache_size(spec)}"


def _is_as_asked(live: Manifest, spec: Spec, mode: str) -> bool:
    """Whether the live claim was made for what the spec asks now.

    The annotation knows, whatever an admission policy made of the claim; without it, the claim itself is compared.
    """
    if before := asked_of(live):
        return before == _asked(spec, mode)
    name = spec.cache.storage_class_name
    size = live["spec"]["resources"]["requests"]["storage"]
    is_of_class = name is None or name == live["spec"].get("storageClassName")
    return (
        is_of_class and live["spec"]["accessModes"] == [mode] and any_quantity(size) == any_quantity(cache_size(spec))
    )


def _new_access_mode(spec: Spec, facts: Facts) -> str:
    """Returns ReadWriteMany for many pods where every volume is shared; else ReadWriteOnce, which takes one node."""
    if spec.cache.access_mode:
        return spec.cache.access_mode
    name = spec.cache.storage_class_name
    found = (facts.storage_classes or {}).get(name) if name else default_class(facts)
    is_shared = found is not None and found.get("provisioner", "").endswith(SHARING_PROVISIONERS)
    return "ReadWriteMany" if spec.most_replicas > 1 and is_shared else "ReadWriteOnce"


def _class_of(live: Manifest, facts: Facts) -> Manifest:
    """The claim's storage class; empty where it is not known."""
    return (facts.storage_classes or {}).get(live["spec"].get("storageClassName", ""), {})
