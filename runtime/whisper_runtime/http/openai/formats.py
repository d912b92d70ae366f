"""A transcription as the body of an answer; pure."""

from __future__ import annotations

import io
import math

from pydantic import BaseModel
from whisper.tokenizer import LANGUAGES
from whisper.utils import SubtitlesWriter, WriteSRT, WriteVTT

from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.http.openai import logprobs
from whisper_runtime.http.openai.options import Answer
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
from whisper_runtime.service.model_info import ServedModel


def plain(found: Transcription) -> PlainTranscription:
    """The body of `POST /transcribe`."""
    return PlainTranscription(
        text=found.text.strip(),
        language=found.language,
        segments=[_segment(segment) for segment in found.segments],
        duration=found.duration,
    )


def openai(found: Transcription, answer: Answer, served: ServedModel) -> BaseModel | str:
    """The body that OpenAI's API has for `answer`; a string is sent as plain text."""
    match answer.response_format:
        case "text":
            return found.text.strip() + "\n"
        case "srt":
            return _subtitles(found, WriteSRT(""))
        case "vtt":
            return _subtitles(found, WriteVTT(""))
        case "json":
            return _json(found, answer, served)
        case "verbose_json":
            return _verbose(found, answer)


def usage(found: Transcription) -> Usage:
    """OpenAI counts begun seconds."""
    return Usage(seconds=math.ceil(found.duration))


def _json(found: Transcription, answer: Answer, served: ServedModel) -> BaseModel:
    text = found.text.strip()
    if answer.task == "translate":
        return TranslationJson(text=text)
    of_tokens = logprobs.logprobs(found.segments, english_only=served.english_only) if answer.logprobs else None
    return TranscriptionJson(text=text, logprobs=of_tokens, usage=usage(found))


def _verbose(found: Transcription, answer: Answer) -> BaseModel:
    common = TranslationVerbose(
        task=answer.task,
        language="english" if answer.task == "translate" else LANGUAGES[found.language],  # of the text
        duration=found.duration,
        text=found.text.strip(),
        segments=[_segment(segment) for segment in found.segments] if answer.segments else None,
    )
    if answer.task == "translate":
        return common
    words = [
        WordBody(word=word.word.strip(), start=word.start, end=word.end)
        for segment in found.segments
        for word in segment.words
    ]
    return TranscriptionVerbose(**dict(common), words=words if answer.words else None, usage=usage(found))


def _segment(segment: Segment) -> SegmentBody:
    return SegmentBody.model_validate(segment, from_attributes=True)


def _subtitles(found: Transcription, writer: SubtitlesWriter) -> str:
    """What openai-whisper's own writer makes of the segments."""
    cues = [{"start": segment.start, "end": segment.end, "text": segment.text} for segment in found.segments]
    file = io.StringIO()
    writer.write_result({"segments": cues}, file)  # pyright: ignore[reportUnknownMemberType]
    return file.getvalue()
