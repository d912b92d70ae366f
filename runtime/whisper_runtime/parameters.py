"""A request's form fields as decoding options, or the sentence that says what is wrong with them; pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, cast, get_args

from whisper.tokenizer import LANGUAGES, TO_LANGUAGE_CODE

from whisper_runtime.engine.transcription import TEMPERATURES, Options, Task
from whisper_runtime.errors import ApiError
from whisper_runtime.served import ServedModel

ResponseFormat = Literal["json", "text", "verbose_json"]
FORMATS: Final = cast(tuple[ResponseFormat, ...], get_args(ResponseFormat))
TASKS: Final = cast(tuple[Task, ...], get_args(Task))

UNSUPPORTED_FIELDS: Final = (
    "include[]",
    "chunking_strategy",
    "known_speaker_names[]",
    "known_speaker_references[]",
    "languages[]",
    "keywords[]",
)
"""Fields of OpenAI's API that other models take; to ignore one would give an answer that nobody asked for."""


def task_of(asked: str, served: ServedModel) -> Task:
    """The task by its name; raises ApiError where it is unknown, or nothing that the model was trained for."""
    if asked not in TASKS:
        raise _invalid("task", asked, TASKS)
    if asked == "translate" and not served.translates:
        message = (
            f"The model `{served.name}` was not trained to translate: "
            "use a multilingual model such as `large-v3`, or the task `transcribe`."
        )
        raise ApiError(400, message, param="task", code="translation_not_supported")
    return asked


def language_of(asked: str | None, served: ServedModel) -> str | None:
    """The ISO-639-1 code of `asked` (a code or an English name; None or `auto`: the server's default)."""
    wanted = (asked or "auto").lower()
    if wanted == "auto":
        return served.default_language
    code = wanted if wanted in LANGUAGES else TO_LANGUAGE_CODE.get(wanted)
    if code is None:
        message = (
            f"`language` is {asked!r}, which Whisper does not know: give an ISO-639-1 code such as `en`, or `auto`."
        )
        raise ApiError(400, message, param="language", code="invalid_value")
    if served.english_only and code != "en":
        message = (
            f"`language` is {asked!r}, but the model `{served.name}` knows English only: "
            f"leave `language` out, or use `{served.name.removesuffix('.en')}`."
        )
        raise ApiError(400, message, param="language", code="language_not_supported")
    return code


def temperatures_of(asked: float) -> tuple[float, ...]:
    """0 is OpenAI's fallback ladder; anything above it is taken as it is. Raises ApiError outside of 0 to 1."""
    if not 0 <= asked <= 1:
        raise ApiError(
            400,
            f"`temperature` is {asked}: it must be from 0 to 1.",
            param="temperature",
            code="invalid_value",
        )
    return TEMPERATURES if asked == 0 else (asked,)


def format_of(asked: str) -> ResponseFormat:
    if asked not in FORMATS:
        raise _invalid("response_format", asked, FORMATS)
    return asked


def check_supported(fields: Collection[str], stream: bool, granularities: Collection[str]) -> None:
    """Raises ApiError (400) for what OpenAI's API has and this server does not, naming the field and the remedy."""
    if stream:
        raise ApiError(400, "`stream` is true: this server answers at once, set `stream` to false.", param="stream")
    for granularity in granularities:
        if granularity != "segment":
            raise _invalid("timestamp_granularities[]", granularity, ("segment",))
    for field in UNSUPPORTED_FIELDS:
        if field in fields:
            raise ApiError(400, f"`{field}` is not supported with Whisper: leave it out.", param=field)


def options(
    served: ServedModel,
    *,
    condition_on_previous_text: bool,
    task: str = "transcribe",
    language: str | None = None,
    prompt: str | None = None,
    temperature: float = 0.0,
) -> Options:
    """The decoding options that a request asks for; raises ApiError for the first field that is wrong."""
    return Options(
        task=task_of(task, served),
        language=language_of(language, served),
        prompt=prompt or None,
        temperatures=temperatures_of(temperature),
        condition_on_previous_text=condition_on_previous_text,
    )


def _invalid(field: str, value: str, supported: Collection[str]) -> ApiError:
    names = ", ".join(f"`{name}`" for name in supported)
    return ApiError(400, f"`{field}` is {value!r}: supported is {names}.", param=field, code="invalid_value")
