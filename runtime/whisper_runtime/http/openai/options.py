"""A request's form as decoding options and as the response's format; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from whisper_runtime.contract.languages import REMEDY_OR_AUTO, code_of, is_auto, shown, unknown
from whisper_runtime.engine.transcription import TEMPERATURES, Options, Task
from whisper_runtime.errors import HttpError, invalid_value
from whisper_runtime.http.openai.forms import (
    Included,
    OpenAIForm,
    PlainForm,
    ResponseFormat,
    Subtitles,
    TranscriptionForm,
    TranslationForm,
)
from whisper_runtime.http.openai.lines import LineLimits
from whisper_runtime.service.languages import knows
from whisper_runtime.service.model_info import ModelInfo

INCLUDED_IN: Final[Mapping[Included, ResponseFormat]] = {"logprobs": "json", "language_probability": "verbose_json"}
"""The format whose body has what `include[]` asks for."""


@dataclass(frozen=True)
class ResponseSpec:
    """The content of a response's body, and its format."""

    task: Task
    response_format: ResponseFormat = "json"
    segments: bool = True
    """Whether `verbose_json` has them."""
    words: bool = False
    logprobs: bool = False
    language_probability: bool = False
    lines: LineLimits | None = None
    """How words are put into the lines of subtitles; None: each segment is one cue."""
    subtitles: frozenset[Subtitles] = frozenset()
    """Formats of subtitles that `POST /transcribe` answers beside the segments."""


def response_spec(form: TranscriptionForm) -> ResponseSpec:
    """The response that a transcription's form asks for; raises HttpError where its fields contradict each other."""
    response_format = form.response_format
    if response_format == "diarized_json":
        _check_diarized(form)
    if "word" in form.granularities and response_format != "verbose_json":
        raise _needs("timestamp_granularities[]", "verbose_json", response_format)
    for included in sorted(form.include):
        if response_format != INCLUDED_IN[included]:
            raise _needs(f"include[]={included}", INCLUDED_IN[included], response_format, param="include[]")
    return ResponseSpec(
        "transcribe",
        response_format,
        segments="segment" in form.granularities or not form.granularities,
        words="word" in form.granularities,
        logprobs="logprobs" in form.include,
        language_probability="language_probability" in form.include,
        lines=line_limits(form),
    )


def plain_spec(form: PlainForm) -> ResponseSpec:
    """What `POST /transcribe` answers beside the text; raises HttpError for what only OpenAI's routes give."""
    if "logprobs" in form.include:
        message = "`include[]` has 'logprobs', which /v1/audio/transcriptions gives with `response_format=json` alone."
        raise invalid_value("include[]", message)
    words = "word" in form.granularities
    if words and form.task == "translate":
        message = "`timestamp_granularities[]` has 'word', and a translation has no times of words: leave one out."
        raise invalid_value("timestamp_granularities[]", message)
    probability = "language_probability" in form.include
    return ResponseSpec(
        form.task, "verbose_json", words=words, language_probability=probability, subtitles=form.formats
    )


def translation_spec(form: TranslationForm) -> ResponseSpec:
    """The response that a translation's form asks for; raises HttpError where its fields contradict each other."""
    return ResponseSpec("translate", form.response_format, lines=line_limits(form))


def line_limits(form: OpenAIForm) -> LineLimits | None:
    """The limits that a form sets to the lines of subtitles; None: none.

    Raises HttpError where they would have no effect (whisper/transcribe.py, cli, warns there).
    """
    limits = LineLimits(form.max_line_width, form.max_line_count, form.max_words_per_line)
    given = {field: value for field, value in asdict(limits).items() if value is not None}
    if not given:
        return None
    field, value = next(iter(given.items()))
    if form.response_format not in ("srt", "vtt"):
        needs = f"which needs `response_format` to be 'srt' or 'vtt', and it is '{form.response_format}'"
        raise _without_effect(field, value, f"{needs}: change one of them")
    if limits.max_line_count and not limits.max_line_width:
        remedy = "which has no effect without `max_line_width`: give that too, for example 42"
        raise _without_effect("max_line_count", limits.max_line_count, remedy)
    if limits.max_words_per_line and limits.max_line_count:
        remedy = "which has no effect beside `max_line_width` and `max_line_count`: leave it or one of them out"
        raise _without_effect("max_words_per_line", limits.max_words_per_line, remedy)
    return limits


def decoding_options(
    model: ModelInfo,
    *,
    task: Task = "transcribe",
    language: str | None = None,
    prompt: str | None = None,
    temperature: float = 0.0,
    words: bool = False,
    logprobs: bool = False,
) -> Options:
    """The decoding options for a request with these fields; raises HttpError for the first field that is wrong."""
    return Options(
        task=task,
        language=language_code(language, model),
        prompt=prompt or None,
        temperatures=temperature_ladder(temperature),
        condition_on_previous_text=model.condition_on_previous_text,
        word_timestamps=words,
        logprobs=logprobs,
    )


def language_code(language: str | None, model: ModelInfo, *, field: str = "language") -> str | None:
    """Whisper's code of `language`, any word of its table (None, empty or `auto`: the server's default).

    None: the language is to be detected. Raises HttpError, which names the form's `field`, where Whisper or the model
    does not know it.
    """
    if not language or not language.strip() or is_auto(language):
        return model.default_language
    code = code_of(language)
    if code is None:
        message = f"`{field}` is {shown(language)}, which {unknown(language, REMEDY_OR_AUTO)} to detect it."
        raise invalid_value(field, message)
    if model.english_only and code != "en":
        message = (
            f"`{field}` is {shown(language)}, but the model `{model.name}` knows English only: "
            f"leave `{field}` out, or use a multilingual model such as `large-v3`."
        )
        raise HttpError(400, message, param=field, code="language_not_supported")
    if not knows(model.abilities.languages, code):
        message = (
            f"`{field}` is {shown(language)}, which the model `{model.name}` of {model.abilities.languages} languages "
            f"does not know: leave `{field}` out, or use a newer model such as `large-v3`."
        )
        raise HttpError(400, message, param=field, code="language_not_supported")
    return code


def temperature_ladder(temperature: float) -> tuple[float, ...]:
    """The temperatures to try: for 0 openai-whisper's fallback ladder, above it the given one alone."""
    return TEMPERATURES if temperature == 0 else (temperature,)


def check_translates(model: ModelInfo, *, param: str) -> None:
    """Raises HttpError where the model cannot translate; `param` is the field by which the client asked for it."""
    if not model.abilities.translates:
        message = (
            f"The model `{model.name}` was not trained to translate: "
            "use a multilingual model such as `large-v3`, or transcribe."
        )
        raise HttpError(400, message, param=param, code="translation_not_supported")


def _check_diarized(form: TranscriptionForm) -> None:
    """Raises HttpError for what OpenAI's API does not take beside speakers."""
    refused = {
        "prompt": form.prompt,
        "initial_prompt": form.initial_prompt,
        "timestamp_granularities[]": form.granularities,
        "include[]": form.include,
    }
    for field, value in refused.items():
        if value:
            message = f"`{field}` is not supported where `response_format` is 'diarized_json': leave one of them out."
            raise HttpError(400, message, param=field, code="unsupported_parameter")


def _needs(field: str, needed: ResponseFormat, given: ResponseFormat, *, param: str | None = None) -> HttpError:
    """`param` is the name of the field, where that is not all of `field`."""
    message = f"`{field}` needs `response_format` to be '{needed}', and it is '{given}': change one of them."
    return invalid_value(param or field, message)


def _without_effect(field: str, value: int, why: str) -> HttpError:
    return invalid_value(field, f"`{field}` is {value}, {why}.")
