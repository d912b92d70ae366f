"""The languages that a recording may be in, of which the likeliest is detected; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from whisper_runtime.contract.languages import is_auto, shown
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import invalid_value
from whisper_runtime.http.openai.options import language_code
from whisper_runtime.service.model_info import ModelInfo

FIELD = "languages"


def within_languages(options: Options, values: Sequence[str], named: str | None, model: ModelInfo) -> Options:
    """`options` with a language that is one of `values`: words for languages, with commas where a value has several.

    A language that the client `named` as the one must be among them. Empty values and `auto` restrict nothing. Raises
    HttpError (400) where Whisper or the model does not know one, or the two contradict each other.
    """
    words = [word for value in values for word in value.split(",") if word.strip()]
    if not words or any(map(is_auto, words)):
        return options
    codes = tuple(dict.fromkeys(_code(word, model) for word in words))
    if not named or not named.strip() or is_auto(named):
        return replace(options, language=codes[0] if len(codes) == 1 else None, languages=codes if codes[1:] else ())
    if options.language in codes:
        return options
    message = (
        f"`{FIELD}` is {', '.join(codes)}, and `language` is {shown(named)}, which is none of them: send one of both."
    )
    raise invalid_value(FIELD, message)


def _code(word: str, model: ModelInfo) -> str:
    code = language_code(word, model, field=FIELD)
    assert code is not None  # the word is neither empty nor `auto`
    return code
