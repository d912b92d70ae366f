"""The bodies of answers, field by field as OpenAI's API has them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from whisper_runtime.engine.transcription import Task


class Usage(BaseModel):
    type: Literal["duration"] = "duration"
    seconds: int


class SegmentBody(BaseModel):
    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: list[int]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class TranscriptionJson(BaseModel):
    text: str
    usage: Usage


class TranslationJson(BaseModel):
    text: str


class TranscriptionVerbose(BaseModel):
    task: Task
    language: str
    """English name of the language, as OpenAI gives it: `english`."""
    duration: float
    text: str
    segments: list[SegmentBody]
    usage: Usage


class TranslationVerbose(BaseModel):
    task: Task
    language: str
    duration: float
    text: str
    segments: list[SegmentBody]


class PlainTranscription(BaseModel):
    """The answer of `POST /transcribe`."""

    text: str
    language: str
    """ISO-639-1 code: `en`."""
    segments: list[SegmentBody]
    duration: float


class ModelBody(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "openai"
    digest: str | None
    """sha256 of the checkpoint in hex; this server's addition."""


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelBody]
