"""Counts and seconds of requests: as they come, are answered, and have their text; and the webhooks of their ends."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from whisper_runtime.contract.metric_names import (
    AUDIO_SECONDS_METRIC,
    CLIENT_AUDIO_METRIC,
    ERRORS_METRIC,
    FIRST_TEXT_METRIC,
    REJECTIONS_METRIC,
    REQUESTS_IN_FLIGHT_METRIC,
    REQUESTS_METRIC,
    TRANSCRIPTION_SECONDS_BUCKETS,
    TRANSCRIPTION_SECONDS_METRIC,
    TRANSCRIPTIONS_METRIC,
    WEBHOOKS_METRIC,
)
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.errors import REJECTED

AUDIO_BUCKETS: Final = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400)

MAX_CLIENT_LABELS: Final = 1000
"""Clients that have a series of their own; the audio of all further ones is in that of OTHER_CLIENTS."""
OTHER_CLIENTS: Final = "(others)"
"""No client has this name: the key of a Secret has no parentheses."""

WebhookOutcome = Literal["delivered", "failed", "abandoned"]


class RequestMetrics:
    """The metrics of requests to one process."""

    def __init__(self, registry: CollectorRegistry, model: str) -> None:
        """`model` is the label of the one model that the process serves."""
        self._model = model
        self._transcriptions = Counter(
            TRANSCRIPTIONS_METRIC, "Transcriptions that ended well.", ["language", "model"], registry=registry
        )
        self._seconds = Histogram(
            TRANSCRIPTION_SECONDS_METRIC,
            "Seconds from a request's last byte to its text.",
            ["model"],
            buckets=TRANSCRIPTION_SECONDS_BUCKETS,
            registry=registry,
        )
        self._audio = Histogram(
            AUDIO_SECONDS_METRIC,
            "Seconds of audio in a transcription.",
            ["model"],
            buckets=AUDIO_BUCKETS,
            registry=registry,
        )
        self._first_text = Histogram(
            FIRST_TEXT_METRIC,
            "Seconds from a request's last byte to the first of its segments; of recordings with speech alone.",
            ["model"],
            buckets=TRANSCRIPTION_SECONDS_BUCKETS,
            registry=registry,
        )
        self._client_audio = Counter(
            CLIENT_AUDIO_METRIC,
            "Seconds of audio transcribed, by the name of the client's API key; `(no key)`: clients without one.",
            ["client"],
            registry=registry,
        )
        self._clients = set[str]()
        self._in_flight = Gauge(
            REQUESTS_IN_FLIGHT_METRIC, "Requests that have come and are not answered yet.", registry=registry
        )
        self._answers = Counter(
            REQUESTS_METRIC, "Requests by route and status.", ["route", "status"], registry=registry
        )
        self._rejections = Counter(
            REJECTIONS_METRIC, "Requests that were turned away, by the error's code.", ["cause"], registry=registry
        )
        self._errors = Counter(
            ERRORS_METRIC, "Requests that failed, by the error's code.", ["cause"], registry=registry
        )
        self._webhooks = Counter(
            WEBHOOKS_METRIC,
            "Attempts to send the event of an end: delivered; failed, so that another follows; abandoned.",
            ["outcome"],
            registry=registry,
        )

    def transcribed(self, found: Transcription, seconds: float, client: str) -> None:
        """Counts one transcription, which took `seconds`, for the client of that label (client_identity)."""
        self._transcriptions.labels(found.language, self._model).inc()
        self._seconds.labels(self._model).observe(seconds)
        self._audio.labels(self._model).observe(found.audio_seconds)
        if client not in self._clients and len(self._clients) >= MAX_CLIENT_LABELS:
            client = OTHER_CLIENTS
        else:
            self._clients.add(client)
        self._client_audio.labels(client).inc(found.audio_seconds)

    def webhook_tried(self, outcome: WebhookOutcome) -> None:
        """Counts one attempt to send an event."""
        self._webhooks.labels(outcome).inc()

    def first_text(self, seconds: float) -> None:
        """A request has the first of its text, `seconds` after its last byte."""
        self._first_text.labels(self._model).observe(seconds)

    @contextmanager
    def in_flight(self, *, is_counted: bool) -> Generator[None, None, None]:
        """Counts a request that is here for as long as the block takes, unless it is a probe."""
        self._in_flight.inc(is_counted)
        try:
            yield
        finally:
            self._in_flight.dec(is_counted)

    def answered(self, route: str, status: int, cause: str | None) -> None:
        """Counts a request by its route's template and its status; `cause`: the code of its error, if it has one."""
        self._answers.labels(route, str(status)).inc()
        if status in REJECTED:
            self._rejections.labels(cause or str(status)).inc()
        elif status >= 400:
            self._errors.labels(cause or str(status)).inc()
