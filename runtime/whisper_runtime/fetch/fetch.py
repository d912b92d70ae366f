"""Puts a checkpoint into the cache: proven whole and loadable, and under its name only then."""

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
from whisper_runtime.fetch.checkpoint import check
from whisper_runtime.fetch.download import Patience, download
from whisper_runtime.fetch.errors import FetchError, Interrupted
from whisper_runtime.fetch.lock import Lock
from whisper_runtime.fetch.partial import Partial, sha256_of
from whisper_runtime.fetch.progress import Progress
from whisper_runtime.fetch.source import Source
from whisper_runtime.fetch.source_claim import MountedFile
from whisper_runtime.fetch.sources import source_of

WRONG_CONTENT: Final = frozenset({CHECKSUM_MISMATCH, NOT_A_CHECKPOINT})
"""What has been downloaded is no start of the right file either."""


def fetch(
    config: RuntimeConfig,
    progress: Progress | None = None,
    patience: Patience | None = None,
    claim_dir: str = SOURCE_CLAIM_DIR,
) -> FetchReport:
    """Brings the configured model unless it is there already; says what came of it, and raises nothing."""
    patience = patience or Patience()
    try:
        source = _source(config, patience, claim_dir)
        digest = _digest(config, source)
        target = Path(checkpoint_path(config.model_dir, config.model, digest))
        try:
            reason = _obtain(source, target, digest, progress or Progress(config.model), patience)
            size = target.stat().st_size
        except OSError as error:  # the sources' errors are FetchErrors already
            raise cache.failed(target.parent, error) from None
    except FetchError as error:
        return FetchReport(model=config.model, reason=error.reason, message=str(error), files=error.files)
    came = "is in the cache already" if reason == ALREADY_CACHED else f"was fetched from {source.name}"
    message = f"{config.model} {came}, and its sha256 is right"
    return FetchReport(model=config.model, reason=reason, message=message, digest=digest, bytes=size)


def _source(config: RuntimeConfig, patience: Patience, claim_dir: str) -> Source:
    if config.model_url is None and config.model not in OFFICIAL_MODELS:
        message = f"model {config.model!r} is none of openai-whisper's: give a URL and its sha256"
        raise FetchError(UNKNOWN_MODEL, message)
    return source_of(config, patience.stall_seconds, claim_dir)


def _digest(config: RuntimeConfig, source: Source) -> str:
    """sha256 that the checkpoint must have, in hex."""
    if digest := expected_sha256(config.model, config.model_sha256):
        return digest
    if isinstance(source, MountedFile):
        return source.sha256()
    raise FetchError(UNKNOWN_MODEL, f"model {config.model!r} is none of openai-whisper's: give its sha256")


def _obtain(source: Source, target: Path, digest: str, progress: Progress, patience: Patience) -> str:
    """Reason of success; raises FetchError, and OSError where the cache fails."""
    if _is_right(target, digest):
        return ALREADY_CACHED
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = cache.partial_of(target)
    lock = Lock(cache.lock_of(target))
    with lock.held(waiting=lambda: _follow(partial, progress)):
        if _is_right(target, digest):
            return ALREADY_CACHED
        cache.take_back(target, partial, digest)
        if target.exists():
            cache.quarantine(target)
        try:
            _bring(source, partial, digest, progress, patience)
        except FetchError as error:
            if error.reason in WRONG_CONTENT:
                cache.quarantine(partial)
            raise
        if not lock.is_held():
            raise Interrupted(DOWNLOAD_FAILED, f"another fetch has taken over {target.name}")
        cache.publish(partial, target)
    return FETCHED


def _bring(source: Source, partial: Path, digest: str, progress: Progress, patience: Patience) -> None:
    with Partial.open(partial) as file:
        download(source, file, digest, progress, patience)
        file.save()
    check(partial, source.name)


def _is_right(target: Path, digest: str) -> bool:
    return target.is_file() and sha256_of(target) == digest


def _follow(partial: Path, progress: Progress) -> None:
    """Shows the download that another fetch is at."""
    if partial.exists():
        progress.moves(partial.stat().st_size)
