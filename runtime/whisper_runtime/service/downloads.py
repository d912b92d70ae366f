"""Recordings that a request names by a URL: fetched into a scratch file, within the bounds of an upload."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from whisper_runtime.errors import HttpError, too_many_requests, unavailable
from whisper_runtime.media.raw_audio import DeclaredType
from whisper_runtime.metrics.engine import EngineMetrics
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import MediaFile
from whisper_runtime.service.disk_quota import FULL, disk_full
from whisper_runtime.service.outbound.errors import OutboundError, OutboundReason
from whisper_runtime.service.tracing import record_stage

if TYPE_CHECKING:  # it imports httpx, which takes a tenth of a second, and is wanted where URLs are allowed alone
    from whisper_runtime.service.outbound.download import Download

log = logging.getLogger(__name__)

FIELD: Final = "url"
TIME_PART: Final = 0.5
"""The part of the request time-out that a download may take; the rest is for the transcription."""
MOST_AT_ONCE: Final = 64
MOST_OF_ONE_CLIENT: Final = 16
ANSWERS: Final[dict[OutboundReason, tuple[int, str, str]]] = {
    "Invalid": (400, "invalid_value", "send for example https://files.example.com/a.mp3"),
    "NotAllowed": (400, "url_not_allowed", "send the recording itself in `file`"),
    "NotReadable": (400, "url_not_readable", "send a URL that leads to the file itself and needs no credentials"),
    "Failed": (502, "url_failed", "try again later, or send the recording itself in `file`"),
    "TooSlow": (502, "url_too_slow", "try again later, or send the recording itself in `file`"),
}
"""The status, OpenAI's `code`, and the remedy, for each reason why a file was not fetched (ADR 37)."""

OpenUrl = Callable[[str], "AbstractAsyncContextManager[Download]"]
"""Begins the download of a URL, as outbound.download does."""


@dataclass(frozen=True)
class RemoteFile:
    """A recording that is on another server."""

    url: str


class Downloader:
    """Fetches remote files, each within its request's bounds on bytes, disk and time."""

    def __init__(
        self, open_url: OpenUrl | None, metrics: EngineMetrics, *, max_bytes: int, request_timeout: float
    ) -> None:
        """`open_url` is None where no host is allowed; `request_timeout` is in seconds."""
        self._open_url = open_url
        self._metrics = metrics
        self._max_bytes = max_bytes
        self._seconds = request_timeout * TIME_PART
        self._running = Counter[str]()

    @property
    def is_on(self) -> bool:
        return self._open_url is not None

    @asynccontextmanager
    async def fetched(self, remote: RemoteFile, admitted: Admitted) -> AsyncGenerator[MediaFile]:
        """The file, whole, until the end of the block; its disk stays with the request.

        Raises HttpError: 400 for a URL that is not fetched from, 413 for too large a file, 429 and 503 where there is
        no room, 502 where the other server fails.
        """
        if self._open_url is None:
            raise not_fetched()
        with tempfile.TemporaryFile() as content:
            with self._slot(admitted.client):
                declared = await self._fetch(remote, self._open_url, content, admitted)
            try:
                yield MediaFile(content, declared)
            except HttpError as error:
                raise error.renamed("file", FIELD) from None

    async def _fetch(
        self, remote: RemoteFile, open_url: OpenUrl, content: IO[bytes], admitted: Admitted
    ) -> DeclaredType:
        """Writes the file into `content`; returns what its server says of it. Raises HttpError."""
        started = time.perf_counter()
        admitted.begin_download()
        try:
            async with asyncio.timeout(self._seconds), open_url(remote.url) as found:
                size = await self._write(found, content, admitted)
        except OutboundError as error:
            raise _refusal(error) from None
        except TimeoutError:
            raise _refusal(OutboundError("TooSlow", f"takes longer than {self._seconds:g} s to be fetched")) from None
        finally:
            record_stage(self._metrics, "download", started)
        log.info("fetched %d bytes from %s", size, found.host)
        return DeclaredType(found.content_type, found.name)

    async def _write(self, found: Download, content: IO[bytes], admitted: Admitted) -> int:
        """Writes the body, as it comes, and returns its bytes; the size that its server declares is a hint."""
        if (found.size or 0) > self._max_bytes:
            raise self._too_large()
        admitted.place.declared_bytes = found.size
        size = 0
        try:
            async for block in found.blocks:
                if (size := size + len(block)) > self._max_bytes:
                    raise self._too_large()
                admitted.receive(len(block), is_last=False)
                await asyncio.to_thread(content.write, block)
            await asyncio.to_thread(content.seek, 0)
        except OSError as error:
            raise (disk_full() if error.errno in FULL else error) from None
        admitted.receive(0, is_last=True)
        return size

    @contextmanager
    def _slot(self, client: str) -> Generator[None]:
        """Counts a download that is under way; raises HttpError (429, 503) where there are too many."""
        if self._running[client] >= MOST_OF_ONE_CLIENT:
            message = f"{MOST_OF_ONE_CLIENT} of your recordings are being fetched: try again in a second."
            raise too_many_requests(message, "client_downloads_full", 1)
        if self._running.total() >= MOST_AT_ONCE:
            raise unavailable("Too many recordings are being fetched: try again in a second.", "downloads_full", 1)
        self._running[client] += 1
        try:
            yield
        finally:
            self._running -= Counter({client: 1})

    def _too_large(self) -> HttpError:
        message = (
            f"`{FIELD}` leads to a file of more than the {self._max_bytes} bytes that this server accepts: "
            "send a shorter or a compressed recording."
        )
        return HttpError(413, message, param=FIELD, code="upload_too_large")


def not_fetched() -> HttpError:
    """400 where this server fetches from nowhere."""
    message = "`url` is not supported by this server, which fetches no files: send the recording itself in `file`."
    return HttpError(400, message, param=FIELD, code="unsupported_parameter")


def _refusal(error: OutboundError) -> HttpError:
    status, code, remedy = ANSWERS[error.reason]
    return HttpError(status, f"`{FIELD}` {error.problem}: {remedy}.", param=FIELD, code=code)
