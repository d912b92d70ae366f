"""What the engine does, and the stages before it: an Observer (engine/interface.py) that counts."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from whisper_runtime.contract.metric_names import BATCH_FILL_METRIC, STAGE_SECONDS_METRIC

STAGE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
FILL_BUCKETS: Final = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1)


class EngineMetrics:
    """The metrics of an engine, and of what is done with a recording before it gets there."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stages = Histogram(
            STAGE_SECONDS_METRIC,
            "Seconds that a stage took: download, decode (media), speech, speakers_queue, speakers, queue, encode, "
            "detect, decode_step, words.",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self._fill = Histogram(
            BATCH_FILL_METRIC,
            "Part of a decoding batch that was used, step by step.",
            buckets=FILL_BUCKETS,
            registry=registry,
        )
        self._steps = Counter(
            "whisper_decode_steps_total",
            "Decode steps of the batch: replayed as CUDA graphs, or launched one operation after the other (eager).",
            ["launch"],
            registry=registry,
        )
        self._fallbacks = Counter(
            "whisper_fallbacks_total", "Windows decoded again at a higher temperature.", registry=registry
        )
        self._silent = Counter("whisper_no_speech_total", "Windows taken for silence.", registry=registry)
        self._spared = Counter(
            "whisper_spared_windows_total",
            "Windows of 30 s that the model need not read, for they hold no speech; where requests have it detected.",
            registry=registry,
        )
        self._cancelled = Counter(
            "whisper_cancellations_total", "Requests that left the model before their end.", registry=registry
        )
        self._splits = Counter(
            "whisper_batch_splits_total", "Batches cut in two for want of device memory.", registry=registry
        )

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
