"""What has the same result has the same key, and what may have another one has another."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

import numpy as np
import pytest

from tests.fakes.engine import MULTILINGUAL
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.speech.spans import SpeechDetection
from whisper_runtime.engine.transcription import Options
from whisper_runtime.media.raw_audio import RawAudio
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, AudioOptions
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.result_cache import keys
from whisper_runtime.service.result_cache.keys import audio_digest, is_repeatable, result_key, upload_key

MODEL: Final = replace(
    ServedModel(RuntimeConfig(model="base"), MULTILINGUAL).info, digest="d" * 64, precision="float16"
)
SAME: Final[dict[str, Any]] = {
    "owner": "key alice",
    "digest": "a" * 64,
    "options": Options(),
    "audio": DEFAULT_AUDIO,
    "model": MODEL,
}
OPTIONS: Final[dict[str, Any]] = {
    "task": "translate",
    "language": "de",
    "languages": ("de", "fr"),
    "prompt": "Kennedy",
    "keywords": "NASA",
    "temperatures": (0.0,),
    "condition_on_previous_text": False,
    "word_timestamps": True,
    "logprobs": True,
    "seed": 1,
    "without_timestamps": True,
    "beam_size": 5,
    "patience": 2.0,
    "best_of": 5,
    "clip_timestamps": (1.0, 2.0),
    "language_at": 1.0,
    "hallucination_silence_threshold": 2.0,
}


def key(**changes: Any) -> str:
    return result_key(**(SAME | changes))


@pytest.mark.parametrize("name", [field.name for field in fields(Options)])
def test_each_option_of_decoding_is_in_the_key(name: str) -> None:
    assert key(options=replace(Options(), **{name: OPTIONS[name]})) != key()


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "key bob"},
        {"digest": "b" * 64},
        {"audio": AudioOptions(separate_channels=True)},
        {"audio": AudioOptions(detection=SpeechDetection())},
        {"model": replace(MODEL, digest="e" * 64)},
        {"model": replace(MODEL, precision="float32")},
    ],
    ids=str,
)
def test_so_are_client_audio_and_model(change: dict[str, Any]) -> None:
    assert key(**change) != key()


def test_so_is_the_engines_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    monkeypatch.setattr(keys, "ENGINE_VERSION", keys.ENGINE_VERSION + 1)
    assert key() != before


def test_a_models_name_is_not_for_its_digest_is() -> None:
    assert key(model=replace(MODEL, name="mine", aliases=("whisper-9",), created=0)) == key()


def test_parts_cannot_run_into_each_other() -> None:
    assert key(owner="key a", digest="bc") != key(owner="key ab", digest="c")


def test_an_upload_is_known_by_its_bytes_and_by_how_they_are_decoded() -> None:
    same = ("key alice", "f" * 64, None, Options(), DEFAULT_AUDIO, "ffmpeg 7")
    others = [
        ("key bob", *same[1:]),
        ("key alice", "e" * 64, *same[2:]),
        (*same[:2], RawAudio("mulaw", 8000, 1), *same[3:]),
        (*same[:3], Options(language="de"), DEFAULT_AUDIO, "ffmpeg 7"),
        (*same[:3], Options(languages=("de",)), AudioOptions(separate_channels=True), "ffmpeg 7"),
        (*same[:5], "ffmpeg 8"),
    ]
    found = {upload_key(*one) for one in (same, *others)}
    assert len(found) == 1 + len(others)
    assert upload_key(*same[:3], Options(prompt="Kennedy", word_timestamps=True), DEFAULT_AUDIO, "ffmpeg 7") in found


def test_a_language_is_a_wish_for_a_track_however_it_is_given() -> None:
    one, other = Options(language="de"), Options(languages=("de",))
    assert upload_key("", "f", None, one, DEFAULT_AUDIO, "") == upload_key("", "f", None, other, DEFAULT_AUDIO, "")


def test_audio_is_known_by_its_samples_and_by_where_a_channel_ends() -> None:
    samples = np.arange(4, dtype=np.float32)
    assert audio_digest([samples]) == audio_digest([samples.copy()])
    assert len({audio_digest(one) for one in ([samples], [samples[:3]], [samples[:2], samples[2:]])}) == 3


@pytest.mark.parametrize(("temperatures", "repeatable"), [((0.0, 0.2), True), ((0.0,), True), ((0.2,), False)])
def test_what_samples_from_the_first_token_on_is_not_repeatable(
    temperatures: tuple[float, ...], repeatable: bool
) -> None:
    assert is_repeatable(Options(temperatures=temperatures)) is repeatable
