"""One form's fields as the options of its decoding, of OpenAI's route and of our own alike."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import UploadFile

from tests.fakes.engine import MULTILINGUAL
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.forms import DetailFields, PlainForm, TranscriptionForm
from whisper_runtime.http.openai.transcription_options import transcription_options
from whisper_runtime.service.model_info import ServedModel

MODEL = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL).info
FIELDS: dict[str, Any] = {
    "file": UploadFile(None),
    "language": "German",
    "prompt": "Haus",
    "temperature": "0.2",
    "best_of": "3",
    "keywords": ["Garten"],
    "timestamp_granularities[]": ["word"],
    "hallucination_silence_threshold": "2",
}


@pytest.mark.parametrize(
    "form", [PlainForm.model_validate(FIELDS), TranscriptionForm.model_validate({**FIELDS, "model": "base"})]
)
def test_both_routes_take_the_same_fields(form: DetailFields) -> None:
    found = transcription_options(form, MODEL, words=True)
    assert (found.language, found.prompt, found.temperatures, found.best_of) == ("de", "Haus", (0.2,), 3)
    assert (found.word_timestamps, found.hallucination_silence_threshold) == (True, 2.0)


def test_absent_all_is_as_whisper_transcribe_has_it() -> None:
    form = PlainForm.model_validate({"file": UploadFile(None)})
    assert transcription_options(form, MODEL, words=False) == Options()


def test_the_likeliest_language_of_several() -> None:
    form = PlainForm.model_validate({"file": UploadFile(None), "languages[]": ["de", "French"]})
    found = transcription_options(form, MODEL, words=False)
    assert (found.language, found.languages) == (None, ("de", "fr"))


def test_a_threshold_of_silence_needs_the_times_of_words() -> None:
    form = PlainForm.model_validate({**FIELDS, "timestamp_granularities[]": ["segment"]})
    with pytest.raises(HttpError) as error:
        transcription_options(form, MODEL, words=False)
    assert error.value.body["param"] == "hallucination_silence_threshold"
