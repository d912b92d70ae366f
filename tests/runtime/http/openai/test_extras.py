"""A field that its route does not take is refused where it could change the words, else named and ignored."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import UploadFile

from whisper_runtime.engine.transcription import Task
from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.extras import ignored_fields, printable
from whisper_runtime.http.openai.forms import PlainForm, TranscriptionForm, TranslationForm
from whisper_runtime.http.openai.options import response_spec

FILE = UploadFile(None)


def transcription(**fields: Any) -> TranscriptionForm:
    return TranscriptionForm.model_validate({"file": FILE, "model": "base", **fields})


def translation(**fields: Any) -> TranslationForm:
    return TranslationForm.model_validate({"file": FILE, "model": "base", **fields})


def plain(**fields: Any) -> PlainForm:
    return PlainForm.model_validate({"file": FILE, **fields})


@pytest.mark.parametrize(
    "name",
    [
        *("user", "metadata", "store", "service_tier", "safety_identifier", "stream_options", "session_id", "tags"),
        *("filename", "title", "priority", "timeout", "batch_size", "x_trace", "project"),
    ],
)
def test_a_field_that_nobody_here_knows_is_named(name: str) -> None:
    assert ignored_fields(transcription(**{name: "1"}), "transcribe") == {"X-Ignored-Fields": name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("diarize", value) for value in ("false", "False", "0", "", " off ")],
        ("compression_ratio_threshold", "2.40"),
        ("log_prob_threshold", "-1.0"),
        ("suppress_tokens", "-1"),
        ("length_penalty", "1"),
        ("top_k", ["-1", "0"]),
        ("task", "transcribe"),
    ],
)
def test_a_wish_for_what_happens_anyway_is_named(name: str, value: Any) -> None:
    assert ignored_fields(transcription(**{name: value}), "transcribe") == {"X-Ignored-Fields": name}


@pytest.mark.parametrize(
    ("form", "task", "name", "says"),
    [
        (transcription(diarize="true"), "transcribe", "diarize", "with Whisper but as `0` or `false` or `no` or"),
        (transcription(no_speech_threshold="0.5"), "transcribe", "no_speech_threshold", "but as `0.6`: leave it out"),
        (transcription(suppress_tokens=["-1", "5"]), "transcribe", "suppress_tokens", "but as `-1`"),
        (transcription(suppress_tokens=FILE), "transcribe", "suppress_tokens", "but as `-1`"),
        (transcription(task="translate"), "transcribe", "task", "but as `transcribe`"),
        (transcription(target_language="de"), "transcribe", "target_language", "with Whisper: leave it out"),
        (transcription(**{"language[]": "de"}), "transcribe", "language[]", "leave it out"),
        (transcription(language_typo="de"), "transcribe", "language_typo", "Did you mean `language`?"),
        (transcription(Language="de"), "transcribe", "Language", "leave it out"),
        (transcription(promt="de"), "transcribe", "promt", "Did you mean `prompt`?"),
        (transcription(vad_filters="1"), "transcribe", "vad_filters", "Did you mean `vad_filter`?"),
        (translation(language="de"), "translate", "language", "leave it out"),
        (translation(task="transcribe"), "translate", "task", "but as `translate`"),
        (plain(response_format="srt"), "transcribe", "response_format", "leave it out"),
        (plain(max_line_width="42"), "transcribe", "max_line_width", "leave it out"),
        (translation(**{"languages[]": "de"}), "translate", "languages[]", "leave it out"),
        (transcription(keyword="kopf"), "transcribe", "keyword", "Did you mean `keywords`?"),
    ],
)
def test_what_could_change_the_words_is_refused(form: Any, task: Task, name: str, says: str) -> None:
    with pytest.raises(HttpError) as error:
        ignored_fields(form, task)
    assert (error.value.status_code, error.value.body["param"]) == (400, name)
    assert f"`{name}`" in str(error.value)
    assert says in str(error.value)


def test_a_form_with_known_fields_alone_has_no_header() -> None:
    assert ignored_fields(transcription(language="de", beam_size="5"), "transcribe") == {}


@pytest.mark.parametrize("response_format", ["srt", "vtt", "verbose_json"])
def test_a_stream_of_a_format_that_has_none_is_named(response_format: str) -> None:
    form = transcription(stream="true", response_format=response_format, user="alice")
    assert ignored_fields(form, "transcribe") == {"X-Ignored-Fields": "stream, user"}


@pytest.mark.parametrize(("response_format", "header"), [("json", True), ("srt", True), ("verbose_json", False)])
def test_times_of_segments_are_ignored_where_the_answer_has_none(response_format: str, header: bool) -> None:
    """The ai SDK asks for them by itself, with `json` where the model is a gpt-4o."""
    form = transcription(response_format=response_format, **{"timestamp_granularities[]": ["segment"]})
    wanted = {"X-Ignored-Fields": "timestamp_granularities[]"} if header else {}
    assert ignored_fields(form, "transcribe") == wanted
    assert response_spec(form).segments


@pytest.mark.parametrize(
    "fields", [{"stream": "true"}, {"stream": "true", "response_format": "text"}, {"stream": "false"}]
)
def test_a_stream_that_is_sent_or_not_asked_for_is_not_named(fields: dict[str, str]) -> None:
    assert ignored_fields(transcription(**fields), "transcribe") == {}


def test_the_header_is_bounded_and_has_no_value() -> None:
    header = ignored_fields(plain(**{f"x{number}": "secret" for number in range(30)}), "transcribe")
    assert header == {"X-Ignored-Fields": ", ".join(f"x{number}" for number in range(16))}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("user", "user"),
        ("a[b]", "a[b]"),
        ("a, b", "a??b"),
        ("a\r\nSet-Cookie: b", "a??Set-Cookie:?b"),
        ("größe", "gr??e"),
        ("x" * 65, "x" * 64),
    ],
)
def test_a_name_is_printable(name: str, shown: str) -> None:
    assert printable(name) == shown


@pytest.mark.parametrize("name", ["timestamp_granularities[0]", "include[1]", "languages[en]", "Keywords"])
def test_an_array_with_another_index_is_told_how_to_write_it(name: str) -> None:
    with pytest.raises(HttpError) as refused:
        ignored_fields(transcription(**{name: "word"}), "transcribe")
    field = name.partition("[")[0].lower()
    assert refused.value.body["message"] == f"`{name}` is not known: write `{field}[]`, once for each value."


@pytest.mark.parametrize("name", ["language", "stream", "timestamp_granularities[]"])
def test_what_another_route_takes_is_ignored_where_it_is_empty(name: str) -> None:
    """As a form in a browser sends a field that nobody has filled in."""
    assert ignored_fields(translation(**{name: ""}), "translate") == {"X-Ignored-Fields": name}
