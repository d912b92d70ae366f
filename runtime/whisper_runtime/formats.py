"""A transcription as the body of an answer; pure."""

from __future__ import annotations

import math
from dataclasses import asdict

from pydantic import BaseModel
from whisper.tokenizer import LANGUAGES

from whisper_runtime.engine.transcription import Segment, Task, Transcription
from whisper_runtime.parameters import ResponseFormat
from whisper_runtime.schemas import (
    PlainTranscription,
    SegmentBody,
    TranscriptionJson,
    TranscriptionVerbose,
    TranslationJson,
    TranslationVerbose,
    Usage,
)


def plain(found: Transcription) -> PlainTranscription:
    """The body of `POST /transcribe`."""
    return PlainTranscription(
        text=found.text.strip(),
        language=found.language,
        segments=_segments(found),
        duration=found.duration,
    )


def openai(found: Transcription, task: Task, response_format: ResponseFormat) -> BaseModel | str:
    """The body that OpenAI's API has for `task` in `response_format`; a string is sent as plain text."""
    text = found.text.strip()
    match response_format, task:
        case "text", _:
            return text + "\n"
        case "json", "transcribe":
            return TranscriptionJson(text=text, usage=_usage(found))
        case "json", "translate":
            return TranslationJson(text=text)
        case "verbose_json", "transcribe":
            return TranscriptionVerbose(
                task=task,
                language=LANGUAGES[found.language],
                duration=found.duration,
                text=text,
                segments=_segments(found),
                usage=_usage(found),
            )
        case "verbose_json", "translate":  # the language of the text, which is English now
            return TranslationVerbose(
                task=task, language="english", duration=found.duration, text=text, segments=_segments(found)
            )


def _usage(found: Transcription) -> Usage:
    """OpenAI counts begun seconds."""
    return Usage(seconds=math.ceil(found.duration))


def _segments(found: Transcription) -> list[SegmentBody]:
    return [_segment(segment) for segment in found.segments]


def _segment(segment: Segment) -> SegmentBody:
    return SegmentBody.model_validate(asdict(segment) | {"tokens": list(segment.tokens)})
