"""Downloads a file from its source, resuming where an attempt ended, until it is the expected one."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from whisper_runtime.contract.reports import CHECKSUM_MISMATCH, DOWNLOAD_FAILED, NOT_A_CHECKPOINT
from whisper_runtime.fetch import cache
from whisper_runtime.fetch.checkpoint import START
from whisper_runtime.fetch.errors import FetchError, TransientFetchError
from whisper_runtime.fetch.kind import CheckpointKind
from whisper_runtime.fetch.partial import PartialFile
from whisper_runtime.fetch.progress import ProgressTracker
from whisper_runtime.fetch.source import CheckpointSource, SourceBody

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryPolicy:
    """When an attempt, and when the whole fetch, gives up; the kubelet starts a fetch that gave up again."""

    stall_seconds: float = 15.0
    """An attempt ends after so long without a byte."""
    give_up_seconds: float = 120.0
    """The fetch ends where attempts have failed for so long, without a byte; how long the first of them took counts
    for nothing: a source may have much to read before it gives the file's first byte."""
    first_delay_seconds: float = 1.0
    """Between two attempts; it doubles until a byte comes."""
    longest_delay_seconds: float = 30.0


FileProblem = Callable[[PartialFile], str | None]
"""What is wrong with a file, with the remedy; None: nothing, and it is whole. May raise FetchError, and OSError."""


def download(
    source: CheckpointSource,
    file: PartialFile,
    problem: FileProblem,
    kind: CheckpointKind,
    progress: ProgressTracker,
    policy: RetryPolicy,
) -> None:
    """Fills `file`, which is to be of that kind, until `problem` finds none.

    Raises TransientFetchError, and `file` is the start of the right file; FetchError, and it may be of a wrong one;
    OSError where the cache fails.
    """
    inherited = file.size > 0
    while problem(file) is not None:
        _receive_with_retries(source, file, kind, progress, policy)
        if (found := problem(file)) is None:
            return
        if not inherited:
            raise FetchError(CHECKSUM_MISMATCH, found)
        log.warning("the leftovers of an earlier attempt at %s were of another file: starting again", source.name)
        file.restart()
        inherited = False


def _receive_with_retries(
    source: CheckpointSource, file: PartialFile, kind: CheckpointKind, progress: ProgressTracker, policy: RetryPolicy
) -> None:
    version: str | None = None
    failing_since, delay = math.inf, policy.first_delay_seconds
    while True:
        start = file.size
        try:
            with source.open(start, version) as body:
                version, start = body.version, body.start
                if start == 0:
                    file.restart()
                _receive(source.name, body, file, kind, progress)
            return
        except TransientFetchError as error:
            now = time.monotonic()
            if file.size > start:
                failing_since, delay = now, policy.first_delay_seconds
            failing_since = min(failing_since, now)
            wait = max(delay, error.retry_after_seconds)
            if now + wait - failing_since > policy.give_up_seconds:
                raise
            progress.report_problem(kind.told(str(error)))
            log.warning("%s; resuming at byte %d in %.0f s", error, file.size, wait)
            time.sleep(wait)
            delay = min(delay * 2, policy.longest_delay_seconds)


def _receive(name: str, body: SourceBody, file: PartialFile, kind: CheckpointKind, progress: ProgressTracker) -> None:
    """Appends the body; raises FetchError where it is not a checkpoint, too large, or ends early."""
    if body.total is not None:
        if body.total > kind.largest:
            message = f"{name} has {body.total} bytes: no {kind.what} is larger than {kind.largest}"
            raise FetchError(NOT_A_CHECKPOINT, message)
        cache.make_room(file.path.parent, body.total - file.size)
    progress.start(file.size, body.total)
    for block in _with_whole_start(body.blocks):
        if file.size == 0 and not kind.may_begin(block):
            begins = f"it begins with {block[:8]!r}, and {kind.begins}"
            raise FetchError(NOT_A_CHECKPOINT, f"{name} is not a {kind.what}: {begins}")
        file.append(block)
        progress.advance(file.size)
        if file.size > kind.largest:
            raise FetchError(NOT_A_CHECKPOINT, f"{name} is larger than {kind.largest} bytes: no {kind.what} is")
    if body.total is not None and file.size != body.total:
        raise TransientFetchError(DOWNLOAD_FAILED, f"{name} ended after {file.size} of {body.total} bytes")


def _with_whole_start(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks, the first of them long enough to be judged by, where there are so many bytes."""
    first = b""
    for block in blocks:
        first += block
        if len(first) >= START:
            break
    if first:
        yield first
    yield from blocks
