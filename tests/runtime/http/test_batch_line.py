"""The body of a line is judged as the form of its request is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.engine import ENGLISH, MULTILINGUAL
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.diarization.interface import SpeakerBounds
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.http.batch_line import OpenAILines
from whisper_runtime.http.openai.resolved_form import TRANSCRIPTIONS_PATH, TRANSLATIONS_PATH
from whisper_runtime.service.batches.line_request import FileReference, InlineRecording, LineRequest, LineSource
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.model_info import ServedModel

FILE = {"file_id": "file-1"}


def request(
    body: dict[str, Any], endpoint: str = TRANSCRIPTIONS_PATH, abilities: Abilities = MULTILINGUAL
) -> LineRequest:
    model = ServedModel(RuntimeConfig(model="base"), abilities)
    return OpenAILines(model, takes_urls=True).request({"model": "base", **body}, endpoint)


@pytest.mark.parametrize(
    ("body", "source"),
    [
        ({"file_id": "file-12"}, FileReference("file_id", "file-12")),
        ({"file": "file-12"}, FileReference("file", "file-12")),
        ({"file_url": "file-12", "url": None}, FileReference("file_url", "file-12")),
        ({"url": "https://a.example/b"}, RemoteFile("https://a.example/b")),
        ({"file": "HTTP://a.example/b"}, RemoteFile("HTTP://a.example/b")),
        ({"file_url": "data:audio/wav;base64,AAAA"}, InlineRecording("file_url", "audio/wav", "AAAA")),
        ({"url": "DATA:;charset=x;base64,AAAA"}, InlineRecording("url", "", "AAAA")),
    ],
)
def test_the_value_says_where_the_recording_is(body: dict[str, Any], source: LineSource) -> None:
    assert request(body).source == source


@pytest.mark.parametrize(
    "body", [{}, {"file_id": None}, {"file_id": "a"}, {"file_id": "https://a.example"}, {"file": "AAAA"}, {"url": 7}]
)
def test_a_line_names_a_recording(body: dict[str, Any]) -> None:
    with pytest.raises(HttpError):
        request(body)


def test_a_url_has_a_bound_and_needs_a_server_that_fetches() -> None:
    with pytest.raises(HttpError, match="may have 8192"):
        request({"url": "https://a.example/" + "b" * 8192})
    lines = OpenAILines(ServedModel(RuntimeConfig(model="base"), MULTILINGUAL), takes_urls=False)
    with pytest.raises(HttpError, match="fetches no files"):
        lines.request({"model": "base", "url": "https://a.example/"}, TRANSCRIPTIONS_PATH)


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"language": "German", "temperature": 0.5}, Options(language="de", temperatures=(0.5,))),
        ({"languages": ["de", "fr"]}, Options(languages=("de", "fr"))),
        ({"languages": "de,fr", "prompt": None}, Options(languages=("de", "fr"))),
        ({"seed": 7, "without_timestamps": True}, Options(seed=7, without_timestamps=True)),
        ({"word_timestamps": False, "user": {"a": 1}}, Options()),
        (
            {"response_format": "verbose_json", "timestamp_granularities": ["word"]},
            Options(word_timestamps=True),
        ),
        (
            {"response_format": "verbose_json", "timestamp_granularities[]": "word"},
            Options(word_timestamps=True),
        ),
    ],
)
def test_values_of_json_are_those_of_the_form(fields: dict[str, Any], options: Options) -> None:
    assert request({**FILE, **fields}).options == options


def test_objects_are_those_of_the_form() -> None:
    detection = request(
        {**FILE, "chunking_strategy": {"type": "server_vad", "threshold": 0.25}}
    ).audio_options.detection
    assert detection is not None
    assert detection.threshold == 0.25


def test_a_translation_needs_a_model_that_translates() -> None:
    assert request(FILE, TRANSLATIONS_PATH).options.task == "translate"
    with pytest.raises(HttpError, match="was not trained to translate"):
        request(FILE, TRANSLATIONS_PATH, ENGLISH)


def test_a_line_may_ask_whose_words_they_are() -> None:
    model = ServedModel(RuntimeConfig(model="base", diarization_model="/models/voices.pt"), MULTILINGUAL)
    body = {
        "model": "gpt-4o-transcribe-diarize",
        "response_format": "diarized_json",
        "speakers": 2,
        "known_speaker_names": ["Ada, the first"],
        "known_speaker_references": ["data:audio/wav;base64,AAAA"],
        **FILE,
    }
    asked = OpenAILines(model, takes_urls=True).request(body, TRANSCRIPTIONS_PATH).audio_options.speakers
    assert asked is not None
    assert asked.bounds == SpeakerBounds(2, 2)
    assert [(one.name, one.content) for one in asked.references] == [("Ada, the first", b"\0\0\0")]
