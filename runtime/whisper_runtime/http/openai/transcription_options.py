"""The form of a transcription, OpenAI's or our own, as decoding options; pure."""

from __future__ import annotations

from dataclasses import replace

from whisper_runtime.engine.transcription import Options, Task
from whisper_runtime.errors import invalid_value
from whisper_runtime.http.openai.decoding_fields import decoded_as_asked, given_prompt
from whisper_runtime.http.openai.forms import DetailFields
from whisper_runtime.http.openai.options import decoding_options
from whisper_runtime.http.openai.possible_languages import within_languages
from whisper_runtime.service.model_info import ModelInfo


def transcription_options(
    form: DetailFields, model: ModelInfo, *, task: Task = "transcribe", words: bool, logprobs: bool = False
) -> Options:
    """`words`: whether their times are wanted. Raises HttpError (400) for the first field that is wrong."""
    if form.hallucination_silence_threshold is not None and "word" not in form.granularities:
        message = (
            "`hallucination_silence_threshold` needs `timestamp_granularities[]` to have 'word': change one of them."
        )
        raise invalid_value("hallucination_silence_threshold", message)
    options = decoding_options(
        model,
        task=task,
        language=form.language,
        prompt=given_prompt(form, form.prompt),
        temperature=form.temperature,
        words=words,
        logprobs=logprobs,
    )
    options = decoded_as_asked(within_languages(options, form.languages, form.language, model), form, model)
    return replace(options, hallucination_silence_threshold=form.hallucination_silence_threshold)
