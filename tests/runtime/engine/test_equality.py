"""The engine's words, times and tokens are those of `whisper.transcribe`, on real speech and real weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import whisper

from whisper_runtime import audio
from whisper_runtime.engine import model
from whisper_runtime.engine.protocol import Samples, State
from whisper_runtime.engine.scheduler import Scheduler
from whisper_runtime.engine.transcription import Options, Transcription

pytestmark = pytest.mark.slow
SECONDS = 300


@pytest.fixture(scope="module", params=["tiny.en", "base"])
def pair(request: pytest.FixtureRequest, weights: dict[str, Path]) -> Iterator[tuple[Any, Scheduler]]:
    """openai-whisper's own model, and the engine on the same weights."""
    path = weights[request.param]
    engine = Scheduler(lambda: model.load(path, "cpu", "auto"), prove=lambda transcribe: None)
    engine.start()
    yield whisper.load_model(str(path), device="cpu"), engine
    engine.stop()


@pytest.fixture(scope="module")
def jfk(recordings: Path) -> Samples:
    return whisper.load_audio(str(recordings / "jfk.wav"))


@pytest.fixture(scope="module")
def long(recordings: Path, jfk: Samples) -> Samples:
    """Three windows of different voices."""
    voices = [whisper.load_audio(str(file)) for file in sorted((recordings / "librivox").glob("*.wav"))]
    return np.concatenate([jfk, *voices, jfk])


def assert_same(found: Transcription, wanted: dict[str, Any]) -> None:
    assert found.text == wanted["text"]
    assert found.language == wanted["language"]
    for mine, theirs in zip(found.segments, wanted["segments"], strict=True):
        assert (mine.id, mine.seek, mine.start, mine.end, mine.text, list(mine.tokens)) == (
            theirs["id"],
            theirs["seek"],
            theirs["start"],
            theirs["end"],
            theirs["text"],
            theirs["tokens"],
        )
        assert mine.avg_logprob == pytest.approx(theirs["avg_logprob"], abs=1e-4)


def test_one_window(pair: tuple[Any, Scheduler], jfk: Samples) -> None:
    theirs, engine = pair
    found = engine.submit(jfk, Options()).result(SECONDS)
    assert_same(found, theirs.transcribe(jfk, fp16=False))
    assert "ask not what your country can do for you" in found.text
    assert found.duration == 11.0


def test_many_windows(pair: tuple[Any, Scheduler], long: Samples) -> None:
    theirs, engine = pair
    options = Options(temperatures=(0.0,))
    assert_same(engine.submit(long, options).result(SECONDS), theirs.transcribe(long, fp16=False, temperature=0.0))


def test_many_windows_without_the_text_before(pair: tuple[Any, Scheduler], long: Samples) -> None:
    theirs, engine = pair
    options = Options(temperatures=(0.0,), condition_on_previous_text=False)
    wanted = theirs.transcribe(long, fp16=False, temperature=0.0, condition_on_previous_text=False)
    assert_same(engine.submit(long, options).result(SECONDS), wanted)


def test_a_given_language_and_a_prompt(pair: tuple[Any, Scheduler], jfk: Samples) -> None:
    theirs, engine = pair
    options = Options(language="en", prompt="John F. Kennedy, 1961")
    wanted = theirs.transcribe(jfk, fp16=False, language="en", initial_prompt="John F. Kennedy, 1961")
    assert_same(engine.submit(jfk, options).result(SECONDS), wanted)


def test_silence_is_no_words(pair: tuple[Any, Scheduler]) -> None:
    theirs, engine = pair
    silence = np.zeros(40 * 16_000, dtype=np.float32)
    options = Options(language="en", temperatures=(0.0,))
    wanted = theirs.transcribe(silence, fp16=False, language="en", temperature=0.0)
    assert_same(engine.submit(silence, options).result(SECONDS), wanted)


def test_translation(weights: dict[str, Path], jfk: Samples) -> None:
    """base is multilingual; English to English is enough to see that the task reaches the decoder."""
    theirs = whisper.load_model(str(weights["base"]), device="cpu")
    engine = Scheduler(lambda: model.load(weights["base"], "cpu", "auto"), prove=lambda transcribe: None)
    engine.start()
    found = engine.submit(jfk, Options(task="translate")).result(SECONDS)
    engine.stop()
    assert_same(found, theirs.transcribe(jfk, fp16=False, task="translate"))


async def test_samples_equal_load_audio(recordings: Path) -> None:
    path = str(recordings / "jfk.wav")
    assert np.array_equal(await audio.decode(path, max_seconds=60, timeout=60), whisper.load_audio(path))


def test_the_weights_equal_load_model(weights: dict[str, Path]) -> None:
    mine, theirs = model.load(weights["tiny.en"], "cpu", "auto"), whisper.load_model(str(weights["tiny.en"]), "cpu")
    assert {name: tensor.dtype for name, tensor in mine.state_dict().items()} == {
        name: tensor.dtype for name, tensor in theirs.state_dict().items()
    }
    assert all((mine.state_dict()[name] == tensor).all() for name, tensor in theirs.state_dict().items())
    assert (mine.decoder.mask == theirs.decoder.mask).all()


def test_two_requests_take_turns_and_both_are_right(pair: tuple[Any, Scheduler], jfk: Samples, long: Samples) -> None:
    _, engine = pair
    slow = engine.submit(long, Options(language="en", temperatures=(0.0,)))
    quick = engine.submit(jfk, Options(language="en"))
    assert "your country" in quick.result(SECONDS).text
    assert not slow.done()
    assert slow.result(SECONDS).text.count("your country") >= 4
    assert engine.queued_audio_seconds == 0
    assert engine.state is State.READY
