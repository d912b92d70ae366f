"""The thread: what becomes of requests, of those whose client goes away, and of a model that cannot be proven."""

from __future__ import annotations

import math
import threading
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.runtime.engine.conftest import Counts, hum
from whisper_runtime.engine.batching import worker
from whisper_runtime.engine.batching.batch import Batch
from whisper_runtime.engine.batching.scheduler import Table
from whisper_runtime.engine.batching.throughput import FIRST, LongSpeed
from whisper_runtime.engine.batching.worker import Scheduler
from whisper_runtime.engine.interface import Samples, State
from whisper_runtime.engine.model import device, load
from whisper_runtime.engine.transcription import Options, Segment
from whisper_runtime.media import self_test

pytestmark = pytest.mark.usefixtures("short_windows")

SECOND = np.zeros(16_000, dtype=np.float32)
OPTIONS = Options(language="en", temperatures=(0.0,))
SECONDS = 120


def failed(engine: Scheduler) -> str:
    engine.start()
    engine._thread.join(60)
    assert engine.state is State.FAILED
    assert engine.error
    return engine.error


@pytest.fixture
def engine(smallest: load.Model) -> Iterator[Scheduler]:
    engine = Scheduler(lambda: smallest, lambda transcribe: None)
    engine.start()
    yield engine
    engine.stop()
    assert engine.state is State.STOPPED


def test_requests_are_answered_and_their_segments_come_before(engine: Scheduler) -> None:
    told: list[Segment] = []
    future = engine.submit(hum(3), OPTIONS, told.extend)
    found = future.result(SECONDS)
    assert tuple(told) == found.segments
    assert found.text == "".join(segment.text for segment in told)
    assert engine.queued_audio_seconds == 0
    assert engine.abilities.languages == 99


@pytest.mark.parametrize(("max_batch_size", "most"), [(1, 1), (2, 2), (None, 3)])
def test_no_more_windows_share_a_step_than_the_user_wants(
    max_batch_size: int | None, most: int, smallest: load.Model, counts: Counts
) -> None:
    engine = Scheduler(lambda: smallest, lambda transcribe: None, counts, max_batch_size)
    futures = [engine.submit(hum(3), OPTIONS) for _ in range(3)]
    engine.start()
    try:
        assert all(future.result(SECONDS) for future in futures)
    finally:
        engine.stop()
    assert max(counts.rows) == most


def test_a_model_is_proven_in_one_pass(smallest: load.Model, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a threshold that nothing passes, by which a client's request is decoded again at each temperature."""
    monkeypatch.setattr("whisper_runtime.engine.policy.windows.LOGPROB_THRESHOLD", 0.0)
    before: list[int] = []

    def prove(transcribe: Callable[[Samples], str]) -> None:
        transcribe(hum(3))
        before.append(counts.fallbacks)

    engine = Scheduler(lambda: smallest, prove, counts)
    engine.start()
    try:
        engine.submit(hum(3), Options(language="en")).result(SECONDS)
        assert (before, counts.fallbacks) == ([0], 5)
    finally:
        engine.stop()


def test_the_recording_that_warms_the_device_up_refuses_no_long_file(smallest: load.Model) -> None:
    """Given a start that is stopped once the model is proven."""
    engine = Scheduler(lambda: smallest, lambda transcribe: transcribe(hum(3)) and None)
    engine.state = State.STOPPED
    engine._run()
    assert engine.speed != FIRST
    assert engine.long_speed == math.inf


def test_after_idle_time_no_file_is_refused_for_what_was_slow_before(
    smallest: load.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.01)
    told = threading.Event()
    monkeypatch.setattr(worker, "LongSpeed", lambda: told.set() or LongSpeed())
    engine = Scheduler(lambda: smallest, lambda transcribe: told.clear())
    engine.start()
    engine.submit(hum(3), OPTIONS).result(SECONDS)
    told.clear()
    assert told.wait(SECONDS)
    assert engine.long_speed == math.inf
    engine.stop()


def test_a_model_that_is_still_loading_is_not_waited_for(smallest: load.Model) -> None:
    loaded = threading.Event()

    def loading() -> load.Model:
        loaded.wait(SECONDS)
        return smallest

    engine = Scheduler(loading, lambda transcribe: None)
    engine.start()
    future = engine.submit(hum(3), OPTIONS)
    engine.stop()
    assert not loaded.is_set()
    assert future.cancelled()
    loaded.set()
    engine._thread.join(SECONDS)
    assert engine.state is State.STOPPED


def test_what_is_left_at_the_end_is_cancelled(smallest: load.Model) -> None:
    engine = Scheduler(lambda: smallest, lambda transcribe: None)
    engine.start()
    futures = [engine.submit(hum(60), OPTIONS) for _ in range(20)]
    engine.stop()
    assert futures[-1].cancelled()


def test_a_model_that_cannot_be_loaded_fails_by_name(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"no checkpoint")
    assert "model.pt is no checkpoint" in failed(
        Scheduler(lambda: load.load(tmp_path / "model.pt", "cpu", "auto"), lambda transcribe: None)
    )


def test_a_model_that_hears_something_else_is_never_ready(smallest: load.Model, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "clip.wav"), "wb") as clip:
        clip.setparams((1, 2, 16_000, 0, "NONE", ""))
        clip.writeframes(bytes(32_000))
    (tmp_path / "clip.txt").write_text("Please call me back tomorrow morning.")
    engine = Scheduler(lambda: smallest, lambda transcribe: self_test.prove(str(tmp_path), 0.2, transcribe))
    assert "of the golden clip's words wrong" in failed(engine)


def test_without_a_clip_nothing_is_proven(tmp_path: Path) -> None:
    def transcribe(samples: Samples) -> str:
        raise AssertionError("there is nothing to transcribe")

    with pytest.raises(self_test.NotProven, match="WHISPER_GOLDEN_DIR"):
        self_test.prove(str(tmp_path), 0.2, transcribe)


@pytest.mark.parametrize(
    ("expected", "heard", "rate"),
    [
        ("Ask not.", " ask not", 0.0),
        ("Please call me back", "Please call me", 0.25),
        ("one two", "one three two", 0.5),
        ("one two", "", 1.0),
    ],
)
def test_the_word_error_rate(expected: str, heard: str, rate: float) -> None:
    assert self_test.word_error_rate(expected, heard) == rate


def test_a_cancelled_request_gives_its_place_back() -> None:
    engine = Scheduler(lambda: pytest.fail("never started"), lambda transcribe: None)
    kept, cancelled = engine.submit(SECOND, Options()), engine.submit(SECOND, Options())
    assert engine.queued_audio_seconds == 2
    cancelled.cancel()
    assert engine.queued_audio_seconds == 1
    engine.stop()
    assert kept.cancelled()


def test_a_model_that_breaks_fails_its_requests_and_says_so(
    smallest: load.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a device that does not compute any more."""

    def broken(table: Table) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    engine = Scheduler(lambda: smallest, lambda transcribe: None)
    monkeypatch.setattr(Table, "turn", broken)
    engine.start()
    with pytest.raises(RuntimeError, match="device-side assert"):
        engine.submit(hum(3), OPTIONS).result(SECONDS)
    engine._thread.join(SECONDS)
    assert engine.state is State.FAILED
    assert engine.error == "CUDA error: device-side assert triggered"


def test_a_device_that_is_lost_ends_every_request_and_the_engine(
    smallest: load.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a device that answers whatever it is asked with the same error, once a request has failed on it."""

    def lost(*_: Any) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    def break_it(_: Sequence[Segment]) -> None:
        for work in ("join", "leave", "start", "step"):
            monkeypatch.setattr(Batch, work, lost)
        lost()

    monkeypatch.setattr(device, "check", lost)
    engine = Scheduler(lambda: smallest, lambda transcribe: None)
    futures = [engine.submit(hum(3), OPTIONS, on_segments) for on_segments in (break_it, None, None)]
    engine.start()
    for future in futures:
        with pytest.raises(RuntimeError, match="illegal memory access"):
            future.result(SECONDS)
    engine._thread.join(SECONDS)
    assert engine.state is State.FAILED
