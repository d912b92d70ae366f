"""The Job that fetches the wanted model into the claim: name, pods, cause of failure, hosts. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import JOB
from whisper_operator.objects.manifest import annotations_of, is_true, status_of
from whisper_operator.observe import pod_status
from whisper_operator.observe.facts import Node
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.pod_reports import (
    FETCH,
    FETCH_ENCODER,
    fetch_report,
    is_outlived,
    kept_report,
    statuses_of,
)
from whisper_operator.observe.pod_status import Cause
from whisper_operator.resolve.asked_claim import models_claim
from whisper_operator.resolve.claim import ClaimState, live_claim
from whisper_operator.resolve.model import ModelRef, named_model
from whisper_operator.resolve.pod_shape import is_well_formed
from whisper_operator.resolve.scheduling import nodes_with_gpu
from whisper_runtime.contract.models import checkpoint_path
from whisper_runtime.contract.reports import DOWNLOAD_FAILED, FetchReport

HOST: Final = "kubernetes.io/hostname"
HOSTS_NAMED: Final = 100
"""Enough: the Job may run on any of them, and must stay small."""


@dataclass(frozen=True)
class PrefetchState:
    job_name: str | None
    """None where there is no claim (yet)."""
    job: Manifest | None
    pods: Sequence[Manifest]
    """The Job's, newest first."""
    running_pod: Manifest | None
    """The one that fetches at this moment."""
    is_complete: bool
    """Whether the Job has ended well, or its container has."""
    outlived: FetchReport | None
    """The report of a fetch whose pod a sidecar keeps running, or kept; None: the Job ends by itself."""
    hosts: Sequence[str]
    """The hosts on one of which the Job has to run; empty: any."""


def resolve_prefetch(service: WhisperService, observed: Observed, claim: ClaimState) -> PrefetchState:
    name = prefetch_job_name(service, claim.live)
    job = observed.get(JOB, name) if name else None
    pods = pod_status.of_job(observed.pods(names.PREFETCH), name)
    outlived = _outlived(job, pods) if job else None
    return PrefetchState(
        job_name=name,
        job=job,
        pods=pods,
        running_pod=next(filter(_is_running, pods), None),
        is_complete=is_true(job, "Complete") or outlived is not None,
        outlived=outlived,
        hosts=_gpu_hosts(service, claim, observed.facts.nodes or (), job),
    )


def prefetch_job_name(service: WhisperService, claim: Manifest | None) -> str | None:
    """Name of the Job that fetches the wanted model into `claim`; None where there is no claim (yet).

    It hashes what the result depends on: the source, the digest, and the claim's identity; and those of an encoder that
    is fetched, too.
    """
    if service.spec.cache.type != "PersistentVolumeClaim" or claim is None:
        return None
    model, digest = service.spec.model, named_model(service.spec).digest
    parts = [model.name, model.source.place if model.source else "", digest or "", claim["metadata"]["uid"]]
    encoder = service.spec.diarization.model if service.spec.diarization else None
    if encoder and encoder.source:
        parts += [encoder.name, encoder.source.place, encoder.source.sha256 or ""]
    return names.prefetch_job(service.metadata.name, hashlib.sha256("\n".join(parts).encode()).hexdigest())


def running_pod(service: WhisperService, observed: Observed) -> Manifest | None:
    """The pod that fetches the wanted model at this moment, which can be asked for its progress."""
    running = [pod for pod in observed.pods(names.PREFETCH) if _is_running(pod)]
    if not running:
        return None
    name = prefetch_job_name(service, live_claim(models_claim(service, observed.facts), observed))
    return next(iter(pod_status.of_job(running, name)), None)


def fetch_failure(
    service: WhisperService, observed: Observed, prefetch: PrefetchState, needed: Collection[ModelRef]
) -> Cause | None:
    """Why the fetch does not go on; None where it does, or has not begun.

    `needed`: the models whose checkpoints this service cannot do without.
    """
    progress, warnings = observed.facts.progress, observed.facts.warnings
    if progress and progress.problem:
        return Cause(DOWNLOAD_FAILED, f"{progress.problem}; the fetch tries again")
    for pod in prefetch.pods:
        for report in (fetch_report(pod, container) for container in (FETCH_ENCODER, FETCH)):
            if report and not report.succeeded:
                return Cause(report.reason, f"{report.message}{_may_go(service, needed, report.files)}")
    cause = pod_status.cause_of(observed.pods(names.PREFETCH), warnings)
    return cause or pod_status.not_created(prefetch.job, warnings)


def _may_go(service: WhisperService, needed: Collection[ModelRef], files: Mapping[str, int]) -> str:
    """The files of a full cache that this service can do without, as the end of a sentence."""
    kept = {checkpoint_path("", model.name, model.sha256).lstrip("/") for model in needed if model.digest}
    encoders = [model.encoder for model in needed if model.encoder]
    kept |= {checkpoint_path("", one.name, one.sha256).lstrip("/") for one in encoders if one.sha256}
    spare = [f"{name} ({size} bytes)" for name, size in files.items() if name not in kept]
    if not spare:
        return ""
    shared = " (another WhisperService with this claim may)" if service.spec.cache.existing_claim else ""
    return f"; this service does not need{shared}: {', '.join(spare)}"


def _is_running(pod: Manifest) -> bool:
    states = [one.get("state", {}) for name in (FETCH_ENCODER, FETCH) for one in statuses_of(pod, name)]
    return bool(status_of(pod).get("podIP")) and any("running" in state for state in states)


def _outlived(job: Manifest, pods: Sequence[Manifest]) -> FetchReport | None:
    """The report of a fetch that succeeded, as the Job keeps it, or as it is in a pod that a sidecar keeps running."""
    reports = (fetch_report(pod) for pod in pods if is_outlived(pod, FETCH))
    return kept_report(FetchReport, job) or next((one for one in reports if one and one.succeeded), None)


def _gpu_hosts(
    service: WhisperService, claim: ClaimState, nodes: Sequence[Node], job: Manifest | None
) -> Sequence[str]:
    """The hosts on one of which a volume that binds at its first use has to: those that offer the GPU.

    Decided while the claim has no volume, and kept: a Job's template is fixed, and another one would begin anew. Only
    where none of the hosts offers it any more are others named (docs/adr/0007-where-a-volume-binds.md).
    """
    if service.spec.gpu is None or claim.live is None or not claim.wanted.is_mounted:
        return ()
    affinity = service.spec.scheduling.affinity
    if affinity and not is_well_formed({"affinity": affinity, "containers": []}):
        return ()
    kept = annotations_of(job).get(names.ANNOTATION_GPU_HOSTS) if job else None
    before = kept.split(",") if kept else []
    if claim.phase != "Pending" or not claim.binds_at_first_use:
        return before
    offering = nodes_with_gpu(service.spec, nodes)
    hosts = sorted(node.labels[HOST] for node in offering if HOST in node.labels)[:HOSTS_NAMED]
    return hosts if hosts and not set(before) & set(hosts) else before
