"""The thread: requests are answered or cancelled, and a model that cannot be loaded or proven is never ready."""

from __future__ import annotations

import logging
import math
import threading
import time
import wave
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.observer import CountingObserver
from tests.fakes.runner import FaultyRunner, faulty_runner
from tests.runtime.engine.conftest import hum
from tests.support.waiting import eventually
from whisper_runtime import logs
from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.scheduler import Scheduler, build_scheduler
from whisper_runtime.engine.batching.throughput import INITIAL, ThroughputMeter
from whisper_runtime.engine.batching.worker import EngineWorker, Transcribe
from whisper_runtime.engine.interface import State
from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.transcription import Options, Segment
from whisper_runtime.media import self_test

SECOND = np.zeros(16_000, dtype=np.float32)
OPTIONS = Options(language="en", temperatures=(0.0,))
SECONDS = 120


def prove_nothing(transcribe: Transcribe) -> None: ...


def failed(engine: EngineWorker) -> str:
    engine.start()
    engine.join(60)
    assert engine.state is State.FAILED
    assert engine.error
    return engine.error


@pytest.fixture
def engine(scheduler: Scheduler) -> Iterator[EngineWorker]:
    engine = EngineWorker(lambda: scheduler, prove_nothing)
    engine.start()
    yield engine
    engine.stop()
    assert engine.state is State.STOPPED


def test_requests_are_answered_and_their_segments_come_before(engine: EngineWorker) -> None:
    reported: list[Segment] = []
    future = engine.submit(hum(3), OPTIONS, reported.extend)
    found = future.result(SECONDS)
    assert tuple(reported) == found.segments
    assert found.text == "".join(segment.text for segment in reported)
    assert engine.queued_audio_seconds == 0
    assert engine.abilities.languages == 99


@pytest.mark.parametrize(("max_batch_size", "most"), [(1, 1), (2, 2), (None, 3)])
def test_no_more_windows_share_a_step_than_the_user_wants(
    max_batch_size: int | None, most: int, smallest: WhisperModel, observer: CountingObserver
) -> None:
    engine = EngineWorker(lambda: build_scheduler(smallest, observer, max_batch_size), prove_nothing)
    futures = [engine.submit(hum(3), OPTIONS) for _ in range(3)]
    engine.start()
    try:
        assert all(future.result(SECONDS) for future in futures)
    finally:
        engine.stop()
    assert max(observer.rows) == most


def test_a_model_is_proven_in_one_pass(scheduler: Scheduler, runner: FaultyRunner, observer: CountingObserver) -> None:
    """Given results below the threshold, for which a client's request is decoded again at each temperature."""
    runner.is_poor = True
    before: list[int] = []

    def prove(transcribe: Transcribe) -> None:
        transcribe(hum(3), "en")
        before.append(observer.fallbacks)

    engine = EngineWorker(lambda: scheduler, prove)
    engine.start()
    try:
        engine.submit(hum(3), Options(language="en")).result(SECONDS)
        assert (before, observer.fallbacks) == ([0], 5)
    finally:
        engine.stop()


def test_the_recording_that_warms_the_device_up_refuses_no_long_file(scheduler: Scheduler) -> None:
    """Given a start that is stopped once the model is proven."""
    engine = EngineWorker(lambda: scheduler, lambda transcribe: transcribe(hum(3), "en") and None)
    engine.state = State.STOPPED
    engine.run()
    assert engine.speed != INITIAL
    assert engine.row_speed == math.inf


def test_after_idle_time_no_file_is_refused_for_what_was_slow_before(
    runner: FaultyRunner, observer: CountingObserver
) -> None:
    forgotten = threading.Event()

    class Meter(ThroughputMeter):
        def forget_rows(self) -> None:
            super().forget_rows()
            forgotten.set()

    scheduler = Scheduler(runner, observer, Meter())
    engine = EngineWorker(lambda: scheduler, prove_nothing, idle_seconds=0.01)
    engine.start()
    engine.submit(hum(3), OPTIONS).result(SECONDS)
    forgotten.clear()
    assert forgotten.wait(SECONDS)
    assert engine.row_speed == math.inf
    engine.stop()


def test_the_thread_sleeps_until_an_alignment_is_there_and_serves_others(
    engine: EngineWorker, runner: FaultyRunner
) -> None:
    """Given a request that is left when its alignment is handed over, and then nothing else to do."""
    runner.withheld = []
    words = engine.submit(hum(3), Options(language="en", temperatures=(0.0,), word_timestamps=True))
    eventually("it is being aligned", lambda: bool(runner.withheld), SECONDS)
    assert engine.submit(hum(3), OPTIONS).result(SECONDS).segments
    assert not words.done()
    withheld, runner.withheld = runner.withheld, None
    for hand_over in withheld:
        hand_over()
    assert words.result(SECONDS).segments


def test_a_model_that_is_still_loading_is_not_waited_for(scheduler: Scheduler) -> None:
    loaded = threading.Event()

    def loading() -> Scheduler:
        loaded.wait(SECONDS)
        return scheduler

    engine = EngineWorker(loading, prove_nothing)
    engine.start()
    future = engine.submit(hum(3), OPTIONS)
    engine.stop()
    assert not loaded.is_set()
    assert future.cancelled()
    loaded.set()
    engine.join(SECONDS)
    assert engine.state is State.STOPPED


def test_requests_that_are_left_at_the_end_are_cancelled(scheduler: Scheduler) -> None:
    engine = EngineWorker(lambda: scheduler, prove_nothing)
    engine.start()
    futures = [engine.submit(hum(60), OPTIONS) for _ in range(20)]
    engine.stop()
    assert futures[-1].cancelled()


def test_a_model_that_cannot_be_loaded_fails_by_name(tmp_path: Path, observer: CountingObserver) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(b"no checkpoint")
    engine = EngineWorker(lambda: build_scheduler(load.load(path, "cpu", "auto"), observer), prove_nothing)
    assert "model.pt is no checkpoint" in failed(engine)


def test_a_model_that_transcribes_something_else_is_never_ready(scheduler: Scheduler, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "clip.wav"), "wb") as clip:
        clip.setparams((1, 2, 16_000, 0, "NONE", ""))
        clip.writeframes(bytes(32_000))
    (tmp_path / "clip.txt").write_text("Please call me back tomorrow morning.")
    engine = EngineWorker(
        lambda: scheduler,
        lambda transcribe: self_test.prove(str(tmp_path), 0.2, lambda samples: transcribe(samples, "en")),
    )
    assert "of the golden clip's words wrong" in failed(engine)


def test_a_cancelled_request_leaves_the_queue() -> None:
    engine = EngineWorker(lambda: pytest.fail("never started"), prove_nothing)
    kept, cancelled = engine.submit(SECOND, Options()), engine.submit(SECOND, Options())
    assert engine.queued_audio_seconds == 2
    cancelled.cancel()
    assert engine.queued_audio_seconds == 1
    engine.stop()
    assert kept.cancelled()


def test_audio_for_which_a_row_is_free_does_not_wait(smallest: WhisperModel, observer: CountingObserver) -> None:
    """Given a batch of two rows and a model's thread that is held within the first window, so that nobody leaves."""
    held, inside = threading.Event(), threading.Event()
    runner = faulty_runner(smallest, observer, 2)

    def hold(operation: str, _of: object) -> None:
        if operation == "decode_batch":
            inside.set()
            held.wait(SECONDS)

    runner.fault = hold
    engine = EngineWorker(lambda: Scheduler(runner, observer, ThroughputMeter()), prove_nothing)
    engine.start()
    begun = threading.Event()
    engine.submit(hum(60), OPTIONS, on_begun=begun.set)
    assert begun.wait(SECONDS)
    assert inside.wait(SECONDS)
    assert (engine.queued_audio_seconds, engine.free_rows) == (0, 1)
    for _ in range(3):
        engine.submit(hum(500), OPTIONS, is_background=lambda: True)
    assert (engine.queued_audio_seconds, engine.free_rows) == (0, 1)
    for _ in range(3):
        engine.submit(hum(5), OPTIONS)
    assert (engine.queued_audio_seconds, engine.free_rows) == (10, 0)
    held.set()
    engine.stop()


def test_a_model_whose_file_is_found_to_be_wrong_is_not_served_any_more(
    scheduler: Scheduler, runner: FaultyRunner
) -> None:
    """Given a request in work, which the model's thread is held within."""
    held, inside = threading.Event(), threading.Event()

    def hold(operation: str, _of: object) -> None:
        if operation == "decode_batch":
            inside.set()
            held.wait(SECONDS)

    runner.fault = hold
    engine = EngineWorker(lambda: scheduler, prove_nothing)
    engine.start()
    future = engine.submit(hum(3), OPTIONS)
    assert inside.wait(SECONDS)
    engine.fail(ValueError("the file has another digest"))
    assert (engine.state, engine.error) == (State.FAILED, "the file has another digest")
    held.set()
    assert str(future.exception(SECONDS)) == "the file has another digest"
    engine.join(SECONDS)
    engine.stop()


def test_the_stages_of_a_request_are_reported_in_their_order(engine: EngineWorker) -> None:
    """Given a recording of three windows, which depend on each other."""
    stages: list[tuple[str, float, float]] = []
    engine.submit(hum(80), OPTIONS, on_stage=lambda *stage: stages.append(stage)).result(SECONDS)
    assert engine.rows_in_flight == 0
    names = [name for name, _, _ in stages]
    assert names == ["queue", *["encode", "decode_steps"] * ((len(names) - 1) // 2)]
    assert len(names) >= 7
    times = [moment for _, began, ended in stages for moment in (began, ended)]
    assert times == sorted(times)


def test_windows_that_are_decoded_are_in_flight(scheduler: Scheduler) -> None:
    """Given an engine whose thread does not run: the test is its thread."""
    request = TranscriptionRequest(hum(3), OPTIONS, Future(), None, time.perf_counter())
    engine = EngineWorker(lambda: scheduler, prove_nothing)
    engine.start()
    eventually("the engine is ready", lambda: engine.state is State.READY)
    engine.stop()
    scheduler.add(request)
    while not request.num_slots:
        scheduler.iterate()
    assert engine.rows_in_flight == 1


def test_a_line_of_the_log_about_a_request_is_in_its_clients_context(
    scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """Given a request that fails by a bug, in the engine's thread."""
    traces: list[str | None] = []

    class Noted(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            traces.append(logs.trace_id.get())
            return True

    def fail(_: Sequence[Segment]) -> None:
        raise ValueError("a bug")

    caplog.handler.addFilter(Noted())
    engine = EngineWorker(lambda: scheduler, prove_nothing)
    engine.start()
    token = logs.trace_id.set("4bf92f3577b34da6a3ce929d0e0e4736")
    future = engine.submit(hum(3), OPTIONS, fail)
    logs.trace_id.reset(token)
    with pytest.raises(ValueError, match="a bug"):
        future.result(SECONDS)
    engine.stop()
    assert "a request failed" in caplog.text
    assert traces == ["4bf92f3577b34da6a3ce929d0e0e4736"]


def test_a_model_that_breaks_fails_its_requests_and_the_engine(scheduler: Scheduler, runner: FaultyRunner) -> None:
    """Given a device that does not compute any more."""

    def broken(operation: str, _: Sequence[Any]) -> None:
        if operation == "encode":
            raise RuntimeError("CUDA error: device-side assert triggered")

    runner.fault = broken
    engine = EngineWorker(lambda: scheduler, prove_nothing)
    engine.start()
    with pytest.raises(RuntimeError, match="device-side assert"):
        engine.submit(hum(3), OPTIONS).result(SECONDS)
    engine.join(SECONDS)
    assert engine.state is State.FAILED
    assert engine.error == "CUDA error: device-side assert triggered"


def test_a_device_that_is_lost_ends_every_request_and_the_engine(scheduler: Scheduler, runner: FaultyRunner) -> None:
    """Given a device that answers every call with the same error, once a request has failed on it."""
    error = RuntimeError("CUDA error: an illegal memory access was encountered")

    def lost(*_: Any) -> None:
        raise error

    def lose_device(_: Sequence[Segment]) -> None:
        runner.fault, runner.device_error = lost, error
        raise error

    engine = EngineWorker(lambda: scheduler, prove_nothing)
    futures = [engine.submit(hum(3), OPTIONS, on_segments) for on_segments in (lose_device, None, None)]
    engine.start()
    for future in futures:
        with pytest.raises(RuntimeError, match="illegal memory access"):
            future.result(SECONDS)
    engine.join(SECONDS)
    assert engine.state is State.FAILED


def test_a_panic_of_native_code_fails_the_engine(scheduler: Scheduler, runner: FaultyRunner) -> None:
    class Panic(BaseException):
        """As pyo3's PanicException, which is no Exception."""

    def panic(operation: str, _: Sequence[Any]) -> None:
        if operation == "encode":
            raise Panic("index out of bounds")

    runner.fault = panic
    engine = EngineWorker(lambda: scheduler, prove_nothing)
    engine.start()
    with pytest.raises(RuntimeError, match="Panic: index out of bounds"):
        engine.submit(hum(3), OPTIONS).result(SECONDS)
    engine.join(SECONDS)
    assert (engine.state, engine.error) == (State.FAILED, "Panic: index out of bounds")


def test_a_thread_that_hangs_is_told_and_not_waited_for(scheduler: Scheduler, runner: FaultyRunner) -> None:
    """Given a driver that does not return."""
    returns = threading.Event()

    def hang(operation: str, _: Sequence[Any]) -> None:
        if operation == "encode":
            returns.wait(SECONDS)

    runner.fault = hang
    engine = EngineWorker(lambda: scheduler, prove_nothing, stuck_seconds=0.2)
    engine.start()
    assert not engine.is_stuck
    future = engine.submit(hum(3), OPTIONS)
    eventually("it is told", lambda: engine.is_stuck, SECONDS)
    engine.stop()
    assert future.cancelled()
    assert engine.is_alive()
    returns.set()
    engine.join(SECONDS)
