"""The parts of a process belong together, and its gauges show them."""

from __future__ import annotations

from tests.fakes.engine import FakeEngine
from tests.fakes.parts import fake_parts
from whisper_runtime.engine.interface import State
from whisper_runtime.service.lifecycle import Phase


def test_gauges_follow_the_parts(engine: FakeEngine) -> None:
    parts = fake_parts(engine, max_queued_audio_seconds=100)

    def gauges() -> tuple[float | None, ...]:
        names = ("ready", "queued_audio_seconds", "saturation_ratio", "realtime_factor", "scratch_bytes")
        return tuple(parts.metrics.registry.get_sample_value(f"whisper_{name}") for name in names)

    assert gauges() == (1, 0, 0, 10, 0)
    engine.queued_audio_seconds = 50
    with parts.admission.disk.reservation("alice") as upload:
        upload.set(7)
        assert gauges() == (1, 50, 0.5, 10, 7)
    engine.free_rows = 1
    assert gauges()[2] == 0
    engine.state = State.FAILED
    assert gauges()[0] == 0


def test_the_phase_that_the_server_sets_is_that_of_admission_and_probes(engine: FakeEngine) -> None:
    parts = fake_parts(engine)
    assert parts.probes.unready is None
    parts.lifecycle.phase = Phase.LEAVING
    assert parts.probes.unready == "draining"


def test_a_full_queue_leaves_the_process_ready(engine: FakeEngine) -> None:
    """Else the last pod leaves the Service, and a drain takes the busiest one."""
    parts = fake_parts(engine, max_queued_audio_seconds=100)
    engine.queued_audio_seconds = 1000
    assert parts.probes.unready is None
    assert parts.metrics.registry.get_sample_value("whisper_ready") == 1
