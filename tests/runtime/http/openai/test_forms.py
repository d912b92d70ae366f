"""Forms take the fields of OpenAI's API and other servers', each once, and keep any other to be judged."""

from __future__ import annotations

from typing import get_args

import pytest
from starlette.datastructures import UploadFile

from whisper_runtime.http.openai.forms import SCALARS, PlainForm, ResponseFormat, TranscriptionForm

FILE = UploadFile(None)


def test_arrays_come_with_and_without_brackets() -> None:
    form = TranscriptionForm.model_validate(
        {"file": FILE, "model": "base", "include[]": ["logprobs"], "timestamp_granularities": ["word", "segment"]}
    )
    assert (form.include, form.granularities) == ({"logprobs"}, {"word", "segment"})
    form = TranscriptionForm.model_validate(
        {"file": FILE, "model": "base", "languages[]": ["de", "en"], "languages": ["fr,es"]}
    )
    assert form.languages == ["de", "en", "fr", "es"]


@pytest.mark.parametrize(
    ("stream", "formats"),
    [("true", ["json", "text", "diarized_json"]), ("false", []), (None, [])],
    ids=["true", "false", "absent"],
)
def test_text_and_speakers_are_streamed(stream: str | None, formats: list[str]) -> None:
    fields = {"file": FILE, "model": "whisper-1"} | ({"stream": stream} if stream else {})
    forms = [TranscriptionForm.model_validate(fields | {"response_format": one}) for one in get_args(ResponseFormat)]
    assert [form.response_format for form in forms if form.is_streamed] == formats


def test_an_unknown_field_is_kept_for_the_judgement() -> None:
    assert PlainForm.model_validate({"file": FILE, "translate": "true"}).model_extra == {"translate": "true"}


def test_every_field_but_the_arrays_may_come_once() -> None:
    assert {
        *("file", "url", "webhook_url", "language", "task", "model", "prompt", "response_format", "temperature"),
        *("stream", "max_line_width", "max_line_count", "max_words_per_line"),
        *("channels", "vad_filter", "vad_parameters", "speakers"),
        *("chunking_strategy", "stream", "beam_size", "patience", "best_of", "seed", "initial_prompt", "hotwords"),
        *("condition_on_previous_text", "without_timestamps", "clip_timestamps", "hallucination_silence_threshold"),
    } == SCALARS
