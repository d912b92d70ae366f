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
from whisper_runtime.fetch.download import FileProblem, RetryPolicy, download
from whisper_runtime.fetch.errors import FetchError, TransientFetchError
from whisper_runtime.fetch.expected import Expected, OfDigest, Pinned
from whisper_runtime.fetch.kind import WHISPER, CheckpointKind
from whisper_runtime.fetch.lock import FileLock
from whisper_runtime.fetch.partial import PartialFile
from whisper_runtime.fetch.progress import ProgressTracker
from whisper_runtime.fetch.source import CheckpointSource
from whisper_runtime.fetch.source_claim import ClaimSource
from whisper_runtime.fetch.source_hub import HubSource
from whisper_runtime.fetch.source_oci import OciSource
from whisper_runtime.fetch.sources import source_of

WRONG_CONTENT: Final = frozenset({CHECKSUM_MISMATCH, NOT_A_CHECKPOINT})
"""Reasons for which the downloaded bytes are not the start of the right file either."""


def fetch(
    config: RuntimeConfig,
    progress: ProgressTracker | None = None,
    policy: RetryPolicy | None = None,
    claim_dir: str = SOURCE_CLAIM_DIR,
    kind: CheckpointKind = WHISPER,
) -> FetchReport:
    """Downloads the configured model unless the cache has it, and returns the outcome; raises nothing.

    `claim_dir` is where the claim of a pvc:// URL is mounted; `kind` what the model has to be.
    """
    progress, policy = progress or ProgressTracker(config.model), policy or RetryPolicy()
    try:
        source = _source(config, policy, claim_dir, kind)
        expected = _expected(config, source)
        try:
            reason, digest = _obtain(source, expected, config, kind, progress, policy)
            size = _path(config, digest).stat().st_size
        except OSError as error:  # a source's OSErrors are FetchErrors already
            raise cache.cache_error(Path(config.model_dir), error) from None
    except FetchError as error:
        message = kind.told(str(error))
        return FetchReport(model=config.model, reason=error.reason, message=message, files=error.files)
    outcome = "is in the cache already" if reason == ALREADY_CACHED else f"was fetched from {source.name}"
    message = f"{config.model} {outcome}, and its sha256 is right"
    return FetchReport(model=config.model, reason=reason, message=message, digest=digest, bytes=size)


def _source(config: RuntimeConfig, policy: RetryPolicy, claim_dir: str, kind: CheckpointKind) -> CheckpointSource:
    if not (config.model_url or config.model_url_file) and config.model not in OFFICIAL_MODELS:
        raise _unknown(config.model, "a URL and its sha256")
    return source_of(config, policy.stall_seconds, claim_dir, kind.files)


def _expected(config: RuntimeConfig, source: CheckpointSource) -> Expected:
    """What tells the checkpoint. Raises FetchError where nothing does."""
    if digest := expected_sha256(config.model, config.model_sha256):
        return OfDigest(source.name, digest, _path(config, digest))
    if isinstance(source, ClaimSource):
        return OfDigest(source.name, digest := source.sha256(), _path(config, digest))
    if isinstance(source, HubSource | OciSource) and source.pin:
        return Pinned(source, source.pin, Path(config.model_dir), config.model)
    raise _unknown(config.model, "its sha256")


def _path(config: RuntimeConfig, digest: str) -> Path:
    """Where the cache has the checkpoint of that digest."""
    return Path(checkpoint_path(config.model_dir, config.model, digest))


def _unknown(model: str, missing: str) -> FetchError:
    return FetchError(UNKNOWN_MODEL, f"model {model!r} is not one of openai-whisper's: give {missing}")


def _obtain(
    source: CheckpointSource,
    expected: Expected,
    config: RuntimeConfig,
    kind: CheckpointKind,
    progress: ProgressTracker,
    policy: RetryPolicy,
) -> tuple[str, str]:
    """Returns the reason of success, and the digest; raises FetchError, and OSError where the cache fails."""
    if found := expected.cached():
        return ALREADY_CACHED, found
    expected.place.parent.mkdir(parents=True, exist_ok=True)
    partial, lock = cache.partial_path(expected.place), FileLock(cache.lock_path(expected.place))
    with lock.held(on_wait=lambda: _follow_other_fetch(partial, progress)):
        if found := expected.cached():
            return ALREADY_CACHED, found
        cache.restore_from_quarantine(expected.place, partial, expected.is_right)
        if expected.place.exists():
            cache.quarantine(expected.place)
        try:
            found = _download_and_check(source, partial, expected.problem, kind, progress, policy)
        except FetchError as error:
            if error.reason in WRONG_CONTENT:
                cache.quarantine(partial)
            raise
        if not lock.is_held():
            raise TransientFetchError(DOWNLOAD_FAILED, f"another fetch has taken over {expected.place.name}")
        cache.publish(partial, _path(config, found))
    return FETCHED, found


def _download_and_check(
    source: CheckpointSource,
    partial: Path,
    problem: FileProblem,
    kind: CheckpointKind,
    progress: ProgressTracker,
    policy: RetryPolicy,
) -> str:
    """Returns the digest of the whole file."""
    with PartialFile.open(partial) as file:
        download(source, file, problem, kind, progress, policy)
        file.save()
        digest = file.digest
    kind.validate(partial, source.name)
    return digest


def _follow_other_fetch(partial: Path, progress: ProgressTracker) -> None:
    """Shows the progress of the fetch that holds the lock."""
    if partial.exists():
        progress.advance(partial.stat().st_size)
