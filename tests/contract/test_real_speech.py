"""The official clients, a real server process, real weights, a real voice: every format says what was spoken."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import whisper
from whisper.utils import WriteSRT, WriteVTT

from testbed.inputs.recordings import JFK_WORDS
from tests.support.openai_clients import OpenAiCall, OpenAiClient, python
from whisper_runtime.media.wer import word_error_rate

pytestmark = pytest.mark.slow

MAX_WORD_ERROR_RATE = 0.1
SECONDS = 11.0
TIMES = re.compile(r"00:00:(\d\d),(\d{3})")
"""A time of an srt file of less than a minute."""


@pytest.fixture(scope="module")
def judge(weights: dict[str, Path], recordings: Path) -> dict[str, Any]:
    """What openai-whisper itself makes of the recording."""
    model = whisper.load_model(str(weights["tiny.en"]), device="cpu")
    return model.transcribe(str(recordings / "jfk.wav"), fp16=False)


@pytest.fixture
def say(client: OpenAiClient, real: tuple[str, str], recordings: Path) -> Any:
    """Sends the recording with the given options; what came of it."""
    url, _ = real

    def send(**params: Any) -> Any:
        outcome = client(url, OpenAiCall("transcribe", {"model": "tiny.en", **params}, str(recordings / "jfk.wav")))
        assert outcome.error is None
        return outcome.events or outcome.value

    return send


def test_json(say: Any) -> None:
    found = say(language="en")
    assert word_error_rate(JFK_WORDS, found["text"]) <= MAX_WORD_ERROR_RATE
    assert found["usage"] == {"type": "duration", "seconds": math.ceil(SECONDS)}


def test_text_is_that_of_whisper(say: Any, judge: dict[str, Any]) -> None:
    assert say(response_format="text") == judge["text"].strip() + "\n"


@pytest.mark.parametrize(("response_format", "writer"), [("srt", WriteSRT), ("vtt", WriteVTT)])
def test_subtitles_are_those_of_whisper(say: Any, judge: dict[str, Any], response_format: str, writer: Any) -> None:
    file = io.StringIO()
    writer("").write_result(judge, file)
    assert say(response_format=response_format) == file.getvalue()


def test_verbose_json_has_the_segments_of_whisper(say: Any, judge: dict[str, Any]) -> None:
    found = say(response_format="verbose_json")
    assert (found["language"], found["duration"]) == ("english", SECONDS)
    exact = ("id", "seek", "start", "end", "text", "tokens", "temperature")
    assert [{name: segment[name] for name in exact} for segment in found["segments"]] == [
        {name: segment[name] for name in exact} for segment in judge["segments"]
    ]
    for segment, wanted in zip(found["segments"], judge["segments"], strict=True):
        for name in ("avg_logprob", "compression_ratio", "no_speech_prob"):
            assert segment[name] == pytest.approx(wanted[name], abs=1e-3)


@pytest.fixture(scope="module")
def judge_of_words(weights: dict[str, Path], recordings: Path) -> dict[str, Any]:
    """What openai-whisper itself makes of the recording, with the times of words."""
    model = whisper.load_model(str(weights["tiny.en"]), device="cpu")
    model.set_alignment_heads(whisper._ALIGNMENT_HEADS["tiny.en"])  # as whisper does for a model by name
    return model.transcribe(str(recordings / "jfk.wav"), fp16=False, word_timestamps=True)


@pytest.mark.parametrize("limits", [{"max_line_width": 20, "max_line_count": 2}, {"max_words_per_line": 3}])
def test_lines_of_subtitles_are_those_of_whisper(
    real: tuple[str, str], recordings: Path, judge_of_words: dict[str, Any], limits: dict[str, int]
) -> None:
    url, _ = real
    fields = {"model": "tiny.en", "response_format": "srt", **limits}
    with open(recordings / "jfk.wav", "rb") as file:
        answer = httpx.post(f"{url}/v1/audio/transcriptions", files={"file": file}, data=fields, timeout=60)
    wanted = io.StringIO()
    WriteSRT("").write_result(judge_of_words, wanted, limits)
    assert TIMES.sub("", answer.text) == TIMES.sub("", wanted.getvalue())
    assert _seconds(answer.text) == pytest.approx(_seconds(wanted.getvalue()), abs=0.05)


def _seconds(subtitles: str) -> list[float]:
    return [float(f"{seconds}.{thousandths}") for seconds, thousandths in TIMES.findall(subtitles)]


def test_words_have_the_times_of_whisper(say: Any, judge_of_words: dict[str, Any]) -> None:
    found = say(response_format="verbose_json", timestamp_granularities=["word", "segment"])
    wanted = [word for segment in judge_of_words["segments"] for word in segment["words"]]
    assert [word["word"] for word in found["words"]] == [word["word"].strip() for word in wanted]
    for word, right in zip(found["words"], wanted, strict=True):
        assert (word["start"], word["end"]) == pytest.approx((right["start"], right["end"]), abs=0.05)


def test_log_probabilities_are_those_of_the_tokens_that_make_the_text(say: Any) -> None:
    found = say(include=["logprobs"])
    assert "".join(entry["token"] for entry in found["logprobs"]).strip() == found["text"]
    assert all(entry["logprob"] <= 0 for entry in found["logprobs"])


def test_a_stream_ends_with_the_whole_text(say: Any, judge: dict[str, Any]) -> None:
    *deltas, done = say(stream=True)
    assert deltas
    assert "".join(event["delta"] for event in deltas) == done["text"] == judge["text"].strip()
    assert (done["usage"]["type"], done["usage"]["input_tokens"]) == ("tokens", math.ceil(SECONDS * 50))


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"beam_size": 5}, {"beam_size": 5}),
        ({"beam_size": 3, "patience": 2}, {"beam_size": 3, "patience": 2.0}),
        ({"clip_timestamps": "2,8"}, {"clip_timestamps": [2, 8]}),
        ({"clip_timestamps": "8.5"}, {"clip_timestamps": [8.5]}),
        ({"without_timestamps": True}, {"without_timestamps": True}),
        ({"hotwords": "Kennedy.", "prompt": "A speech."}, {"initial_prompt": "Kennedy. A speech."}),
        (
            {"keywords": ["Kennedy", "Americans"]},
            {"initial_prompt": "Kennedy, Americans", "carry_initial_prompt": True},
        ),
    ],
    ids=str,
)
def test_other_servers_fields_mean_what_they_mean_to_whisper(
    real: tuple[str, str], recordings: Path, weights: dict[str, Path], fields: dict[str, Any], options: dict[str, Any]
) -> None:
    model = whisper.load_model(str(weights["tiny.en"]), device="cpu")
    judge = model.transcribe(str(recordings / "jfk.wav"), fp16=False, **options)
    params = {"model": "tiny.en", "response_format": "verbose_json", "extra_body": fields}
    found = python(real[0], OpenAiCall("transcribe", params, str(recordings / "jfk.wav"))).value
    wanted = [(segment["start"], segment["end"], segment["tokens"]) for segment in judge["segments"]]
    assert [(segment["start"], segment["end"], segment["tokens"]) for segment in found["segments"]] == wanted


def test_a_prompt_and_a_temperature_are_taken(say: Any) -> None:
    found = say(prompt="A speech by Kennedy.", temperature=0.2, response_format="verbose_json")
    assert word_error_rate(JFK_WORDS, found["text"]) <= MAX_WORD_ERROR_RATE
    assert {segment["temperature"] for segment in found["segments"]} == {0.2}


def test_an_english_model_says_that_it_does_not_translate(
    client: OpenAiClient, real: tuple[str, str], recordings: Path
) -> None:
    url, _ = real
    error = client(url, OpenAiCall("translate", {"model": "whisper-1"}, str(recordings / "jfk.wav"))).error
    assert error is not None
    assert (error["status"], error["code"]) == (400, "translation_not_supported")
    assert "was not trained to translate" in error["message"]


@pytest.mark.parametrize("content", [b"", b"this is no audio" * 100], ids=["empty", "text"])
def test_what_is_no_audio_is_a_400(client: OpenAiClient, real: tuple[str, str], tmp_path: Path, content: bytes) -> None:
    url, _ = real
    (tmp_path / "a.wav").write_bytes(content)
    error = client(url, OpenAiCall("transcribe", {"model": "whisper-1", "stream": True}, str(tmp_path / "a.wav"))).error
    assert error is not None
    assert (error["status"], error["param"]) == (400, "file")
