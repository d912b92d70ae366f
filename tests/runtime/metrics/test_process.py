"""The start, the model, the device and the queue of a process."""

from __future__ import annotations

import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import PartsOf
from tests.support.samples import value
from whisper_runtime.contract.metric_names import AUTOSCALING_METRICS
from whisper_runtime.metrics.served import Metrics


def test_the_start_and_the_device_have_metrics() -> None:
    metrics = Metrics("base")
    with metrics.process.phase("load"):
        pass
    metrics.process.serves("a" * 64, "NVIDIA H100", "float16", lambda: 1024.0)
    labels = {"model": "base", "digest": "a" * 64, "device": "NVIDIA H100", "compute_type": "float16"}
    assert value(metrics.registry, "whisper_model_info", **labels) == 1
    assert value(metrics.registry, "whisper_device_memory_bytes") == 1024
    assert value(metrics.registry, "whisper_load_phase_seconds", phase="load") < 60


@pytest.mark.parametrize("name", AUTOSCALING_METRICS)
def test_what_an_autoscaler_needs_is_there_from_the_start(parts_of: PartsOf, name: str) -> None:
    assert value(parts_of().metrics.registry, name) >= 0


def test_saturation_is_one_where_requests_begin_to_be_refused(parts_of: PartsOf, engine: FakeEngine) -> None:
    parts = parts_of(max_queued_audio_seconds=100)
    engine.queued_audio_seconds = 100
    assert value(parts.metrics.registry, "whisper_saturation_ratio") == 1


def test_threads_and_the_processors_speed_are_told_with_their_reason_and_name() -> None:
    metrics = Metrics("base")
    metrics.process.computes_in(2, "quota")
    metrics.process.multiplies("A Xeon (avx512f)", 0.62)
    assert value(metrics.registry, "whisper_threads", reason="quota") == 2
    assert value(metrics.registry, "whisper_bfloat16_speed_ratio", processor="A Xeon (avx512f)") == 0.62
