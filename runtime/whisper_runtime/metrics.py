"""The metrics that Prometheus scrapes; one registry for each `Metrics`, so that tests never share counts.

`Metrics` is the engine's Observer (engine/interface.py), and the HTTP side counts requests in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from whisper_runtime.contract.metric_names import (
    AUDIO_SECONDS_METRIC,
    BATCH_FILL_METRIC,
    BFLOAT16_SPEED_METRIC,
    CLIENT_AUDIO_METRIC,
    DEVICE_MEMORY_METRIC,
    EGRESS_METRIC,
    ERRORS_METRIC,
    FIRST_TEXT_METRIC,
    MODEL_INFO_METRIC,
    MODEL_LOAD_METRIC,
    OLDEST_WAIT_METRIC,
    QUEUED_AUDIO_METRIC,
    READY_METRIC,
    REALTIME_FACTOR_METRIC,
    REJECTIONS_METRIC,
    REQUESTS_IN_FLIGHT_METRIC,
    REQUESTS_METRIC,
    ROWS_IN_FLIGHT_METRIC,
    SATURATION_METRIC,
    STAGE_SECONDS_METRIC,
    THREADS_METRIC,
    TRANSCRIPTION_SECONDS_BUCKETS,
    TRANSCRIPTION_SECONDS_METRIC,
    TRANSCRIPTIONS_METRIC,
    USER_METRIC,
    WEBHOOKS_METRIC,
)
from whisper_runtime.engine.interface import Engine
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.errors import REJECTED

STAGE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
AUDIO_BUCKETS: Final = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400)
FILL_BUCKETS: Final = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1)

MAX_CLIENT_LABELS: Final = 1000
"""Clients that have a series of their own; the audio of all further ones is in that of OTHER_CLIENTS."""
OTHER_CLIENTS: Final = "(others)"
"""No client has this name: the key of a Secret has no parentheses."""

WebhookOutcome = Literal["delivered", "failed", "abandoned"]
StartPhase = Literal["fetch", "load", "load_diarizer", "prove"]


class Metrics:
    def __init__(self, model: str) -> None:
        """`model` is the label of the one model that the process serves."""
        self._model = model
        self.registry = CollectorRegistry()
        self._requests()
        self._engine()
        self._process()

    def _requests(self) -> None:
        self._transcriptions = Counter(
            TRANSCRIPTIONS_METRIC, "Transcriptions that ended well.", ["language", "model"], registry=self.registry
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
        self._first_text = Histogram(
            FIRST_TEXT_METRIC,
            "Seconds from a request's last byte to the first of its segments; of recordings with speech alone.",
            ["model"],
            buckets=TRANSCRIPTION_SECONDS_BUCKETS,
            registry=self.registry,
        )
        self._client_audio = Counter(
            CLIENT_AUDIO_METRIC,
            "Seconds of audio transcribed, by the name of the client's API key; `(no key)`: clients without one.",
            ["client"],
            registry=self.registry,
        )
        self._clients = set[str]()
        self._in_flight = Gauge(
            REQUESTS_IN_FLIGHT_METRIC, "Requests that have come and are not answered yet.", registry=self.registry
        )
        self._answers = Counter(
            REQUESTS_METRIC, "Requests by route and status.", ["route", "status"], registry=self.registry
        )
        self._rejections = Counter(
            REJECTIONS_METRIC, "Requests that were turned away, by the error's code.", ["cause"], registry=self.registry
        )
        self._errors = Counter(
            ERRORS_METRIC, "Requests that failed, by the error's code.", ["cause"], registry=self.registry
        )

        self._webhooks = Counter(
            WEBHOOKS_METRIC,
            "Attempts to send the event of an end: delivered; failed, so that another follows; abandoned.",
            ["outcome"],
            registry=self.registry,
        )

    def _engine(self) -> None:
        self._stages = Histogram(
            STAGE_SECONDS_METRIC,
            "Seconds that a stage took: download, decode (media), speech, speakers_queue, speakers, queue, encode, "
            "detect, decode_step, words.",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=self.registry,
        )
        self._fill = Histogram(
            BATCH_FILL_METRIC,
            "Part of a decoding batch that was used, step by step.",
            buckets=FILL_BUCKETS,
            registry=self.registry,
        )
        self._steps = Counter(
            "whisper_decode_steps_total",
            "Decode steps of the batch: replayed as CUDA graphs, or launched one operation after the other (eager).",
            ["launch"],
            registry=self.registry,
        )
        self._fallbacks = Counter(
            "whisper_fallbacks_total", "Windows decoded again at a higher temperature.", registry=self.registry
        )
        self._silent = Counter("whisper_no_speech_total", "Windows taken for silence.", registry=self.registry)
        self._spared = Counter(
            "whisper_spared_windows_total",
            "Windows of 30 s that the model need not read, for they hold no speech; where requests have it detected.",
            registry=self.registry,
        )
        self._cancelled = Counter(
            "whisper_cancellations_total", "Requests that left the model before their end.", registry=self.registry
        )
        self._splits = Counter(
            "whisper_batch_splits_total", "Batches cut in two for want of device memory.", registry=self.registry
        )

    def _process(self) -> None:
        self._load = Gauge(MODEL_LOAD_METRIC, "Seconds from start to ready.", registry=self.registry)
        self._phases = Gauge(
            "whisper_load_phase_seconds", "Seconds of each phase of the start.", ["phase"], registry=self.registry
        )
        self._info = Gauge(
            MODEL_INFO_METRIC,
            "The served model, its sha256, and what it runs on; always 1.",
            ["model", "digest", "device", "compute_type"],
            registry=self.registry,
        )
        self._memory = Gauge(DEVICE_MEMORY_METRIC, "Memory of the device that the model holds.", registry=self.registry)
        self._user = Gauge(USER_METRIC, "The user that the process runs as; 0 is root.", registry=self.registry)
        self._egress = Gauge(
            EGRESS_METRIC,
            "1 where the last connection from the pod to the target that was tried at the start came about.",
            ["target"],
            registry=self.registry,
        )
        self._threads = Gauge(
            THREADS_METRIC,
            "Threads that compute, by what decides their number: environment, quota, request, affinity, machine.",
            ["reason"],
            registry=self.registry,
        )
        self._bfloat16 = Gauge(
            BFLOAT16_SPEED_METRIC,
            "Speed of products in bfloat16 by that in float32, on the named processor; only where the model runs so.",
            ["processor"],
            registry=self.registry,
        )
        self._user.set(os.geteuid())

    def watch(
        self,
        engine: Engine,
        saturation: Callable[[], float],
        oldest_wait: Callable[[], float],
        scratch: Callable[[], float],
        ready: Callable[[], bool],
    ) -> None:
        """Adds the gauges that are read when Prometheus asks, from the thread of the probes.

        `saturation` is the part of the queue that is full, `oldest_wait` in seconds, `scratch` in bytes.
        """
        for name, text, value in (
            (READY_METRIC, "1 while requests are to be sent here, as /ready says.", ready),
            (
                QUEUED_AUDIO_METRIC,
                "Seconds of audio that wait: of recordings with which no row has begun, and for which none is free.",
                lambda: engine.queued_audio_seconds,
            ),
            (ROWS_IN_FLIGHT_METRIC, "Windows that are decoded now, each in a row.", lambda: engine.rows_in_flight),
            (OLDEST_WAIT_METRIC, "Seconds since the oldest request that is here was accepted.", oldest_wait),
            (REALTIME_FACTOR_METRIC, "Seconds of audio transcribed per second.", lambda: engine.speed),
            (
                SATURATION_METRIC,
                "Audio that waits, as a part of what may wait; 0 while rows are free; near 1 requests are refused.",
                saturation,
            ),
            ("whisper_scratch_bytes", "Disk reserved for uploads and decoded audio.", scratch),
        ):
            Gauge(name, text, registry=self.registry).set_function(value)

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

    def loaded(self, seconds: float) -> None:
        """The process became ready, `seconds` after its start."""
        self._load.set(seconds)

    @contextmanager
    def phase(self, name: StartPhase) -> Generator[None, None, None]:
        """Times the block as a phase of the start."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._phases.labels(name).set(time.perf_counter() - started)

    def serves(self, digest: str | None, device: str, compute_type: str, memory: Callable[[], float]) -> None:
        """Describes the model: the sha256 of its checkpoint (None: not known yet), its device and its precision.

        `memory` gives the bytes that it holds on the device, when Prometheus asks.
        """
        self._info.clear()
        self._info.labels(self._model, digest or "", device, compute_type).set(1)
        self._memory.set_function(memory)

    def computes_in(self, threads: int, reason: str) -> None:
        """torch computes in so many threads, for one of the reasons of threads.CountReason."""
        self._threads.labels(reason).set(threads)

    def multiplies(self, processor: str, bfloat16_speed: float) -> None:
        """The processor multiplies in bfloat16, and so many times as fast as in float32."""
        self._bfloat16.labels(processor).set(bfloat16_speed)

    def egress(self, target: str, is_open: bool) -> None:
        """The last connection from the pod to `target` came about, or did not."""
        self._egress.labels(target).set(is_open)

    def stage(self, name: str, seconds: float) -> None:
        self._stages.labels(name).observe(seconds)

    def batch(self, rows: int, capacity: int) -> None:
        self._fill.observe(rows / capacity)

    def launched(self, *, replayed: bool) -> None:
        self._steps.labels("replayed" if replayed else "eager").inc()

    def fallback(self) -> None:
        self._fallbacks.inc()

    def no_speech(self) -> None:
        self._silent.inc()

    def spared(self, windows: int) -> None:
        """The model need not read so many windows, for they hold no speech."""
        self._spared.inc(windows)

    def cancelled(self) -> None:
        self._cancelled.inc()

    def split(self) -> None:
        self._splits.inc()
