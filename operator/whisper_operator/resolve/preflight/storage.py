"""The volume that the model goes to: its claim, class, size and access mode."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.units import size_bytes
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve import sizing
from whisper_operator.resolve.model import live_claim, needs_source, ties_to_one_node
from whisper_operator.resolve.preflight.finding import Finding, wanted_replicas

DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
MEBIBYTE: Final = 1024**2


def existing_claim(service: WhisperService, observed: Observed) -> Finding | None:
    name = service.spec.cache.existing_claim
    problem = _missing(service, observed, name, "spec.cache.existingClaim", "or remove the field")
    return Finding(c.CLAIM_NOT_FOUND, problem, holds=True) if problem else None


def source_claim(service: WhisperService, observed: Observed) -> Finding | None:
    name = service.spec.model.source.claim if service.spec.model.source else None
    problem = _missing(service, observed, name, "spec.model.source.url", "or correct the URL")
    return (
        Finding(c.SOURCE_CLAIM_NOT_FOUND, problem, holds=True) if problem and needs_source(service, observed) else None
    )


def storage_class(service: WhisperService, observed: Observed) -> Finding | None:
    classes, wanted = observed.facts.storage_classes, service.spec.cache.storage_class_name
    if classes is None or not _makes_claim(service, observed):
        return None
    known = f"the cluster has {', '.join(sorted(classes)) or 'none'}"
    if wanted and wanted not in classes:
        message = f"spec.cache.storageClassName: there is no StorageClass {wanted}: {known}; write one of them"
        return Finding(c.STORAGE_CLASS_NOT_FOUND, message, holds=True)
    if wanted is None and not any(_is_default(one) for one in classes.values()):
        message = f"the cluster has no default StorageClass: name one in spec.cache.storageClassName ({known})"
        return Finding(c.STORAGE_CLASS_NOT_FOUND, message, holds=True)
    return None


def cache_size(service: WhisperService, observed: Observed) -> Finding | None:
    cache = service.spec.cache
    if cache.type == "Image" or cache.existing_claim or cache.size == "auto":
        return None
    needed = sizing.checkpoint_bytes(service.spec)
    if size_bytes(cache.size) >= needed:
        return None
    message = (
        f"spec.cache.size is {cache.size}, and the checkpoint of {service.spec.model.name} takes "
        f"{-(-needed // MEBIBYTE)}Mi: write at least that, twice as much to change models without a gap"
    )
    return Finding(c.CACHE_TOO_SMALL, message, holds=True)


def access_mode(service: WhisperService, observed: Observed) -> Finding | None:
    """Judged before the claim is made, for its access mode cannot be changed afterwards."""
    cache = service.spec.cache
    claim = live_claim(service, observed)
    most = service.spec.autoscaling.max_replicas if service.spec.autoscaling else service.spec.replicas
    if cache.type != "PersistentVolumeClaim" or most <= 1 or service.spec.suspend:
        return None
    if claim:
        modes, what = claim["spec"]["accessModes"], f"claim {claim['metadata']['name']}"
        remedy = "run one replica, or move to a claim of ReadWriteMany by spec.cache.existingClaim"
    elif cache.access_mode and not cache.existing_claim:
        modes, what = [cache.access_mode], "the claim of spec.cache.accessMode"
        remedy = "run one replica, or write ReadWriteMany"
    else:
        return None
    if modes == ["ReadWriteOncePod"]:
        message = f"{what} can be mounted by one pod only, and {most} may run: {remedy}"
        return Finding(c.ACCESS_MODE_TOO_NARROW, message, holds=claim is None)
    gpu, nodes = service.spec.gpu, observed.facts.nodes
    if gpu is None or nodes is None or not ties_to_one_node(modes):
        return None
    wanted = wanted_replicas(service) * gpu.count
    offered = max((node.allocatable.get(gpu.resource_name, Decimal(0)) for node in nodes), default=Decimal(0))
    if offered >= wanted:
        return None
    message = (
        f"{what} is {modes[0]}, so all pods run on one node, and none offers {wanted} {gpu.resource_name} "
        f"(most: {offered}): {remedy}"
    )
    return Finding(c.ACCESS_MODE_TOO_NARROW, message, holds=claim is None)


def _missing(service: WhisperService, observed: Observed, name: str | None, field: str, remedy: str) -> str | None:
    """What is wrong with the claim that `field` names; None where it is there, or nobody has looked."""
    if name is None or observed.facts.claims.get(name, {}) is not None:
        return None
    where = f"PersistentVolumeClaim {service.metadata.namespace}/{name}"
    return f"{where}, named in {field}, is not there: create it, {remedy}"


def _makes_claim(service: WhisperService, observed: Observed) -> bool:
    """Whether a claim of ours still has to be made, or to find its volume."""
    cache = service.spec.cache
    if cache.type != "PersistentVolumeClaim" or cache.existing_claim:
        return False
    claim = observed.get(CLAIM, names.models_claim(service.metadata.name))
    return claim is None


def _is_default(body: Manifest) -> bool:
    return body["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true"
