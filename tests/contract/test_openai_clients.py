"""OpenAI's official clients, unmodified, get what their types promise, and raise what their users catch."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.support.openai_clients import OpenAiCall, OpenAiClient, python
from tests.support.runtime_server import fake_server
from tests.support.waiting import eventually
from whisper_runtime.engine.interface import OnSegments, Samples
from whisper_runtime.engine.transcription import Options, Transcription

ONE = replace(SEGMENT, text=" Ask not", end=1.0)
TWO = replace(SEGMENT, id=1, text=" what your country.", start=1.0, end=2.5)
BOTH = replace(SPOKEN, text=ONE.text + TWO.text, segments=(ONE, TWO))
TEXT = "Ask not what your country."
pytestmark = pytest.mark.slow

USAGE = {"type": "duration", "seconds": 3}
STREAMED = {"type": "tokens", "input_tokens": 125, "output_tokens": 10, "total_tokens": 135}
"""Required by clients that are strict, as async-openai is."""
SEGMENT_FIELDS = {
    *("id", "seek", "start", "end", "text", "tokens"),
    *("temperature", "avg_logprob", "compression_ratio", "no_speech_prob"),
}


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.answer = BOTH
    return engine


@pytest.fixture
def url(engine: FakeEngine) -> Iterator[str]:
    with fake_server(engine) as url:
        yield url


def transcribe(clip: str, **params: Any) -> OpenAiCall:
    return OpenAiCall("transcribe", {"model": "whisper-1", **params}, clip)


def translate(clip: str, **params: Any) -> OpenAiCall:
    return OpenAiCall("translate", {"model": "whisper-1", **params}, clip)


SUBTITLES = {
    "text": TEXT + "\n",
    "srt": "1\n00:00:00,000 --> 00:00:01,000\nAsk not\n\n2\n00:00:01,000 --> 00:00:02,500\nwhat your country.\n\n",
    "vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\nAsk not\n\n00:01.000 --> 00:02.500\nwhat your country.\n\n",
}


@pytest.mark.parametrize("response_format", SUBTITLES)
@pytest.mark.parametrize("operation", ["transcribe", "translate"])
def test_text_formats_are_strings(
    client: OpenAiClient, url: str, clip: str, operation: str, response_format: str
) -> None:
    call = OpenAiCall(operation, {"model": "base", "response_format": response_format}, clip)
    assert client(url, call).value == SUBTITLES[response_format]


def test_json(client: OpenAiClient, url: str, clip: str) -> None:
    assert client(url, transcribe(clip)).value == {"text": TEXT, "usage": USAGE}
    assert client(url, translate(clip)).value == {"text": TEXT}


def test_json_with_log_probabilities(client: OpenAiClient, url: str, clip: str) -> None:
    found = client(url, transcribe(clip, include=["logprobs"])).value
    assert [entry["token"] for entry in found["logprobs"]] == [" Ask", " not", "."] * 2
    assert all(set(entry) == {"token", "bytes", "logprob"} for entry in found["logprobs"])


@pytest.mark.parametrize(
    ("granularities", "parts"),
    [
        (None, {"segments"}),
        (["segment"], {"segments"}),
        (["word"], {"words"}),
        (["word", "segment"], {"words", "segments"}),
    ],
)
def test_verbose_json(
    client: OpenAiClient, url: str, clip: str, granularities: list[str] | None, parts: set[str]
) -> None:
    params = {"timestamp_granularities": granularities} if granularities else {}
    found = client(url, transcribe(clip, response_format="verbose_json", **params)).value
    assert found.keys() == {"task", "language", "duration", "text", "usage"} | parts
    assert (found["task"], found["language"], found["duration"], found["text"]) == ("transcribe", "english", 2.5, TEXT)
    assert all(segment.keys() == SEGMENT_FIELDS for segment in found.get("segments", ()))
    assert all(word.keys() == {"word", "start", "end"} for word in found.get("words", ()))


def test_a_verbose_translation(client: OpenAiClient, url: str, clip: str) -> None:
    found = client(url, translate(clip, response_format="verbose_json")).value
    assert found.keys() == {"task", "language", "duration", "text", "segments"}
    assert (found["task"], found["language"]) == ("translate", "english")


def test_a_stream(client: OpenAiClient, url: str, clip: str) -> None:
    assert client(url, transcribe(clip, stream=True)).events == [
        {"type": "transcript.text.delta", "delta": "Ask not"},
        {"type": "transcript.text.delta", "delta": " what your country."},
        {"type": "transcript.text.done", "text": TEXT, "usage": STREAMED},
    ]


@pytest.mark.parametrize("name", ["whisper-1", "base", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"])
@pytest.mark.parametrize("response_format", ["json", "text", "srt", "vtt", "verbose_json"])
def test_a_stream_of_each_format_by_each_name(
    client: OpenAiClient, url: str, clip: str, name: str, response_format: str
) -> None:
    fields = {"model": name, "response_format": response_format}
    types = [event["type"] for event in client(url, OpenAiCall("transcribe", {"stream": True, **fields}, clip)).events]
    plain = client(url, OpenAiCall("transcribe", fields, clip)).value
    with open(clip, "rb") as file, openai.OpenAI(base_url=f"{url}/v1", api_key="none") as raw:
        asked: Any = {"file": file, "stream": True, **fields}
        answer = raw.audio.transcriptions.with_raw_response.create(**asked).http_response
        answer.read()
    if response_format in ("json", "text"):
        assert types == ["transcript.text.delta", "transcript.text.delta", "transcript.text.done"]
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    else:  # OpenAI's API ignores `stream` with whisper-1; its client looks for events, and finds none
        assert types == []
        assert (answer.json() if isinstance(plain, dict) else answer.text) == plain
        assert answer.headers["x-ignored-fields"] == "stream"


def test_a_stream_with_log_probabilities(client: OpenAiClient, url: str, clip: str) -> None:
    *deltas, done = client(url, transcribe(clip, stream=True, include=["logprobs"])).events
    assert done["logprobs"] == [entry for delta in deltas for entry in delta["logprobs"]]


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({}, {"language": None, "temperatures": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)}),
        ({"language": "de"}, {"language": "de"}),
        ({"prompt": "Kubernetes, kopf"}, {"prompt": "Kubernetes, kopf"}),
        ({"languages": ["de", "English"]}, {"languages": ("de", "en")}),
        ({"languages": ["de"]}, {"language": "de"}),
        (
            {"keywords": ["Kubernetes", "kopf"], "prompt": "A call."},
            {"keywords": "Kubernetes, kopf", "prompt": "A call."},
        ),
        ({"temperature": 0}, {"temperatures": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)}),
        ({"temperature": 0.3}, {"temperatures": (0.3,)}),
        ({"stream": False}, {}),
        ({"response_format": "verbose_json", "timestamp_granularities": ["word"]}, {"word_timestamps": True}),
        ({"include": ["logprobs"]}, {"logprobs": True}),
    ],
)
def test_options_reach_the_engine(
    client: OpenAiClient, url: str, clip: str, engine: FakeEngine, params: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert client(url, transcribe(clip, **params)).error is None
    [asked] = engine.asked
    assert asked == replace(Options(language=None), **wanted)


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [
        ({"beam_size": 5, "hotwords": "kopf"}, {"beam_size": 5, "keywords": "kopf"}),
        (
            {"without_timestamps": True, "clip_timestamps": "0,2"},
            {"without_timestamps": True, "clip_timestamps": (0, 2)},
        ),
        ({"user": "alice", "diarize": False, "vad_filter": False, "stream_options": {"include_usage": True}}, {}),
    ],
)
def test_the_python_client_sends_what_other_servers_have(
    url: str, clip: str, engine: FakeEngine, extra: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert python(url, transcribe(clip, extra_body=extra)).value["text"] == TEXT
    assert engine.asked == [replace(Options(language=None), **wanted)]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"languages": ["de", "klingon"]}, "languages"),
        ({"keywords": ["kopf"] * 101}, "keywords"),
        ({"known_speaker_names": ["Ada"]}, "known_speaker_names[]"),
        ({"known_speaker_references": ["data:audio/wav;base64,"]}, "known_speaker_references[]"),
        ({"chunking_strategy": {"type": "server_vad", "threshold": 2}}, "chunking_strategy[threshold]"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities[]"),
        ({"temperature": 1.5}, "temperature"),
        ({"language": "klingon"}, "language"),
    ],
)
def test_what_whisper_cannot_honour_is_a_400_that_names_the_field(
    client: OpenAiClient, url: str, clip: str, params: dict[str, Any], param: str
) -> None:
    error = client(url, transcribe(clip, **params)).error
    assert error is not None
    assert (error["status"], error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert param in error["message"]


@pytest.mark.parametrize("operation", ["transcribe", "translate"])
@pytest.mark.parametrize(
    "name", ["gpt-4o-transcribe", "gpt-4o-mini-transcribe-2025-12-15", "openai/whisper-base", "whisper-base"]
)
def test_a_name_that_is_built_into_a_client_is_the_served_model(
    client: OpenAiClient, url: str, clip: str, operation: str, name: str
) -> None:
    assert client(url, OpenAiCall(operation, {"model": name}, clip)).value["text"] == TEXT


@pytest.mark.parametrize("operation", ["transcribe", "translate"])
@pytest.mark.parametrize("name", ["gpt-4o-transcribe-diarize", "openai/whisper-large-v3", "whisper-large-v3-turbo"])
def test_another_model_is_not_found(client: OpenAiClient, url: str, clip: str, operation: str, name: str) -> None:
    error = client(url, OpenAiCall(operation, {"model": name}, clip)).error
    assert error is not None
    assert (error["status"], error["code"], error["param"]) == (404, "model_not_found", "model")


def test_models(client: OpenAiClient, url: str) -> None:
    eventually("the file is read", lambda: client(url, OpenAiCall("models", {})).value["data"][0]["digest"])
    model, *aliases = client(url, OpenAiCall("models", {})).value["data"]
    assert (model["id"], model["object"], len(model["digest"])) == ("base", "model", 64)
    assert client(url, OpenAiCall("model", {"id": "base"})).value == model
    assert "openai/whisper-base" in [alias["id"] for alias in aliases]
    for alias in aliases:  # the clients encode the slash
        assert client(url, OpenAiCall("model", {"id": alias["id"]})).value == alias
    error = client(url, OpenAiCall("model", {"id": "gpt-4"})).error
    assert error is not None
    assert (error["status"], error["code"]) == (404, "model_not_found")


def test_a_bug_is_not_asked_for_again(client: OpenAiClient, url: str, clip: str, engine: FakeEngine) -> None:
    engine.answer = RuntimeError("tensor a (6) must match b (3)")
    error = client(url, transcribe(clip)).error
    assert error is not None
    assert (error["status"], error["code"], len(engine.asked)) == (500, "internal_error", 1)


def test_a_full_queue_is_asked_again_and_then_serves(client: OpenAiClient, clip: str) -> None:
    class Draining(FakeEngine):
        """Full when it is asked first (`Retry-After: 1`), and empty from then on."""

        looks = 0

        @property
        def queued_audio_seconds(self) -> float:
            self.looks += 1
            return 61.0 if self.looks == 1 else 0.0

        @queued_audio_seconds.setter
        def queued_audio_seconds(self, _: float) -> None: ...

    engine = Draining()
    with fake_server(engine, max_queued_audio_seconds=60) as url:
        assert client(url, transcribe(clip)).value["text"] == "Ask not."
    assert engine.looks > 1


class BreaksOff(FakeEngine):
    """Tells of the first segment, and fails on the second."""

    def submit(
        self, samples: Samples, options: Options, on_segments: OnSegments | None = None, **of_client: Any
    ) -> Future[Transcription]:
        assert on_segments is not None
        on_segments([ONE])
        return super().submit(samples, options, **of_client)


def test_a_stream_that_breaks_off_raises(client: OpenAiClient, clip: str) -> None:
    engine = BreaksOff()
    engine.answer = RuntimeError("out of memory")
    with fake_server(engine) as url:
        outcome = client(url, transcribe(clip, stream=True))
    assert [event["delta"] for event in outcome.events] == ["Ask not"]
    assert outcome.error is not None
    assert outcome.error["code"] == "internal_error"
    assert len(engine.asked) == 1


@pytest.mark.parametrize("key", ["wrong", "right"])
def test_a_key_is_a_bearer_token(client: OpenAiClient, tmp_path: Path, clip: str, key: str) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "alice").write_text("right")
    with fake_server(FakeEngine(), api_keys_dir=str(keys)) as url:
        error = client(url, replace(transcribe(clip), key=key)).error
    assert (error or {}).get("code") == (None if key == "right" else "invalid_api_key")


@pytest.mark.parametrize(
    "strategy",
    ["auto", {"type": "server_vad", "threshold": 0.3, "prefix_padding_ms": 100, "silence_duration_ms": 500}],
)
def test_speech_alone_is_transcribed_where_the_client_asks_for_it(
    client: OpenAiClient, url: str, clip: str, engine: FakeEngine, strategy: str | dict[str, Any]
) -> None:
    """And the recordings here have none."""
    assert client(url, transcribe(clip, chunking_strategy=strategy)).value["text"] == ""
    assert engine.asked == []


def test_the_python_client_may_say_that_nothing_is_streamed(url: str, clip: str) -> None:
    assert python(url, transcribe(clip, stream=None, chunking_strategy=None)).value["text"] == TEXT
