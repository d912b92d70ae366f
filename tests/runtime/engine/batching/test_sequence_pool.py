"""Requests from their first sequence to their future's result."""

from __future__ import annotations

from concurrent.futures import Future

import numpy as np
import pytest
import torch

from tests.fakes.observer import CountingObserver
from tests.fakes.results import request_of, silence
from tests.fakes.runner import FaultyRunner
from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.sequence import WindowSequence
from whisper_runtime.engine.batching.sequence_pool import SequencePool
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.policy.queries import DecodedTokens, DetectedLanguage, Pause
from whisper_runtime.engine.transcription import Options, Transcription

FEATURES = torch.zeros(1, 1500, 16)
NOTHING = DecodedTokens((), (-0.1,), -0.1, 0.0)
SILENT = DecodedTokens((), (-5.0,), -5.0, 0.9)
ENGLISH = Options(language="en")


@pytest.fixture
def pool(runner: FaultyRunner, observer: CountingObserver) -> SequencePool:
    return SequencePool(runner, observer, ThroughputMeter())


def added(pool: SequencePool, options: Options = ENGLISH, seconds: float = 3) -> TranscriptionRequest:
    request = request_of(silence(seconds), options)
    pool.add(request)
    return request


def read(pool: SequencePool) -> WindowSequence:
    """The only sequence, once its pauses are over."""
    while isinstance(pool.sequences[0].pending, Pause):
        pool.advance(pool.sequences[0], None)
    return pool.sequences[0]


def seat(pool: SequencePool, runner: FaultyRunner, sequence: WindowSequence) -> None:
    """Give the sequence a slot, and answer what can be answered from it."""
    assert sequence.window is not None
    pool.occupy(sequence, runner.allocate([sequence.window], FEATURES, [False])[0])
    pool.serve(sequence)


@torch.inference_mode()
def test_a_request_is_complete_when_its_last_sequence_has_ended(pool: SequencePool) -> None:
    request = added(pool)
    pool.advance(read(pool), NOTHING)
    assert request.future.result(0).duration == 3.0
    assert (pool.requests, pool.sequences) == ([], [])


@torch.inference_mode()
def test_the_first_chunk_takes_over_the_slot_in_which_the_language_was_detected(
    pool: SequencePool, runner: FaultyRunner
) -> None:
    runner.language = DetectedLanguage("de", 0.9)
    request = added(pool, Options())
    opening = read(pool)
    seat(pool, runner, opening)
    (chunk,) = pool.sequences
    assert (chunk is opening, opening.slot) == (False, None)
    assert chunk.slot is runner.batch.slots[0]
    assert request.num_slots == 1


@torch.inference_mode()
def test_a_file_in_chunks_has_a_sequence_for_each(pool: SequencePool) -> None:
    samples = np.random.default_rng(0).standard_normal(70 * 16_000).astype(np.float32)
    request = request_of(samples, Options(language="en", condition_on_previous_text=False))
    pool.add(request)
    read(pool)
    assert len(pool.sequences) >= 3
    assert {sequence.request for sequence in pool.sequences} == {request}
    assert [sequence.ticket for sequence in pool.sequences] == sorted(one.ticket for one in pool.sequences)


@torch.inference_mode()
def test_a_window_that_leaves_its_slot_is_counted_as_decoded_and_one_that_is_evicted_is_not(
    pool: SequencePool, runner: FaultyRunner
) -> None:
    request = added(pool, seconds=40)
    sequence = read(pool)
    seat(pool, runner, sequence)
    pool.vacate(sequence)
    assert (request.seconds_left, request.num_slots) == (40.0, 0)
    seat(pool, runner, sequence)
    pool.advance(sequence, SILENT)
    pool.serve(sequence)
    assert (request.seconds_left, request.num_slots, sequence.slot) == (10.0, 0, None)


@torch.inference_mode()
def test_silence_is_observed(pool: SequencePool, observer: CountingObserver) -> None:
    added(pool)
    pool.advance(read(pool), SILENT)
    assert observer.silences == 1


@torch.inference_mode()
def test_a_cancelled_request_frees_its_slots(
    pool: SequencePool, runner: FaultyRunner, observer: CountingObserver
) -> None:
    request = added(pool)
    seat(pool, runner, read(pool))
    request.future.cancel()
    pool.drop_cancelled()
    assert (pool.requests, pool.sequences, runner.batch.slots) == ([], [], [])
    assert observer.cancellations == 1


@torch.inference_mode()
def test_one_request_fails_or_all_do(pool: SequencePool, runner: FaultyRunner) -> None:
    futures: list[Future[Transcription]] = []
    for _ in range(3):
        futures.append(added(pool).future)
    first, rest = ValueError("the client's fault"), RuntimeError("the device is lost")
    pool.fail(pool.requests[0], first)
    pool.fail_all(rest)
    assert [future.exception(0) for future in futures] == [first, rest, rest]
    assert (pool.requests, pool.sequences) == ([], [])
