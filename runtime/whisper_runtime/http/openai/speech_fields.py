"""Fields for which audio is transcribed: each channel by itself, speech alone. Their names are other servers'.

`vad_filter` and `vad_parameters` are faster-whisper's and speaches', `chunking_strategy` is OpenAI's. An object comes
as JSON, or field by field in brackets, as OpenAI's clients send it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whisper_runtime.engine.speech.spans import SpeechDetection
from whisper_runtime.errors import invalid_value
from whisper_runtime.http.openai.responses import Absent
from whisper_runtime.service.audio_loading import AudioOptions

OBJECTS: Final = ("chunking_strategy", "vad_parameters")
"""Fields whose parts may come in brackets."""
SHOWN: Final = 100
"""Characters that an error repeats of what a client sent."""

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
PauseMs = Annotated[float, Field(ge=0, le=60_000, allow_inf_nan=False)]


class SpeechFields(BaseModel):
    """Absent, all of the recording is transcribed, and its channels are mixed."""

    channels: Literal["mixed", "separate"] = "mixed"
    """`separate`: each channel is transcribed by itself, as one speaker, where it has speech."""
    vad_filter: bool | Absent = None
    """Whether speech alone is transcribed."""
    vad_parameters: str | Absent = None
    """With `vad_filter`, what counts as speech: JSON, or fields such as `vad_parameters[threshold]`."""
    chunking_strategy: str | Absent = None
    """`auto`: speech alone is transcribed. JSON with `type`, or fields such as `chunking_strategy[type]`:
    `server_vad`, with `threshold`, `prefix_padding_ms` and `silence_duration_ms`."""


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")


class VadParameters(_Parameters):
    """faster-whisper's, with its defaults."""

    threshold: Probability = 0.5
    neg_threshold: Probability | None = None
    min_speech_duration_ms: PauseMs = 0
    max_speech_duration_s: Annotated[float, Field(ge=5)] = math.inf
    min_silence_duration_ms: PauseMs = 2000
    speech_pad_ms: Annotated[float, Field(ge=0, le=5000)] = 400


class ServerVad(_Parameters):
    """OpenAI's, with its defaults."""

    type: Literal["server_vad"]
    threshold: Probability = 0.5
    prefix_padding_ms: Annotated[float, Field(ge=0, le=5000)] = 300
    silence_duration_ms: PauseMs = 200


P = TypeVar("P", bound=_Parameters)


def is_part_of_object(name: str) -> bool:
    """Whether a field of that name is one part of an object that comes field by field."""
    return name.partition("[")[0] in OBJECTS and name.endswith("]")


def audio_options(fields: SpeechFields) -> AudioOptions:
    """What these fields ask for; raises HttpError (400) for what contradicts itself or is no value of its field."""
    separate = fields.channels == "separate"
    detection, clips = _detection(fields), getattr(fields, "clip_timestamps", None)
    if separate and detection is None and fields.vad_filter is not False and not clips:
        detection = SpeechDetection()  # while one side of a call speaks, the other is silent
    if detection and clips:
        message = "`clip_timestamps` says which parts are transcribed, and so does the detection of speech: send one."
        raise invalid_value("clip_timestamps", message)
    if separate and getattr(fields, "is_streamed", False):
        message = (
            "`channels` is 'separate', and the channels' texts are put in order once all are known: leave `stream` out."
        )
        raise invalid_value("channels", message)
    return AudioOptions(separate, detection)


def _detection(fields: SpeechFields) -> SpeechDetection | None:
    given = _object("vad_parameters", fields.vad_parameters, fields)
    strategy = None if fields.chunking_strategy == "auto" else _object(OBJECTS[0], fields.chunking_strategy, fields)
    if given is not None and fields.vad_filter is None:
        raise invalid_value("vad_parameters", "`vad_parameters` needs `vad_filter` to be true: send both or none.")
    parameters = _checked("vad_parameters", VadParameters, given or {})
    if strategy is not None:
        if fields.vad_filter is not None:
            message = "`chunking_strategy` and `vad_filter` both say whether speech is detected: send one of them."
            raise invalid_value("chunking_strategy", message)
        return _as_detection(_checked("chunking_strategy", ServerVad, strategy))
    if fields.vad_filter is False or (fields.vad_filter is None and fields.chunking_strategy != "auto"):
        return None
    return SpeechDetection(**parameters.model_dump())


def _as_detection(asked: ServerVad) -> SpeechDetection:
    return SpeechDetection(
        threshold=asked.threshold,
        min_silence_duration_ms=asked.silence_duration_ms,
        speech_pad_ms=asked.prefix_padding_ms,
    )


def _object(name: str, text: str | None, fields: SpeechFields) -> Mapping[str, Any] | None:
    """The object that a field has as JSON or in brackets; None: it is absent. Raises HttpError for both, or neither."""
    parts = {
        key[len(name) + 1 : -1]: value
        for key, value in (fields.model_extra or {}).items()
        if is_part_of_object(key) and key.startswith(f"{name}[")
    }
    if not text:
        return parts or None
    if parts:
        raise invalid_value(name, f"`{name}` comes whole and in brackets: send it once.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        also = "'auto' or " if name == "chunking_strategy" else ""
        raise invalid_value(name, f"`{name}` is {text[:SHOWN]!r}: it should be {also}an object in JSON.")
    return found  # pyright: ignore[reportUnknownVariableType]


def _checked(name: str, kind: type[P], given: Mapping[str, Any]) -> P:
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])[:SHOWN]
        if first["type"] == "extra_forbidden":
            takes = ", ".join(f"`{one}`" for one in kind.model_fields)
            raise invalid_value(name, f"`{name}` has `{key}`, which is not known: it takes {takes}.") from None
        message = first["msg"][:1].lower() + first["msg"][1:]
        shown = "missing" if first["type"] == "missing" else repr(first["input"])[:SHOWN]
        raise invalid_value(f"{name}[{key}]", f"`{name}[{key}]` is {shown}: {message}.") from None
