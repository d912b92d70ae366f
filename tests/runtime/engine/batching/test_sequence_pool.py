"""Requests from their first sequence to their future's result."""

from __future__ import annotations

import math
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
    pool.occupy(sequence, runner.allocate([sequence.window], FEATURES, [False])[0], 0.0)
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
def test_a_window_that_is_cut_short_is_not_counted_as_transcribed(runner: FaultyRunner) -> None:
    """Or clients that hang up would make the model look fast."""
    meter = ThroughputMeter()
    pool = SequencePool(runner, CountingObserver(), meter)
    request = added(pool, seconds=40)
    seat(pool, runner, read(pool))
    request.future.cancel()
    pool.drop_cancelled()
    assert meter.row_speed == math.inf


@torch.inference_mode()
def test_a_recording_waits_until_its_first_window_has_a_slot(pool: SequencePool, runner: FaultyRunner) -> None:
    begun: list[str] = []
    request = request_of(silence(40), ENGLISH)
    request.on_begun = lambda: begun.append("begun")
    pool.add(request)
    sequence = read(pool)
    assert (request.has_begun, begun) == (False, [])
    seat(pool, runner, sequence)
    pool.advance(sequence, SILENT)
    pool.serve(sequence)
    seat(pool, runner, sequence)
    assert (request.has_begun, begun) == (True, ["begun"])


@torch.inference_mode()
def test_a_long_file_is_read_piece_by_piece_in_turn_with_those_that_came_later(pool: SequencePool) -> None:
    """Given a file of three pieces of five minutes each."""
    long, later = added(pool, seconds=900), added(pool)
    (first,) = pool.next_to_read(1)
    pool.read(first)
    (second,) = pool.next_to_read(1)
    assert (first.request, second.request) == (long, later)


def test_a_client_that_had_no_turn_yet_has_its_file_read_first(pool: SequencePool) -> None:
    hog, other = added(pool), added(pool)
    hog.client, other.client, pool.turns["hog"] = "hog", "other", 0
    assert [one.request for one in pool.next_to_read(2)] == [other, hog]


def test_the_turns_of_clients_that_left_are_forgotten(pool: SequencePool) -> None:
    added(pool).client = "here"
    pool.turns |= {"here": 1, "gone": 2}
    added(pool)
    assert pool.turns == {"here": 1}


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
