"""A form, resolved once for requests, jobs and lines of batches."""

from __future__ import annotations

from tests.fakes.engine import MULTILINGUAL
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.transcription import Options
from whisper_runtime.http.openai.forms import TranscriptionForm, TranslationForm
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.http.openai.resolved_form import ResolvedForm, resolved_transcription, resolved_translation
from whisper_runtime.service.audio_loading import AudioOptions
from whisper_runtime.service.model_info import ServedModel

MODEL = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL).info


def test_a_transcription() -> None:
    form = TranscriptionForm.model_validate(
        {"model": "base", "response_format": "srt", "max_words_per_line": 3, "user": "u", "channels": "separate"}
    )
    found = resolved_transcription(form, MODEL)
    assert (found.spec.response_format, found.options.word_timestamps) == ("srt", True)  # by which lines are cut
    assert found.audio_options.separate_channels
    assert found.ignored == {"X-Ignored-Fields": "user"}


def test_a_translation() -> None:
    form = TranslationForm.model_validate({"model": "base", "initial_prompt": "Hallo"})
    wanted = ResolvedForm(
        Options(task="translate", prompt="Hallo"), AudioOptions(), ResponseSpec("translate", "json"), {}
    )
    assert resolved_translation(form, MODEL) == wanted
