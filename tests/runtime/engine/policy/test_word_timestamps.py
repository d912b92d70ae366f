"""Words and their times are those of openai-whisper's add_word_timestamps for the same alignment."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import whisper.timing
from whisper.timing import WordTiming
from whisper.timing import add_word_timestamps as upstream

from tests.fakes.results import TOKENIZER
from whisper_runtime.engine.policy.queries import Alignment
from whisper_runtime.engine.policy.segments import WindowSegment
from whisper_runtime.engine.policy.word_timestamps import add_word_timestamps, text_tokens

TEXTS = (" Ask not,", " what your country.", ' "For" you. Ask')
OFFSET = 60.0


def segments_of(texts: tuple[str, ...]) -> list[WindowSegment]:
    return [
        WindowSegment(OFFSET + 3.0 * number, OFFSET + 3.0 * number + 2.5, text, tuple(TOKENIZER.encode(text)), ())
        for number, text in enumerate(texts)
    ]


def alignment_of(tokens: list[int], seed: int) -> Alignment:
    """Tokens that last up to 1.2 s each, now and then."""
    random = np.random.default_rng(seed)
    starts = np.cumsum(random.choice([4, 8, 15, 60], len(tokens) + 1))
    probabilities = tuple(random.uniform(0.1, 1.0, len(tokens)).tolist())
    return Alignment(probabilities, tuple(range(len(tokens) + 1)), tuple(starts.tolist()))


def timings_of(alignment: Alignment, tokens: list[int]) -> list[WordTiming]:
    """As the end of upstream's find_alignment computes them."""
    words, of_words = TOKENIZER.split_to_word_tokens([*tokens, TOKENIZER.eot])
    bounds = np.pad(np.cumsum([len(one) for one in of_words[:-1]]), (1, 0))
    times = np.array(alignment.time_indices) / 50
    return [
        WordTiming(word, one, times[start], times[end], float(np.mean(alignment.probabilities[start:end])))
        for word, one, start, end in zip(words, of_words, bounds[:-1], bounds[1:], strict=False)
    ]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("last_speech", [0.0, OFFSET - 0.1])
def test_words_are_those_of_upstream(seed: int, last_speech: float, monkeypatch: pytest.MonkeyPatch) -> None:
    segments = segments_of(TEXTS)
    tokens = text_tokens(segments, TOKENIZER)
    alignment = alignment_of(tokens, seed)
    theirs = [
        {"seek": int(OFFSET * 100), "start": one.start, "end": one.end, "tokens": list(one.tokens)} for one in segments
    ]
    monkeypatch.setattr(whisper.timing, "find_alignment", lambda *_, **__: timings_of(alignment, tokens))
    upstream(
        segments=theirs,
        model=None,
        tokenizer=TOKENIZER,
        mel=torch.zeros(80, 3000),
        num_frames=3000,
        last_speech_timestamp=last_speech,
    )
    add_word_timestamps(segments, alignment, TOKENIZER, OFFSET, last_speech)
    found = [
        [(word.word, word.start, word.end, pytest.approx(word.probability)) for word in one.words] for one in segments
    ]
    assert found == [
        [(word["word"], word["start"], word["end"], word["probability"]) for word in one["words"]] for one in theirs
    ]
    assert [(one.start, one.end) for one in segments] == [(one["start"], one["end"]) for one in theirs]


def test_segments_without_text_have_no_words() -> None:
    segments = segments_of(("",))
    add_word_timestamps(segments, None, TOKENIZER, OFFSET, 0.0)
    assert segments[0].words == []
