"""The form of a request, whoever sends it, as all that it asks for beside its recording; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from whisper_runtime.engine.transcription import Options
from whisper_runtime.http.openai.decoding_fields import decoded_as_asked, given_prompt
from whisper_runtime.http.openai.extras import ignored_fields
from whisper_runtime.http.openai.forms import TranscriptionForm, TranslationForm
from whisper_runtime.http.openai.options import ResponseSpec, decoding_options, response_spec, translation_spec
from whisper_runtime.http.openai.speaker_fields import speaker_options
from whisper_runtime.http.openai.speech_fields import audio_options
from whisper_runtime.http.openai.transcription_options import transcription_options
from whisper_runtime.service.audio_loading import AudioOptions
from whisper_runtime.service.model_info import ModelInfo

TRANSCRIPTIONS_PATH: Final = "/v1/audio/transcriptions"
TRANSLATIONS_PATH: Final = "/v1/audio/translations"


@dataclass(frozen=True)
class ResolvedForm:
    options: Options
    audio_options: AudioOptions
    spec: ResponseSpec
    ignored: dict[str, str]
    """The header that names ignored fields."""


def resolved_transcription(form: TranscriptionForm, model: ModelInfo) -> ResolvedForm:
    """Raises HttpError (400) for the first field that is wrong."""
    ignored, spec = ignored_fields(form, "transcribe"), response_spec(form)
    audio = audio_options(form)
    speakers = speaker_options(form, form.response_format, model, by_channel=audio.separate_channels)
    audio = replace(audio, speakers=speakers)
    by_word = spec.words or spec.lines is not None or speakers is not None
    options = transcription_options(form, model, words=by_word, logprobs=spec.logprobs)
    return ResolvedForm(options, audio, spec, ignored)


def resolved_translation(form: TranslationForm, model: ModelInfo) -> ResolvedForm:
    """The same, where the model translates."""
    ignored, spec = ignored_fields(form, "translate"), translation_spec(form)
    options = decoding_options(
        model,
        task="translate",
        prompt=given_prompt(form, form.prompt),
        temperature=form.temperature,
        words=spec.lines is not None,
    )
    return ResolvedForm(decoded_as_asked(options, form, model), audio_options(form), spec, ignored)
