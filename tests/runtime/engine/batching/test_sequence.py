"""A sequence of windows: what its generator waits for."""

from __future__ import annotations

import pytest
import torch

from tests.fakes.results import request_of, silence
from whisper_runtime.engine.batching.sequence import WindowSequence
from whisper_runtime.engine.policy.queries import DetectedLanguage, DetectLanguage, Pause, QueryGenerator, Window
from whisper_runtime.engine.transcription import Options

WINDOW = Window(torch.zeros(80, 3000), 30.0)


def sequence_of(queries: QueryGenerator, ticket: int = 0, options: Options | None = None) -> WindowSequence:
    return WindowSequence(request_of(silence(1), options or Options()), queries, ticket)


def detecting() -> QueryGenerator:
    yield Pause()
    language = yield DetectLanguage(WINDOW)
    assert language == DetectedLanguage("de", 0.9)


def test_it_needs_a_window_while_the_pending_query_is_about_one() -> None:
    sequence = sequence_of(detecting())
    assert sequence.window is None
    assert sequence.advance(None)
    assert (sequence.pending, sequence.window) == (Pause(), None)
    assert sequence.advance(None)
    assert sequence.window is WINDOW
    assert not sequence.is_closed


def test_it_has_ended_once_its_generator_has() -> None:
    sequence = sequence_of(detecting())
    assert [sequence.advance(result) for result in (None, None, DetectedLanguage("de", 0.9))] == [True, True, False]
    assert sequence.is_closed


def test_it_is_closed_by_what_its_generator_raises() -> None:
    def broken() -> QueryGenerator:
        yield Pause()
        raise torch.OutOfMemoryError

    sequence = sequence_of(broken())
    sequence.advance(None)
    with pytest.raises(torch.OutOfMemoryError):
        sequence.advance(None)
    assert sequence.is_closed


@pytest.mark.parametrize(
    ("options", "searched"), [(Options(), False), (Options(beam_size=5), True), (Options(best_of=5), True)]
)
def test_beams_and_several_samples_are_searched(options: Options, searched: bool) -> None:
    assert sequence_of(detecting(), options=options).is_searched == searched
