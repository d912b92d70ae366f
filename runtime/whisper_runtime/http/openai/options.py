"""A request's form as decoding options and as an answer's shape, or the sentence that says what is wrong; pure."""

from __future__ import annotations

from dataclasses import dataclass

from whisper_runtime.engine.transcription import TEMPERATURES, Options, Task
from whisper_runtime.errors import ApiError
from whisper_runtime.http.openai.forms import ResponseFormat, TranscriptionForm
from whisper_runtime.service.languages import code_of, knows
from whisper_runtime.service.model_info import ServedModel


@dataclass(frozen=True)
class Answer:
    """What the body of an answer holds, and how it is written."""

    task: Task
    response_format: ResponseFormat = "json"
    segments: bool = True
    """Whether `verbose_json` has them."""
    words: bool = False
    logprobs: bool = False


def answer_of(form: TranscriptionForm) -> Answer:
    """The answer that a transcription's form asks for; raises ApiError where its fields contradict each other."""
    wanted = form.response_format
    if form.granularities and wanted != "verbose_json":
        raise _needs("timestamp_granularities[]", "verbose_json", wanted)
    if form.include and wanted != "json":
        raise _needs("include[]", "json", wanted)
    if form.stream and wanted not in ("json", "text"):
        raise ApiError(
            400,
            f"`response_format` is '{wanted}', but `stream` sends text alone: leave one of them out.",
            param="response_format",
            code="invalid_value",
        )
    return Answer(
        "transcribe",
        wanted,
        segments="segment" in form.granularities or not form.granularities,
        words="word" in form.granularities,
        logprobs="logprobs" in form.include,
    )


def options(
    served: ServedModel,
    *,
    condition_on_previous_text: bool,
    task: Task = "transcribe",
    language: str | None = None,
    prompt: str | None = None,
    temperature: float = 0.0,
    words: bool = False,
    logprobs: bool = False,
) -> Options:
    """The decoding options that a request asks for; raises ApiError for the first field that is wrong."""
    return Options(
        task=task,
        language=language_of(language, served),
        prompt=prompt or None,
        temperatures=temperatures_of(temperature),
        condition_on_previous_text=condition_on_previous_text,
        word_timestamps=words,
        logprobs=logprobs,
    )


def language_of(asked: str | None, served: ServedModel) -> str | None:
    """The ISO-639-1 code of `asked` (a code or an English name; None or `auto`: the server's default)."""
    if not asked or asked.lower() == "auto":
        return served.default_language
    code = code_of(asked)
    if code is None:
        message = (
            f"`language` is {asked!r}, which Whisper does not know: give an ISO-639-1 code such as `en`, or `auto`."
        )
        raise ApiError(400, message, param="language", code="invalid_value")
    if served.english_only and code != "en":
        message = (
            f"`language` is {asked!r}, but the model `{served.name}` knows English only: "
            "leave `language` out, or use a multilingual model such as `large-v3`."
        )
        raise ApiError(400, message, param="language", code="language_not_supported")
    if not knows(served.abilities.languages, code):
        message = (
            f"`language` is {asked!r}, which the model `{served.name}` of {served.abilities.languages} languages "
            "does not know: leave `language` out, or use a newer model such as `large-v3`."
        )
        raise ApiError(400, message, param="language", code="language_not_supported")
    return code


def temperatures_of(asked: float) -> tuple[float, ...]:
    """0 is OpenAI's fallback ladder; anything above it is taken as it is."""
    return TEMPERATURES if asked == 0 else (asked,)


def check_translates(served: ServedModel, *, param: str) -> None:
    """Raises ApiError where the model cannot translate; `param` is the field by which the client asked for it."""
    if not served.abilities.translates:
        message = (
            f"The model `{served.name}` was not trained to translate: "
            "use a multilingual model such as `large-v3`, or transcribe."
        )
        raise ApiError(400, message, param=param, code="translation_not_supported")


def _needs(field: str, wanted: ResponseFormat, asked: ResponseFormat) -> ApiError:
    message = f"`{field}` needs `response_format` to be '{wanted}', and it is '{asked}': change one of them."
    return ApiError(400, message, param=field, code="invalid_value")
