"""Which sequences get a slot next, by what they wait for and what the others hold."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from tests.fakes.results import MODEL, request_of, silence, spectrogram
from tests.fakes.runner import FaultyRunner
from whisper_runtime.engine.batching.admission import MAX_SEARCH_SLOTS, PATIENCE_SECONDS, admitted
from whisper_runtime.engine.batching.sequence import WindowSequence
from whisper_runtime.engine.policy.queries import DetectLanguage, QueryGenerator, Window
from whisper_runtime.engine.transcription import Options

SEARCHED = Options(beam_size=2)


def waiting(ticket: int, options: Options | None = None, client: str = "alice") -> WindowSequence:
    def detecting() -> QueryGenerator:
        yield DetectLanguage(Window(torch.zeros(80, 3000), 30.0))

    sequence = WindowSequence(request_of(silence(1), options or Options()), detecting(), ticket)
    sequence.request.client = client
    sequence.advance(None)
    return sequence


def order(
    sequences: list[WindowSequence],
    free: int = 8,
    limit: int = 8,
    turns: Mapping[str, int] | None = None,
    now: float = 0.0,
) -> list[tuple[str, int]]:
    """Client and ticket of each sequence that is admitted, in the order in which they are."""
    return [(one.request.client, one.ticket) for one in admitted(sequences, free, limit, turns or {}, now)]


def test_the_request_with_the_fewest_slots_is_first_and_then_who_has_waited_longest(runner: FaultyRunner) -> None:
    running, chunk, first, second = waiting(0), waiting(1), waiting(2), waiting(3)
    chunk.request = running.request
    occupy(runner, running)
    assert order([running, chunk, second, first]) == [("alice", 2), ("alice", 3), ("alice", 1)]


def test_clients_take_turns_whatever_the_number_of_their_files() -> None:
    files = [waiting(ticket) for ticket in range(4)] + [waiting(9, client="bob"), waiting(10, client="bob")]
    assert order(files, limit=4) == [("alice", 0), ("bob", 9), ("alice", 1), ("bob", 10)]


def test_a_client_with_fewer_rows_is_first(runner: FaultyRunner) -> None:
    running, file, later = waiting(0), waiting(1), waiting(2, client="bob")
    occupy(runner, running)
    assert order([running, file, later], limit=1) == [("bob", 2)]


@pytest.mark.parametrize(
    ("turns", "first"), [({}, "alice"), ({"alice": 7}, "bob"), ({"alice": 7, "bob": 8}, "alice"), ({"bob": 1}, "alice")]
)
def test_of_clients_with_as_many_rows_it_is_the_turn_of_who_had_it_longest_ago(
    turns: Mapping[str, int], first: str
) -> None:
    """Else a batch of one row would go through all files of one client before another's."""
    assert order([waiting(0), waiting(1, client="bob")], free=1, turns=turns)[0][0] == first


def test_in_the_background_a_window_yields_to_all_others_until_it_has_waited_for_a_minute() -> None:
    job, later = waiting(0), waiting(9, client="bob")
    job.request.is_background = lambda: True
    assert order([job, later], free=2) == [("bob", 9), ("alice", 0)]
    assert order([job, later], free=1, now=job.waits_since + PATIENCE_SECONDS - 1) == [("bob", 9)]
    assert order([job, later], free=1, now=job.waits_since + PATIENCE_SECONDS) == [("alice", 0)]
    job.request.is_background = lambda: False
    assert order([job, later], free=1) == [("alice", 0)]


@torch.inference_mode()
def occupy(runner: FaultyRunner, sequence: WindowSequence) -> None:
    assert sequence.window
    searched = sequence.is_searched
    (sequence.slot,) = runner.allocate([sequence.window], torch.zeros(1, 1500, 16), [searched])
    sequence.request.num_slots += 1


@pytest.mark.parametrize(("free", "limit", "count"), [(4, 8, 3), (2, 8, 2), (4, 1, 1), (0, 8, 0)])
def test_as_many_as_have_a_slot_and_are_encoded_at_once(free: int, limit: int, count: int) -> None:
    sequences = [waiting(ticket) for ticket in (2, 0, 1)]
    by_ticket = sorted(sequences, key=lambda one: one.ticket)
    assert admitted(sequences, free, limit, {}, 0.0) == by_ticket[:count]


def test_a_file_that_is_being_read_needs_no_slot() -> None:
    request = request_of(silence(1), Options())
    reading = WindowSequence(request, request.open(MODEL, spectrogram), ticket=0)
    assert admitted([reading], 4, 8, {}, 0.0) == []


def test_searches_have_slots_of_their_own(runner: FaultyRunner) -> None:
    """Given a full batch, one search that runs, and two that wait."""
    running, first, second, greedy = waiting(0, SEARCHED), waiting(1, SEARCHED), waiting(2, SEARCHED), waiting(3)
    occupy(runner, running)
    assert MAX_SEARCH_SLOTS == 2
    assert admitted([running, first, second, greedy], 0, 8, {}, 0.0) == [first]


def test_one_that_needs_the_empty_device_waits_for_it_and_is_then_alone(runner: FaultyRunner) -> None:
    big, other, running = waiting(5), waiting(0), waiting(1)
    big.needs_empty_device = True
    occupy(runner, running)
    assert admitted([other, big, running], 3, 8, {}, 0.0) == []
    running.slot = None
    assert admitted([other, big, running], 4, 8, {}, 0.0) == [big]
