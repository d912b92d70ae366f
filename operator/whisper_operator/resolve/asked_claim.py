"""What a spec says of each claim that its pods mount, in one form for all of them: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from whisper_operator.api.spec.job_store import JobStorageSpec
from whisper_operator.api.spec.model import CacheSpec
from whisper_operator.api.units import canonical_quantity
from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.manifest import annotations_of
from whisper_operator.observe.facts import Facts

AUTO_SIZE: Final = "10Gi"
"""Room for two of the largest checkpoints, so that a change of model never has to delete the old one first; or for
some 150 hours of recordings, packed without loss."""
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
class AskedClaim:
    part: str
    """Path of the part of the spec that says it."""
    own_name: str
    """The name that the service's own has."""
    is_mounted: bool
    """Whether pods mount it: the part's type is a claim."""
    existing: str | None
    """The name of a claim that somebody else made; None: the operator makes one."""
    storage_class: str | None
    """None: the cluster's default."""
    access_mode: str
    """Of a new one."""
    mode_of_spec: str | None
    """The access mode that the spec names; None: it leaves the choice open."""
    size: str
    """As the API server writes it."""
    is_retained: bool
    """Whether it stays when the service goes."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.existing or self.own_name

    @property
    def wish(self) -> str:
        """Class (a hyphen: the cluster's default), access mode and size of a new one, as its annotation keeps them."""
        return f"{'-' if self.storage_class is None else self.storage_class} {self.access_mode} {self.size}"


def models_claim(service: WhisperService, facts: Facts) -> AskedClaim:
    """The claim that the checkpoints are in."""
    own_name, mode = names.models_claim(service.metadata.name), _cache_access_mode(service.spec, facts)
    return _asked("spec.cache", own_name, service.spec.cache, mode)


def jobs_claim(service: WhisperService) -> AskedClaim | None:
    """The claim that recordings and results of jobs are in; None where the spec has no jobs.

    Without another wish its access mode is that of one node: processes on several would spoil a database there.
    """
    jobs, own_name = service.spec.jobs, names.jobs_claim(service.metadata.name)
    if jobs is None:
        return None
    return _asked("spec.jobs.storage", own_name, jobs.storage, jobs.storage.access_mode or "ReadWriteOnce")


def volume_size(size: str) -> str:
    """The size of a claim or directory, as the API server writes it."""
    return AUTO_SIZE if size == "auto" else canonical_quantity(size)


def default_class(facts: Facts) -> Manifest | None:
    """The StorageClass of claims that name none; None where there is none, or classes may not be read.

    Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
    """
    marked = [one for one in (facts.storage_classes or {}).values() if annotations_of(one).get(DEFAULT_CLASS) == "true"]
    by_name = sorted(marked, key=lambda one: one["metadata"]["name"])
    return max(by_name, key=lambda one: one["metadata"].get("creationTimestamp", ""), default=None)


def class_of_new(name: str | None, facts: Facts) -> Manifest | None:
    """The StorageClass of a new claim that names this one, or none; None where it is not known."""
    return default_class(facts) if name is None else (facts.storage_classes or {}).get(name)


def is_network_file_system(storage_class: Manifest | None) -> bool:
    """Whether every volume of the class is known to be one, which the pods of many nodes can write to."""
    return storage_class is not None and storage_class.get("provisioner", "").endswith(SHARING_PROVISIONERS)


def _asked(part: str, own_name: str, spec: CacheSpec | JobStorageSpec, access_mode: str) -> AskedClaim:
    return AskedClaim(
        part=part,
        own_name=own_name,
        is_mounted=spec.type == "PersistentVolumeClaim",
        existing=spec.existing_claim,
        storage_class=spec.storage_class_name,
        access_mode=access_mode,
        mode_of_spec=spec.access_mode,
        size=volume_size(spec.size),
        is_retained=spec.retention == "Retain",
        labels=spec.labels,
        annotations=spec.annotations,
    )


def _cache_access_mode(spec: Spec, facts: Facts) -> str:
    """Returns ReadWriteMany for many pods where every volume is shared; else ReadWriteOnce, which takes one node."""
    if spec.cache.access_mode:
        return spec.cache.access_mode
    is_shared = is_network_file_system(class_of_new(spec.cache.storage_class_name, facts))
    return "ReadWriteMany" if spec.most_replicas > 1 and is_shared else "ReadWriteOnce"
