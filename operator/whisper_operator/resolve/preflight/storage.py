"""The claims of checkpoints and of jobs: they exist, and their classes, sizes and access modes fit."""

from __future__ import annotations

from decimal import Decimal

from whisper_operator.api import conditions as c
from whisper_operator.api.units import size_bytes
from whisper_operator.resolve.asked_claim import default_class, is_network_file_system
from whisper_operator.resolve.claim import MANY_NODES, ClaimState
from whisper_operator.resolve.fetches import fetches
from whisper_operator.resolve.preflight.finding import CheckInput, Finding
from whisper_operator.resolve.sizing import MEBIBYTE, cache_bytes


def existing_claim(given: CheckInput) -> Finding | None:
    """The claims that the spec names for checkpoints and jobs."""
    for wanted in (claim.wanted for claim in given.claims):
        field = f"{wanted.part}.existingClaim"
        if problem := _missing(given, wanted.existing, field, "or remove the field"):
            return Finding(c.CLAIM_NOT_FOUND, problem, holds=True)
    return None


def source_claim(given: CheckInput) -> Finding | None:
    """Of the first source that names one."""
    named = [(fetch.source.claim, f"{fetch.field}.url") for fetch in fetches(given.spec) if fetch.source]
    problem = next(filter(None, (_missing(given, name, field, "or correct the URL") for name, field in named)), None)
    return Finding(c.SOURCE_CLAIM_NOT_FOUND, problem, holds=True) if problem and given.needs_source else None


def storage_class(given: CheckInput) -> Finding | None:
    classes = given.facts.storage_classes
    if classes is None:
        return None
    known = f"the cluster has {', '.join(sorted(classes)) or 'none'}"
    for wanted in (claim.wanted for claim in given.claims if claim.is_to_be_made):
        field, name = f"{wanted.part}.storageClassName", wanted.storage_class
        if name and name not in classes:
            message = (
                f"StorageClass {name}, named in {field}, does not exist: create it, or name one that exists ({known})"
            )
            return Finding(c.STORAGE_CLASS_NOT_FOUND, message, holds=True)
        if name is None and default_class(given.facts) is None:
            message = f"the cluster has no default StorageClass: name one in {field} ({known})"
            return Finding(c.STORAGE_CLASS_NOT_FOUND, message, holds=True)
    return None


def jobs_on_one_node(given: CheckInput) -> Finding | None:
    """The jobs' database is of SQLite, whose processes share memory: they have to run on one node, on a disk of it.

    Source: https://www.sqlite.org/wal.html, "WAL does not work over a network filesystem".
    """
    claim, jobs = given.jobs_claim, given.spec.jobs
    if claim is None or not claim.wanted.is_mounted:
        return None
    if jobs and jobs.storage.is_shared:
        return _of_many_nodes(claim)
    why = "and the SQLite database of the jobs is not safe there"
    remedy = "name a claim of one node's disk (ReadWriteOnce), or write spec.jobs.storage.type: EmptyDir"
    if claim.modes and not claim.ties_to_one_node:
        message = f"PersistentVolumeClaim {claim.name} is {', '.join(sorted(claim.modes))}, {why}: {remedy}"
        return Finding(c.JOB_STORAGE_UNSAFE, message, holds=True)
    if is_network_file_system(claim.storage_class):
        kind = claim.storage_class or {}
        message = (
            f"StorageClass {kind['metadata']['name']} of claim {claim.name} makes network file systems "
            f"({kind['provisioner']}), {why}: name another class in spec.jobs.storage.storageClassName, or {remedy}"
        )
        return Finding(c.JOB_STORAGE_UNSAFE, message, holds=True)
    return None


def _of_many_nodes(claim: ClaimState) -> Finding | None:
    """The finding on a claim of jobs' contents that the pods of one node alone can mount."""
    if not claim.ties_to_one_node:
        return None
    message = (
        f"PersistentVolumeClaim {claim.name} is {', '.join(sorted(claim.modes))}, which pods of one node can mount, "
        "and spec.jobs.storage.accessMode is ReadWriteMany: name a claim that is, or remove accessMode"
    )
    return Finding(c.JOB_STORAGE_UNSAFE, message, holds=True)


def cache_size(given: CheckInput) -> Finding | None:
    cache = given.spec.cache
    if cache.type in ("Image", "ImageVolume") or cache.existing_claim or cache.size == "auto":
        return None
    needed = cache_bytes(given.spec)
    if size_bytes(cache.size) >= needed:
        return None
    beside = "".join(f" with the speaker encoder {one.name}" for one in fetches(given.spec) if one.is_encoder)
    message = (
        f"spec.cache.size is {cache.size}, and the checkpoint of {given.spec.model.name}{beside} takes "
        f"{-(-needed // MEBIBYTE)}Mi: write at least that, or twice as much to change models without an interruption"
    )
    return Finding(c.CACHE_TOO_SMALL, message, holds=True)


def access_mode(given: CheckInput) -> Finding | None:
    """Checked before the claim is made, because its access mode cannot be changed once it has a volume."""
    claim, most = given.claim, given.spec.most_replicas
    if not claim.wanted.is_mounted or most <= 1 or given.spec.suspend:
        return None
    if claim.is_to_be_made:
        modes, what = [claim.wanted.access_mode], "the claim of spec.cache"
        remedy = "run one replica, or write spec.cache.accessMode: ReadWriteMany and a class that can do it"
    elif claim.live:
        modes, what = claim.live["spec"]["accessModes"], f"claim {claim.name}"
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
    return Finding(c.ACCESS_MODE_TOO_NARROW, message, holds=claim.is_to_be_made)


def _missing(given: CheckInput, name: str | None, field: str, remedy: str) -> str | None:
    """The problem with the claim that `field` names; None where it exists, or was not looked up."""
    if name is None or given.facts.claims.get(name, {}) is not None:
        return None
    where = f"PersistentVolumeClaim {given.namespace}/{name}"
    return f"{where}, named in {field}, does not exist: create it, {remedy}"
