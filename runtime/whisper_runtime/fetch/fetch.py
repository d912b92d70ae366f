"""The steps of a fetch, in order: source, digest, lock, download, check, publish."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import SOURCE_CLAIM_DIR
from whisper_runtime.contract.models import OFFICIAL_MODELS, checkpoint_path, expected_sha256
from whisper_runtime.contract.reports import (
    ALREADY_CACHED,
    CHECKSUM_MISMATCH,
    DOWNLOAD_FAILED,
    FETCHED,
    NOT_A_CHECKPOINT,
    UNKNOWN_MODEL,
    FetchReport,
)
from whisper_runtime.fetch import cache
from whisper_runtime.fetch.checkpoint import validate
from whisper_runtime.fetch.download import RetryPolicy, download
from whisper_runtime.fetch.errors import FetchError, TransientFetchError
from whisper_runtime.fetch.lock import FileLock
from whisper_runtime.fetch.partial import PartialFile, sha256_of
from whisper_runtime.fetch.progress import ProgressTracker
from whisper_runtime.fetch.source import CheckpointSource
from whisper_runtime.fetch.source_claim import ClaimSource
from whisper_runtime.fetch.sources import source_of

WRONG_CONTENT: Final = frozenset({CHECKSUM_MISMATCH, NOT_A_CHECKPOINT})
"""Reasons for which the downloaded bytes are not the start of the right file either."""


def fetch(
    config: RuntimeConfig,
    progress: ProgressTracker | None = None,
    policy: RetryPolicy | None = None,
    claim_dir: str = SOURCE_CLAIM_DIR,
) -> FetchReport:
    """Downloads the configured model unless the cache has it, and returns the outcome; raises nothing.

    `claim_dir` is where the claim of a pvc:// URL is mounted.
    """
    progress, policy = progress or ProgressTracker(config.model), policy or RetryPolicy()
    try:
        source = _source(config, policy, claim_dir)
        digest = _digest(config, source)
        target = Path(checkpoint_path(config.model_dir, config.model, digest))
        try:
            reason = _obtain(source, target, digest, progress, policy)
            size = target.stat().st_size
        except OSError as error:  # a source's OSErrors are FetchErrors already
            raise cache.cache_error(target.parent, error) from None
    except FetchError as error:
        return FetchReport(model=config.model, reason=error.reason, message=str(error), files=error.files)
    outcome = "is in the cache already" if reason == ALREADY_CACHED else f"was fetched from {source.name}"
    message = f"{config.model} {outcome}, and its sha256 is right"
    return FetchReport(model=config.model, reason=reason, message=message, digest=digest, bytes=size)


def _source(config: RuntimeConfig, policy: RetryPolicy, claim_dir: str) -> CheckpointSource:
    if not (config.model_url or config.model_url_file) and config.model not in OFFICIAL_MODELS:
        raise _unknown(config.model, "a URL and its sha256")
    return source_of(config, policy.stall_seconds, claim_dir)


def _digest(config: RuntimeConfig, source: CheckpointSource) -> str:
    """Returns the sha256 that the checkpoint must have, in hex."""
    if digest := expected_sha256(config.model, config.model_sha256):
        return digest
    if isinstance(source, ClaimSource):
        return source.sha256()
    raise _unknown(config.model, "its sha256")


def _unknown(model: str, missing: str) -> FetchError:
    return FetchError(UNKNOWN_MODEL, f"model {model!r} is not one of openai-whisper's: give {missing}")


def _obtain(source: CheckpointSource, target: Path, digest: str, progress: ProgressTracker, policy: RetryPolicy) -> str:
    """Returns the reason of success; raises FetchError, and OSError where the cache fails."""
    if _is_cached(target, digest):
        return ALREADY_CACHED
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = cache.partial_path(target)
    lock = FileLock(cache.lock_path(target))
    with lock.held(on_wait=lambda: _follow_other_fetch(partial, progress)):
        if _is_cached(target, digest):
            return ALREADY_CACHED
        cache.restore_from_quarantine(target, partial, digest)
        if target.exists():
            cache.quarantine(target)
        try:
            _download_and_check(source, partial, digest, progress, policy)
        except FetchError as error:
            if error.reason in WRONG_CONTENT:
                cache.quarantine(partial)
            raise
        if not lock.is_held():
            raise TransientFetchError(DOWNLOAD_FAILED, f"another fetch has taken over {target.name}")
        cache.publish(partial, target)
    return FETCHED


def _download_and_check(
    source: CheckpointSource, partial: Path, digest: str, progress: ProgressTracker, policy: RetryPolicy
) -> None:
    with PartialFile.open(partial) as file:
        download(source, file, digest, progress, policy)
        file.save()
    validate(partial, source.name)


def _is_cached(target: Path, digest: str) -> bool:
    return target.is_file() and sha256_of(target) == digest


def _follow_other_fetch(partial: Path, progress: ProgressTracker) -> None:
    """Shows the progress of the fetch that holds the lock."""
    if partial.exists():
        progress.advance(partial.stat().st_size)
