"""What keeps the jobs of the pods that serve, and what the runtime is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from whisper_operator.api.units import any_quantity, duration_seconds
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import pod
from whisper_operator.objects import names
from whisper_operator.resolve.claim import ClaimState, requested_size
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.config_types import JobsStore
from whisper_runtime.contract.files import JOBS_BUCKET_DIR, JOBS_DIR

DEFAULTS: Final = RuntimeConfig()
VOLUME: Final = "job-store"
BUCKET_VOLUME: Final = "job-bucket"
AUTO_BYTES: Final[Mapping[str, int]] = {"Redis": 1024**3, "S3": DEFAULTS.jobs_max_bytes}
"""By the type of a storage that is no volume: what jobs may take of it."""
LEAST_MARGIN: Final = 256 * 1024**2
"""Bytes of a small volume for what a file system and a database keep beside the files."""


def parts(service: WhisperService) -> list[tuple[Manifest, Manifest]]:
    """Each mount with its volume: of the jobs' directory, or of the Secret for their bucket."""
    jobs = service.spec.jobs
    if jobs is None:
        return []
    if (bucket := jobs.storage.s3) and bucket.secret_ref:
        secret = {"secretName": bucket.secret_ref.name, "defaultMode": 0o440, "optional": True}
        mount = {"name": BUCKET_VOLUME, "mountPath": JOBS_BUCKET_DIR, "readOnly": True}
        return [(mount, {"name": BUCKET_VOLUME, "secret": secret})]
    if directory(service) is None:
        return []
    volume = pod.claim_or_directory(VOLUME, jobs.storage, names.jobs_claim(service.metadata.name))
    return [({"name": VOLUME, "mountPath": JOBS_DIR}, volume)]


def directory(service: WhisperService) -> str | None:
    """The directory in which the runtime keeps jobs, or their contents; None: it keeps none there."""
    jobs = service.spec.jobs
    return JOBS_DIR if jobs and jobs.storage.type in ("PersistentVolumeClaim", "EmptyDir") else None


def kept_in(service: WhisperService) -> JobsStore:
    """Where the runtime keeps jobs, if it keeps any."""
    jobs = service.spec.jobs
    return "redis" if jobs and jobs.storage.is_shared else "directory"


def bucket_settings(service: WhisperService) -> dict[str, Any]:
    """The settings by which the runtime keeps contents in a bucket; none where it does not."""
    bucket = service.spec.jobs.storage.s3 if service.spec.jobs else None
    if bucket is None:
        return {}
    return {
        "jobs_s3_bucket": bucket.bucket,
        "jobs_s3_prefix": bucket.prefix,
        "jobs_s3_region": bucket.region,
        "jobs_s3_endpoint": bucket.endpoint,
        "jobs_s3_credentials_dir": JOBS_BUCKET_DIR if bucket.secret_ref else None,
    }


def is_reached_by_front(service: WhisperService) -> bool:
    """Whether a front reaches all that jobs are: no volume has a part of it."""
    return kept_in(service) == "redis" and directory(service) is None


def settings(service: WhisperService, claim: ClaimState | None) -> dict[str, Any]:
    """The settings by which the runtime keeps jobs; `claim`: the volume's, None: it was not looked up."""
    return {
        "jobs_dir": directory(service),
        "jobs_store": kept_in(service),
        "jobs_max_bytes": max_bytes(service, claim),
        "jobs_result_seconds": result_seconds(service),
        "jobs_max_queued_audio_seconds": max_queued_seconds(service),
        **bucket_settings(service),
    }


def result_seconds(service: WhisperService) -> int:
    jobs = service.spec.jobs
    return duration_seconds(jobs.result_ttl) if jobs else DEFAULTS.jobs_result_seconds


def max_queued_seconds(service: WhisperService) -> int | None:
    """Seconds of audio that one client may have queued as jobs; None: no limit."""
    limit = service.spec.jobs.max_queued_audio_per_client if service.spec.jobs else None
    return duration_seconds(limit) if limit else None


def max_bytes(service: WhisperService, claim: ClaimState | None) -> int:
    """Bytes that jobs may take; the runtime's default where there are none, or the claim was not looked up."""
    if (jobs := service.spec.jobs) and jobs.storage.type in AUTO_BYTES:
        auto = AUTO_BYTES[jobs.storage.type]
        return auto if jobs.storage.size == "auto" else int(any_quantity(jobs.storage.size))
    size = volume_bytes(claim) if claim else None
    return DEFAULTS.jobs_max_bytes if size is None else usable_bytes(size)


def volume_bytes(claim: ClaimState) -> Decimal | None:
    """Bytes that the claim or directory has for certain; None for a claim of somebody else that was not looked up.

    A claim that cannot grow stays smaller than the spec asks, and one that the spec asks to shrink stays larger.
    """
    asked = [] if claim.wanted.existing else [claim.wanted.size]
    live = [requested_size(claim.live)] if claim.live and claim.wanted.is_mounted and not claim.makes_way else []
    return min(map(any_quantity, [*asked, *live]), default=None)


def usable_bytes(size: Decimal) -> int:
    """Bytes of a volume of that size that jobs may take: less a tenth, or LEAST_MARGIN, but at least a half."""
    margin = min(max(size / 10, Decimal(LEAST_MARGIN)), size / 2)
    return max(1, int(size - margin))
