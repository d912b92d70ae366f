"""The claim that caches the model: it exists, and its class, size and access mode fit."""

from __future__ import annotations

from decimal import Decimal

from whisper_operator.api import conditions as c
from whisper_operator.api.units import size_bytes
from whisper_operator.resolve.claim import MANY_NODES, default_class
from whisper_operator.resolve.preflight.finding import CheckInput, Finding
from whisper_operator.resolve.sizing import MEBIBYTE, checkpoint_bytes


def existing_claim(given: CheckInput) -> Finding | None:
    name = given.spec.cache.existing_claim
    problem = _missing(given, name, "spec.cache.existingClaim", "or remove the field")
    return Finding(c.CLAIM_NOT_FOUND, problem, holds=True) if problem else None


def source_claim(given: CheckInput) -> Finding | None:
    name = given.spec.model.source.claim if given.spec.model.source else None
    problem = _missing(given, name, "spec.model.source.url", "or correct the URL")
    return Finding(c.SOURCE_CLAIM_NOT_FOUND, problem, holds=True) if problem and given.needs_source else None


def storage_class(given: CheckInput) -> Finding | None:
    classes, wanted = given.facts.storage_classes, given.spec.cache.storage_class_name
    if classes is None or not _makes_claim(given):
        return None
    known = f"the cluster has {', '.join(sorted(classes)) or 'none'}"
    if wanted and wanted not in classes:
        message = (
            f"StorageClass {wanted}, named in spec.cache.storageClassName, does not exist: "
            f"create it, or name one that exists ({known})"
        )
        return Finding(c.STORAGE_CLASS_NOT_FOUND, message, holds=True)
    if wanted is None and default_class(given.facts) is None:
        message = f"the cluster has no default StorageClass: name one in spec.cache.storageClassName ({known})"
        return Finding(c.STORAGE_CLASS_NOT_FOUND, message, holds=True)
    return None


def cache_size(given: CheckInput) -> Finding | None:
    cache = given.spec.cache
    if cache.type in ("Image", "ImageVolume") or cache.existing_claim or cache.size == "auto":
        return None
    needed = checkpoint_bytes(given.spec)
    if size_bytes(cache.size) >= needed:
        return None
    message = (
        f"spec.cache.size is {cache.size}, and the checkpoint of {given.spec.model.name} takes "
        f"{-(-needed // MEBIBYTE)}Mi: write at least that, or twice as much to change models without an interruption"
    )
    return Finding(c.CACHE_TOO_SMALL, message, holds=True)


def access_mode(given: CheckInput) -> Finding | None:
    """Checked before the claim is made, because its access mode cannot be changed once it has a volume."""
    claim, most = given.claim.live, given.spec.most_replicas
    if not given.claim.is_mounted or most <= 1 or given.spec.suspend:
        return None
    if _makes_claim(given):
        modes, what = [given.claim.access_mode], "the claim of spec.cache"
        remedy = "run one replica, or write spec.cache.accessMode: ReadWriteMany and a class that can do it"
    elif claim:
        modes, what = claim["spec"]["accessModes"], f"claim {claim['metadata']['name']}"
        remedy = "run one replica, or name a ReadWriteMany claim in spec.cache.existingClaim"
    else:
        return None
    if modes == ["ReadWriteOncePod"]:
        message = f"{what} can be mounted by only one pod, and up to {most} may run: {remedy}"
        return Finding(c.ACCESS_MODE_TOO_NARROW, message)
    gpu, nodes = given.spec.gpu, given.facts.nodes
    if gpu is None or nodes is None or MANY_NODES & set(modes):
        return None
    wanted = given.wanted_replicas * gpu.count
    offered = max((node.allocatable.get(gpu.counted_as, Decimal(0)) for node in nodes), default=Decimal(0))
    if offered >= wanted:
        return None
    message = (
        f"{what} is {modes[0]}, so all pods run on one node, and no node offers {gpu.device} for "
        f"{wanted} of them (at most for {offered}): {remedy}"
    )
    return Finding(c.ACCESS_MODE_TOO_NARROW, message, holds=_makes_claim(given))


def _missing(given: CheckInput, name: str | None, field: str, remedy: str) -> str | None:
    """The problem with the claim that `field` names; None where it exists, or was not looked up."""
    if name is None or given.facts.claims.get(name, {}) is not None:
        return None
    where = f"PersistentVolumeClaim {given.namespace}/{name}"
    return f"{where}, named in {field}, does not exist: create it, {remedy}"


def _makes_claim(given: CheckInput) -> bool:
    """Whether a claim of ours still has to be made."""
    return given.claim.is_own and (given.claim.live is None or given.claim.makes_way)
