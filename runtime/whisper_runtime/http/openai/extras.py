"""Fields that a form has and its route does not take: what could change the words is refused, the rest is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, cast

from pydantic import BaseModel

from whisper_runtime.engine.transcription import Task
from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.forms import PlainForm, TranscriptionForm
from whisper_runtime.http.openai.speech_fields import is_part_of_object
from whisper_runtime.http.response_headers import IGNORED_FIELDS

MOST_NAMES: Final = 16
LONGEST_NAME: Final = 64
SHOWN: Final = 100
"""Characters that an error repeats of what a client sent."""
ALIKE: Final = 0.76
"""The share of letters from which on a name looks like another one that is misspelt: `language_typo`, not `user`."""

OFF: Final = frozenset({"false", "0", "no", "off"})
WISHES: Final[Mapping[str, frozenset[str]]] = {
    # faster-whisper, speaches, and what serves them.
    "compression_ratio_threshold": frozenset({"2.4"}),
    "language_detection_segments": frozenset({"1"}),
    "language_detection_threshold": frozenset({"0.5"}),
    "length_penalty": frozenset({"1"}),
    "log_prob_threshold": frozenset({"-1"}),
    "logprob_threshold": frozenset({"-1"}),
    "max_initial_timestamp": frozenset({"1"}),
    "multilingual": OFF,
    "no_repeat_ngram_size": frozenset({"0"}),
    "no_speech_threshold": frozenset({"0.6"}),
    "prompt_reset_on_temperature": frozenset({"0.5"}),
    "repetition_penalty": frozenset({"1"}),
    "suppress_blank": frozenset({"true", "1", "yes", "on"}),
    "suppress_tokens": frozenset({"-1"}),
    "word_timestamps": OFF,
    **dict.fromkeys(("append_punctuations", "prefix", "prepend_punctuations"), frozenset[str]()),
    # vLLM and SGLang.
    "frequency_penalty": frozenset({"0"}),
    "min_p": frozenset({"0"}),
    "presence_penalty": frozenset({"0"}),
    "top_k": frozenset({"0", "-1"}),
    "top_p": frozenset({"1"}),
    **dict.fromkeys(("max_completion_tokens", "max_new_tokens", "max_tokens", "to_language"), frozenset[str]()),
    # WhisperX's servers, whisper.cpp, Groq, and the clouds.
    "detect_language": OFF,
    "diarization": OFF,
    "diarize": OFF,
    "highlight_words": OFF,
    "offset_t": frozenset({"0"}),
    "speaker_labels": OFF,
    "stream": OFF,
    "translate": OFF,
    "vad": OFF,
    **dict.fromkeys(
        (
            *("lang", "language_code", "max_speakers", "min_speakers"),
            *("num_speakers", "output", "output_format"),
            *("input_language", "output_language", "source_language", "spoken_language", "target_language"),
        ),
        frozenset[str](),
    ),
}
"""Fields that could change the answer, each with the values that ask for what happens anyway."""
TAKEN: Final = frozenset(
    name.partition("[")[0]
    for form in (PlainForm, TranscriptionForm)
    for name in (field.alias or name for name, field in form.model_fields.items())
)
"""The fields that one route or another takes."""


def ignored_fields(form: BaseModel, task: Task) -> dict[str, str]:
    """The header that names the fields of `form` which are ignored; empty where there is none.

    `task` is what its route does. Raises HttpError (400) for a field that could change the words (ADR 28).
    """
    extra = {name: value for name, value in (form.model_extra or {}).items() if not is_part_of_object(name)}
    for name, value in extra.items():
        _check(name, value, WISHES | {"task": frozenset({task})}, _arrays(form))
    names = [*_without_effect(form), *map(printable, extra)][:MOST_NAMES]
    return {IGNORED_FIELDS: ", ".join(names)} if names else {}


def printable(name: str) -> str:
    """`name` as a header may have it, in a list with commas."""
    return re.sub(r"[^!-+\--~]", "?", name[:LONGEST_NAME])


def _check(name: str, value: Any, wishes: Mapping[str, frozenset[str]], arrays: frozenset[str]) -> None:
    known, shown = name.partition("[")[0].lower(), name[:SHOWN]
    if (anyway := wishes.get(known)) is not None:
        if all(_is_among(one, anyway) for one in _listed(value)):
            return
        only = f" but as {' or '.join(f'`{one}`' for one in sorted(anyway))}" if anyway else ""
        message = f"`{shown}` is not supported with Whisper{only}: leave it out."
        raise HttpError(400, message, param=shown, code="unsupported_parameter")
    if known in arrays:
        message = f"`{shown}` is not known: write `{known}[]`, once for each value."
        raise HttpError(400, message, param=shown, code="unknown_parameter")
    if known in TAKEN and all(_is_among(one, frozenset()) for one in _listed(value)):
        return
    if known in TAKEN:
        message = f"`{shown}` is not supported with Whisper here: leave it out. GET /openapi.json lists what is."
        raise HttpError(400, message, param=shown, code="unsupported_parameter")
    if alike := _like(known, TAKEN) or _like(known, wishes):
        message = f"Unknown parameter: `{shown}`. Did you mean `{alike[0]}`? GET /openapi.json lists the known ones."
        raise HttpError(400, message, param=shown, code="unknown_parameter")


def _arrays(form: BaseModel) -> frozenset[str]:
    """The names of the route's arrays, without brackets."""
    spellings = [field.alias or "" for field in type(form).model_fields.values()]
    return frozenset(one.removesuffix("[]") for one in spellings if one.endswith("[]"))


def _without_effect(form: BaseModel) -> list[str]:
    """Fields that the route takes, and that have no effect beside the others."""
    if not isinstance(form, TranscriptionForm):
        return []
    is_idle = {
        "stream": form.stream and not form.is_streamed,
        "timestamp_granularities[]": form.granularities and form.response_format != "verbose_json",
    }
    return [name for name, without_effect in is_idle.items() if without_effect]


def _like(name: str, others: Iterable[str]) -> list[str]:
    return get_close_matches(name[:LONGEST_NAME], list(others), n=1, cutoff=ALIKE)


def _listed(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [value]


def _is_among(value: Any, anyway: frozenset[str]) -> bool:
    """Whether `value` asks for nothing, or for what happens anyway; numbers are compared as such."""
    text = value.strip().lower() if isinstance(value, str) else None
    return text is not None and (not text or _number(text) in map(_number, anyway))


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
