"""Which requests are taken: asked once at the door, before the body is read, and once after decoding."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import Engine, State
from whisper_runtime.errors import HttpError, unavailable
from whisper_runtime.service.disk_quota import DiskQuota, Reservation
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.lifecycle import Lifecycle, Phase
from whisper_runtime.service.queue_policy import deadline, longest_recording, queue_limit, queue_refusal, too_long
from whisper_runtime.service.rate_limits import RateLimits

LOADING_RETRY_AFTER: Final = 5


class Admission:
    """Holds every limit of one process: phase, model, queue, fair share, rates, disk, deadlines.

    A client is the name under which limits count it (client_identity). Each refusal is raised as HttpError.
    """

    def __init__(self, config: RuntimeConfig, engine: Engine, lifecycle: Lifecycle) -> None:
        self._config = config
        self._engine = engine
        self._lifecycle = lifecycle
        self.shares = FairShare()
        self.rates = RateLimits(config.requests_per_minute, config.audio_minutes_per_hour)
        self.disk = DiskQuota(config.max_scratch_bytes)

    def at_the_door(self, client: str, body_bytes: int | None) -> Reservation:
        """Admits a request for work, before its body is read; returns the disk that is reserved for the body.

        `body_bytes` is the length that the client declares; None: a chunked body. Raises HttpError: 503 while the
        process starts or stops or the disk is full, 429 for a full queue, share or rate, 413 for too large a body. A
        request that the server cannot take does not count against its client's rate; one that is too large does.
        """
        self.shares.note_request(client)
        if error := self._unavailable() or self._no_place(client, 0.0, self._engine.queued_audio_seconds):
            raise error
        try:
            self.rates.charge_request(client)
            return self.upload(body_bytes)
        except HttpError as error:
            if error.status_code == 503:
                self.rates.return_request(client)
            raise error.with_headers(self.rates.headers(client)) from None

    def upload(self, body_bytes: int | None) -> Reservation:
        """Reserves the disk for a body of `body_bytes`; None: as much as a body may have.

        Raises HttpError: 413 where it is too large, 503 where the disk is full.
        """
        if body_bytes is not None and body_bytes > self.max_upload_bytes:
            raise upload_too_large(self.max_upload_bytes)
        return self.disk.reserve(self.max_upload_bytes if body_bytes is None else body_bytes)

    @contextmanager
    def after_decoding(self, client: str, seconds: float) -> Generator[float, None, None]:
        """Holds a place in the queue for `seconds` of audio during the block; yields the seconds it may take.

        Raises HttpError (429) where the queue or the client's share is full; the audio then does not count against the
        client's rate, for it has to be sent again.
        """
        queued = self._engine.queued_audio_seconds
        if error := self._no_place(client, seconds, queued):
            raise error
        self.rates.charge_audio(client, seconds)
        with self.shares.hold(client, seconds):
            yield deadline(seconds, queued, self._engine.speed, self._config.request_timeout_seconds)

    def too_long(self, longest: float) -> HttpError:
        """413 for a recording of more than `longest` seconds, as `longest_recording` was before decoding."""
        return too_long(longest, self._config.max_audio_seconds, self._config.request_timeout_seconds)

    @property
    def queue_limit(self) -> float:
        """Seconds of audio that may wait now."""
        config = self._config
        return queue_limit(config.max_queued_audio_seconds, self._engine.speed, config.request_timeout_seconds)

    @property
    def longest_recording(self) -> float:
        """Seconds of the longest recording that is taken now."""
        config = self._config
        return longest_recording(self._engine.long_speed, config.request_timeout_seconds, config.max_audio_seconds)

    @property
    def max_upload_bytes(self) -> int:
        return min(self._config.max_upload_bytes, self.disk.limit)

    def _unavailable(self) -> HttpError | None:
        if self._lifecycle.phase is Phase.REFUSING:
            message = "The server is shutting down: try again, and another replica will answer."
            return unavailable(message, "shutting_down", 1)
        if self._engine.state is not State.READY:
            message = f"The model is not loaded yet: try again in {LOADING_RETRY_AFTER} s."
            return unavailable(message, "model_not_ready", LOADING_RETRY_AFTER)
        return None

    def _no_place(self, client: str, seconds: float, queued: float) -> HttpError | None:
        speed, limit = self._engine.speed, self.queue_limit
        return queue_refusal(queued, seconds, speed, limit) or self.shares.refusal(client, seconds, speed, limit)


def upload_too_large(max_bytes: int) -> HttpError:
    """413 for a body of more than `max_bytes`."""
    message = (
        f"The request is larger than the {max_bytes} bytes that this server accepts: "
        "send a shorter or a compressed recording."
    )
    return HttpError(413, message, param="file", code="upload_too_large")
