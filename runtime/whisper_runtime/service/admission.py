"""Which requests are taken: asked at the door, before the body is read, and once more when the length is known."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.front import LoadReport
from whisper_runtime.engine.interface import Engine, State
from whisper_runtime.errors import HttpError, unavailable
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.disk_quota import DiskQuota
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.lifecycle import Lifecycle, Phase
from whisper_runtime.service.place import QueuePlace, estimated_seconds
from whisper_runtime.service.queue_policy import (
    OVERRUN,
    file_speed,
    longest_recording,
    queue_limit,
    queue_refusal,
    too_long,
    too_slow,
)
from whisper_runtime.service.rate_limits import ClientRates, RateLimits
from whisper_runtime.service.upload_size import check_upload_size

LOADING_RETRY_AFTER: Final = 5


class Admission:
    """Holds every limit of one process: phase, model, queue, fair share, rates, disk, deadlines.

    A client is the name under which limits count it (client_identity). Each refusal is raised as HttpError.
    """

    def __init__(
        self, config: RuntimeConfig, engine: Engine, lifecycle: Lifecycle, rates: ClientRates | None = None
    ) -> None:
        """`rates` None: they are counted in this process."""
        self._config = config
        self._engine = engine
        self._lifecycle = lifecycle
        self.shares = FairShare()
        self.rates = rates or RateLimits(config.requests_per_minute, config.audio_minutes_per_hour)
        self.disk = DiskQuota(config.max_scratch_bytes)

    def at_the_door(self, client: str, body_bytes: int | None, *, is_deferred: bool = False) -> Admitted:
        """Admits a request for work, before its body is read, and gives it its place in the queue.

        `body_bytes` is the length that the client declares; None: a chunked body. `is_deferred`: it is to become a job,
        and has a place that counts for nothing. Raises HttpError: 503 while the process starts or stops, 413 for too
        large a body, 429 for a full queue or share. It costs its client nothing yet: that is Admitted.charge_request.
        """
        self.shares.note_request(client)
        if error := self._unavailable():
            raise error
        if not is_deferred and (error := self._no_place(client, estimated_seconds(body_bytes))):
            raise error
        try:
            self.check_size(body_bytes)
        except HttpError as error:
            raise error.with_headers(self.rates.headers(client)) from None
        place = self.shares.take(client, body_bytes, is_deferred=is_deferred)
        return Admitted(place, self.shares, self.rates, self.disk, self.max_upload_bytes)

    def in_background(self, client: str) -> Admitted:
        """Admits a line of a batch: it is no request, and has a place that counts for nothing.

        Raises HttpError: 503 while the process starts or stops, 429 where its client has used up its audio.
        """
        if error := self._unavailable():
            raise error
        self.rates.check_audio(client)
        place = self.shares.take(client, None, is_deferred=True)
        return Admitted(place, self.shares, self.rates, self.disk, self.max_upload_bytes)

    def check_size(self, body_bytes: int | None) -> None:
        """Raises HttpError (413) where a body of the declared length is too large; None: a chunked one."""
        check_upload_size(body_bytes, self.max_upload_bytes)

    @contextmanager
    def after_decoding(self, request: Admitted, seconds: float) -> Generator[None, None, None]:
        """Holds the request's place in the queue, for its `seconds` of audio.

        Raises HttpError (429) where the queue or the client's share is full. Audio is charged that has its place.
        """
        place, client = request.place, request.client
        if error := self._no_place(client, seconds, place):
            place.is_waiting = False
            raise error
        place.seconds = seconds
        request.charge_audio(seconds)
        self.shares.accept(place)
        try:
            yield
        finally:
            place.accepted, place.is_waiting = None, False

    def too_long(self, longest: float, seconds: float) -> HttpError:
        """The refusal of a recording of more than `longest` seconds, as `longest_recording` was before decoding.

        413 where it is never taken, else 503. `seconds`: its declared length; 0 where it is not known.
        """
        if longest >= self._config.max_audio_seconds or seconds > self._config.max_audio_seconds:
            return too_long(self._config.max_audio_seconds)
        return too_slow(longest, self._config.request_timeout_seconds, by_job=self._config.keeps_jobs)

    @property
    def queue_limit(self) -> float:
        """Seconds of audio that may wait now."""
        config = self._config
        return queue_limit(config.max_queued_audio_seconds, self._engine.speed, config.request_timeout_seconds)

    def load(self, *, is_ready: bool) -> LoadReport:
        """What this process has left; read by the probes' thread."""
        coming, arriving = self.shares.coming()
        free = max(0, self._engine.free_rows - coming)
        queued = 0.0 if free else self._engine.queued_audio_seconds + arriving
        return LoadReport(
            is_ready=is_ready,
            queued_audio_seconds=queued,
            free_rows=free,
            queue_limit_seconds=self.queue_limit,
            speed=self._engine.speed,
        )

    @property
    def saturation(self) -> float:
        """The audio that waits for the model, as a part of what may wait; read by the probes' thread."""
        return 0.0 if self._engine.free_rows else self._engine.queued_audio_seconds / self.queue_limit

    def longest_recording(self, place: QueuePlace) -> float:
        """Seconds of the longest recording that is taken now, in that place."""
        if place.is_deferred:
            return self._config.max_audio_seconds
        wait, config = self._wait(place), self._config
        speed = self._file_speed(wait)
        return longest_recording(speed, wait, config.request_timeout_seconds, config.max_audio_seconds)

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

    def _no_place(self, client: str, seconds: float, place: QueuePlace | None = None) -> HttpError | None:
        """429 where `seconds` of audio find no place; None: they do. `place`: the one that they have since the door."""
        if (queued := self._ahead(place)) is None:
            return None
        speed, limit = self._engine.speed, self.queue_limit
        overrun = 1.0 if place is None else OVERRUN
        return queue_refusal(queued, seconds, speed, limit, overrun) or self.shares.refusal(
            client, seconds, speed, limit * overrun, place
        )

    def _ahead(self, place: QueuePlace | None) -> float | None:
        """Seconds of audio that wait before the recording of that place; None: there is a row for it."""
        coming, arriving = self.shares.coming(but=place)
        return None if self._engine.free_rows > coming else self._engine.queued_audio_seconds + arriving

    def _wait(self, place: QueuePlace) -> float:
        """Seconds until the recording of that place begins."""
        return (self._ahead(place) or 0.0) / self._engine.speed

    def _file_speed(self, wait: float) -> float:
        """The speed of a file that begins after `wait` seconds: its windows follow each other in one row, unless none
        depends on another."""
        rows = 1 if self._config.condition_on_previous_text else max(1, self._engine.free_rows)
        return file_speed(self._engine.row_speed, rows, wait)
