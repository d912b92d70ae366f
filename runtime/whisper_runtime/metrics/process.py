"""The process: its start, its model and what that runs on, and what of it is read when Prometheus asks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import CollectorRegistry, Gauge

from whisper_runtime.contract.metric_names import (
    BFLOAT16_SPEED_METRIC,
    DEVICE_MEMORY_METRIC,
    EGRESS_METRIC,
    MODEL_INFO_METRIC,
    MODEL_LOAD_METRIC,
    OLDEST_WAIT_METRIC,
    QUEUED_AUDIO_METRIC,
    READY_METRIC,
    REALTIME_FACTOR_METRIC,
    ROWS_IN_FLIGHT_METRIC,
    SATURATION_METRIC,
    THREADS_METRIC,
    USER_METRIC,
)
from whisper_runtime.engine.interface import Engine

StartPhase = Literal["fetch", "load", "load_diarizer", "prove"]


class ProcessMetrics:
    """The metrics of one process that serves a model."""

    def __init__(self, registry: CollectorRegistry, model: str) -> None:
        """`model` is the label of the one model that the process serves."""
        self._registry, self._model = registry, model
        self._load = Gauge(MODEL_LOAD_METRIC, "Seconds from start to ready.", registry=registry)
        self._phases = Gauge(
            "whisper_load_phase_seconds", "Seconds of each phase of the start.", ["phase"], registry=registry
        )
        self._info = Gauge(
            MODEL_INFO_METRIC,
            "The served model, its sha256, and what it runs on; always 1.",
            ["model", "digest", "device", "compute_type"],
            registry=registry,
        )
        self._memory = Gauge(DEVICE_MEMORY_METRIC, "Memory of the device that the model holds.", registry=registry)
        self._user = Gauge(USER_METRIC, "The user that the process runs as; 0 is root.", registry=registry)
        self._egress = Gauge(
            EGRESS_METRIC,
            "1 where the last connection from the pod to the target that was tried at the start came about.",
            ["target"],
            registry=registry,
        )
        self._threads = Gauge(
            THREADS_METRIC,
            "Threads that compute, by what decides their number: environment, quota, request, affinity, machine.",
            ["reason"],
            registry=registry,
        )
        self._bfloat16 = Gauge(
            BFLOAT16_SPEED_METRIC,
            "Speed of products in bfloat16 by that in float32, on the named processor; only where the model runs so.",
            ["processor"],
            registry=registry,
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
            Gauge(name, text, registry=self._registry).set_function(value)

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
