"""Brings a file from its source, going on where an attempt ended, until its digest is the expected one."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from whisper_runtime.contract.reports import CHECKSUM_MISMATCH, DOWNLOAD_FAILED, NOT_A_CHECKPOINT
from whisper_runtime.fetch import cache
from whisper_runtime.fetch.checkpoint import MAGIC
from whisper_runtime.fetch.errors import FetchError, Interrupted
from whisper_runtime.fetch.partial import Partial
from whisper_runtime.fetch.progress import Progress
from whisper_runtime.fetch.source import Body, Source

LARGEST: Final = 16 * 1024**3
"""Bytes; the largest checkpoint that OpenAI publishes has 3 GB."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long a source is put up with; the kubelet starts what gave up again."""

    stall_seconds: float = 15.0
    """Without a byte for so long, an attempt is over."""
    give_up_seconds: float = 120.0
    """Without a byte for so long, the fetch is over."""
    first_delay_seconds: float = 1.0
    """Between two attempts; it doubles while no byte comes."""
    longest_delay_seconds: float = 30.0


def download(source: Source, file: Partial, digest: str, progress: Progress, patience: Patience) -> None:
    """Fills `file`; raises FetchError (then what is in `file` is wrong, or Interrupted: it is the start of it)."""
    inherited = file.size > 0
    while file.digest != digest:
        _receive_with_retries(source, file, progress, patience)
        if file.digest == digest:
            return
        if not inherited:
            message = (
                f"{source.name} has sha256 {file.digest}, but {digest} was expected: correct the digest or the URL"
            )
            raise FetchError(CHECKSUM_MISMATCH, message)
        log.warning("what an earlier attempt had left of %s was of another file: starting again", source.name)
        file.restart()
        inherited = False


def _receive_with_retries(source: Source, file: Partial, progress: Progress, patience: Patience) -> None:
    tag: str | None = None
    last, delay = time.monotonic(), patience.first_delay_seconds
    while True:
        start = file.size
        try:
            with source.open(start, tag) as body:
                tag, start = body.tag, body.start
                if start == 0:
                    file.restart()
                _take(source.name, body, file, progress)
            return
        except Interrupted as error:
            if file.size > start:
                last, delay = time.monotonic(), patience.first_delay_seconds
            wait = max(delay, error.after)
            if time.monotonic() + wait - last > patience.give_up_seconds:
                raise
            progress.fails(str(error))
            log.warning("%s; going on at byte %d in %.0f s", error, file.size, wait)
            time.sleep(wait)
            delay = min(delay * 2, patience.longest_delay_seconds)


def _take(name: str, body: Body, file: Partial, progress: Progress) -> None:
    """Appends what the source gives; raises FetchError where that is no checkpoint, too much, or too little."""
    if body.total is not None:
        if body.total > LARGEST:
            raise FetchError(NOT_A_CHECKPOINT, f"{name} has {body.total} bytes: no checkpoint is larger than {LARGEST}")
        cache.make_room(file.path.parent, body.total - file.size)
    progress.begins(file.size, body.total)
    for block in body.blocks:
        if file.size == 0 and not MAGIC.startswith(block[: len(MAGIC)]):
            message = (
                f"{name} is no checkpoint of openai-whisper: it begins with {block[:8]!r}, not as torch.save writes"
            )
            raise FetchError(NOT_A_CHECKPOINT, message)
        file.append(block)
        progress.moves(file.size)
        if file.size > LARGEST:
            raise FetchError(NOT_A_CHECKPOINT, f"{name} is larger than {LARGEST} bytes: no checkpoint is")
    if body.total is not None and file.size != body.total:
        raise Interrupted(DOWNLOAD_FAILED, f"{name} ended after {file.size} of {body.total} bytes")
