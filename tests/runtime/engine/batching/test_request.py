"""A request: the generators of its chunks, its segments in the file's order, and its future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.results import decoded, opened, request_of, run, silence, transcribe
from whisper_runtime.engine.policy.queries import DecodedTokens, DecodeWindow
from whisper_runtime.engine.transcription import Options, Segment

ENGLISH = Options(language="en")


def test_a_file_without_conditioning_is_split_at_quiet_places_and_reported_in_order() -> None:
    """Given 70 s with a pause at 25 s and at 50 s, whose chunks are answered last first."""
    samples = np.full(70 * 16_000, 0.1, dtype=np.float32)
    for second in (25, 50):
        samples[int((second - 0.2) * 16_000) : int((second + 0.2) * 16_000)] = 0
    reported: list[Segment] = []
    options = replace(ENGLISH, condition_on_previous_text=False)
    request = request_of(samples, options, reported)
    chunks, _ = opened(request)
    assert len(chunks) == 3
    for chunk, text in reversed([*zip(chunks, (" One.", " Two.", " Three."), strict=True)]):
        assert reported == []
        run(request, chunk, iter((decoded(0.0, text, 20.0),)))
    assert [(segment.id, segment.text) for segment in reported] == [(0, " One."), (1, " Two."), (2, " Three.")]
    assert [segment.start for segment in reported] == pytest.approx([0, 25, 50], abs=0.2)
    assert request.transcription().text == " One. Two. Three."


def test_segments_are_reported_window_by_window_and_their_texts_make_up_the_whole() -> None:
    reported: list[Segment] = []
    found, _ = transcribe(60, ENGLISH, decoded(0.0, " One.", 30.0), decoded(0.0, " Two.", 30.0), reported=reported)
    assert tuple(reported) == found.segments
    assert "".join(segment.text for segment in reported) == found.text == " One. Two."


def test_its_progress_moves_with_each_window_one_without_speech_as_well() -> None:
    quiet = decoded(" Thank you.", no_speech_prob=0.9, logprob=-1.5)
    seconds = list[float]()
    request = request_of(silence(70), ENGLISH)
    request.on_progress = seconds.append
    (chunk,), _ = opened(request)
    run(request, chunk, iter([quiet, decoded(0.0, " One.", 20.0, 20.0), quiet]))
    assert seconds == [30.0, 50.0, 70.0]


def test_its_progress_is_that_of_all_its_chunks() -> None:
    samples, seconds = np.full(70 * 16_000, 0.1, dtype=np.float32), list[float]()
    samples[int(24.8 * 16_000) : int(25.2 * 16_000)] = samples[int(49.8 * 16_000) : int(50.2 * 16_000)] = 0
    request = request_of(samples, replace(ENGLISH, condition_on_previous_text=False))
    request.on_progress = seconds.append
    for chunk in reversed(opened(request)[0]):
        run(request, chunk, iter((decoded(0.0, " One.", 20.0),)))
    assert seconds == pytest.approx([20, 45, 70], abs=0.5)


def test_what_its_clips_leave_out_counts_once_it_is_passed() -> None:
    seconds = list[float]()
    request = request_of(silence(100), replace(ENGLISH, clip_timestamps=(20.0, 40.0, 60.0, 80.0)))
    request.on_progress = seconds.append
    (chunk,), _ = opened(request)
    run(request, chunk, iter([decoded(0.0, " One.", 20.0)] * 2))
    assert seconds == [40.0, 80.0]


def test_the_clients_prompt_conditions_the_first_chunk_alone() -> None:
    options = replace(ENGLISH, prompt="Kennedy", condition_on_previous_text=False)
    chunks, _ = opened(request_of(silence(70), options))
    queries = [next(chunk) for chunk in chunks]
    first, *others = [query.params.sot_index for query in queries if isinstance(query, DecodeWindow)]
    assert first > 0
    assert others == [0, 0]


@pytest.mark.parametrize(
    ("results", "is_sampled"),
    [
        ([decoded(0.0, " One.", 9.0)], False),
        ([decoded(" eh", logprob=-2.0), decoded(0.0, " One.", 9.0)], True),
        ([decoded(" eh", logprob=-2.0), decoded(" la", logprob=-2.0, no_speech_prob=0.9)], True),
    ],
    ids=["at temperature 0", "a fallback", "a fallback that ends as silence"],
)
def test_it_says_whether_a_window_was_sampled(results: list[DecodedTokens], is_sampled: bool) -> None:
    found, _ = transcribe(10, ENGLISH, *results)
    assert found.is_sampled is is_sampled


def test_generators_are_taken_once() -> None:
    request = request_of(silence(1), ENGLISH)
    chunks, _ = opened(request)
    assert len(chunks) == 1
    assert request.take_opened() == []


def test_a_request_that_was_cancelled_is_neither_completed_nor_failed() -> None:
    for end in ("complete", "fail"):
        request = request_of(silence(1), ENGLISH)
        request.future.cancel()
        request.complete() if end == "complete" else request.fail(RuntimeError())
        assert request.future.cancelled()


def test_a_request_fails_with_its_error() -> None:
    request, error = request_of(silence(1), ENGLISH), RuntimeError("tensor a (6) must match b (3)")
    request.fail(error)
    assert request.future.exception() is error
