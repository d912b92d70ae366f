"""What Prometheus scrapes; one registry per process object, so that tests never share counts."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from whisper_runtime.contract import (
    AUDIO_SECONDS_METRIC,
    MODEL_INFO_METRIC,
    MODEL_LOAD_METRIC,
    QUEUED_AUDIO_METRIC,
    READY_METRIC,
    REALTIME_FACTOR_METRIC,
    REQUESTS_METRIC,
    TRANSCRIPTION_SECONDS_BUCKETS,
    TRANSCRIPTION_SECONDS_METRIC,
    TRANSCRIPTIONS_METRIC,
)
from whisper_runtime.engine.protocol import Engine, State
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.lifecycle import Lifecycle, Phase
from whisper_runtime.served import ServedModel

AUDIO_BUCKETS: Final = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400)


class Metrics:
    def __init__(self, served: ServedModel, engine: Engine, lifecycle: Lifecycle) -> None:
        self.registry = CollectorRegistry()
        self._model = served.name
        self._transcriptions = Counter(
            TRANSCRIPTIONS_METRIC,
            "Transcriptions that ended well.",
            ["language", "model"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            TRANSCRIPTION_SECONDS_METRIC,
            "Seconds from a request's last byte to its text.",
            ["model"],
            buckets=TRANSCRIPTION_SECONDS_BUCKETS,
            registry=self.registry,
        )
        self._audio = Histogram(
            AUDIO_SECONDS_METRIC,
            "Seconds of audio in a transcription.",
            ["model"],
            buckets=AUDIO_BUCKETS,
            registry=self.registry,
        )
        self._requests = Counter(
            REQUESTS_METRIC,
            "Requests by route and status.",
            ["route", "status"],
            registry=self.registry,
        )
        self._load = Gauge(MODEL_LOAD_METRIC, "Seconds from start to ready.", registry=self.registry)
        self._observe(served, engine, lifecycle)

    def _observe(self, served: ServedModel, engine: Engine, lifecycle: Lifecycle) -> None:
        """Gauges that are read from the engine when Prometheus asks."""
        ready = Gauge(READY_METRIC, "1 while requests are to be sent here, as /ready says.", registry=self.registry)
        ready.set_function(lambda: engine.state is State.READY and lifecycle.phase is Phase.SERVING)
        queued = Gauge(QUEUED_AUDIO_METRIC, "Seconds of audio that wait.", registry=self.registry)
        queued.set_function(lambda: engine.queued_audio_seconds)
        speed = Gauge(REALTIME_FACTOR_METRIC, "Seconds of audio transcribed per second.", registry=self.registry)
        speed.set_function(lambda: engine.speed)
        info = Gauge(MODEL_INFO_METRIC, "The served model; always 1.", ["model", "digest"], registry=self.registry)
        info.labels(served.name, served.digest or "").set(1)

    def transcribed(self, found: Transcription, seconds: float) -> None:
        """Counts one transcription that took `seconds`."""
        self._transcriptions.labels(found.language, self._model).inc()
        self._seconds.labels(self._model).observe(seconds)
        self._audio.labels(self._model).observe(found.duration)

    def requested(self, route: str, status: int) -> None:
        self._requests.labels(route, str(status)).inc()

    def loaded(self, seconds: float) -> None:
        self._load.set(seconds)
