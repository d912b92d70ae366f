"""A transcription as the body of a response; pure."""

from __future__ import annotations

import io
import math

from pydantic import BaseModel
from whisper.tokenizer import LANGUAGES
from whisper.utils import SubtitlesWriter, WriteSRT, WriteVTT

from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.http.openai.logprobs import token_logprobs
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.http.openai.responses import (
    PlainTranscription,
    SegmentBody,
    TranscriptionJson,
    TranscriptionVerbose,
    TranslationJson,
    TranslationVerbose,
    Usage,
    WordBody,
)
from whisper_runtime.service.model_info import ModelInfo


def plain_body(found: Transcription) -> PlainTranscription:
    """The body of `POST /transcribe`."""
    return PlainTranscription(
        text=found.text.strip(),
        language=found.language,
        segments=[_segment(segment) for segment in found.segments],
        duration=found.duration,
    )


def openai_body(found: Transcription, spec: ResponseSpec, model: ModelInfo) -> BaseModel | str:
    """The body that OpenAI's API has for `spec`; a string is sent as plain text."""
    match spec.response_format:
        case "text":
            return found.text.strip() + "\n"
        case "srt":
            return _subtitles(found, WriteSRT(""))
        case "vtt":
            return _subtitles(found, WriteVTT(""))
        case "json":
            return _json(found, spec, model)
        case "verbose_json":
            return _verbose(found, spec)


def usage(found: Transcription) -> Usage:
    """OpenAI counts begun seconds."""
    return Usage(seconds=math.ceil(found.duration))


def _json(found: Transcription, spec: ResponseSpec, model: ModelInfo) -> BaseModel:
    text = found.text.strip()
    if spec.task == "translate":
        return TranslationJson(text=text)
    logprobs = token_logprobs(found.segments, english_only=model.english_only) if spec.logprobs else None
    return TranscriptionJson(text=text, logprobs=logprobs, usage=usage(found))


def _verbose(found: Transcription, spec: ResponseSpec) -> BaseModel:
    common = TranslationVerbose(
        task=spec.task,
        language="english" if spec.task == "translate" else LANGUAGES[found.language],  # of the text
        duration=found.duration,
        text=found.text.strip(),
        segments=[_segment(segment) for segment in found.segments] if spec.segments else None,
    )
    if spec.task == "translate":
        return common
    words = [
        WordBody(word=word.word.strip(), start=word.start, end=word.end)
        for segment in found.segments
        for word in segment.words
    ]
    return TranscriptionVerbose(**dict(common), words=words if spec.words else None, usage=usage(found))


def _segment(segment: Segment) -> SegmentBody:
    return SegmentBody.model_validate(segment, from_attributes=True)


def _subtitles(found: Transcription, writer: SubtitlesWriter) -> str:
    """The segments as openai-whisper's own writer formats them."""
    cues = [{"start": segment.start, "end": segment.end, "text": segment.text} for segment in found.segments]
    file = io.StringIO()
    writer.write_result({"segments": cues}, file)  # pyright: ignore[reportUnknownMemberType]
    return file.getvalue()
