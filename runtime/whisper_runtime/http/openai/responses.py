"""The bodies of responses, field by field as OpenAI's API has them. A field that may be absent is never null."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

from whisper_runtime.engine.transcription import Task

Absent = SkipJsonSchema[None]
"""The value of a field that is absent; null is never sent."""


class Usage(BaseModel):
    """OpenAI bills Whisper by the second."""

    type: Literal["duration"] = "duration"
    seconds: int


class TokenUsage(BaseModel):
    """What OpenAI's API has in the last event of a stream: whisper-1, billed by the second, has no streams there."""

    type: Literal["tokens"] = "tokens"
    input_tokens: int
    output_tokens: int
    total_tokens: int


class GroqRequest(BaseModel):
    id: str
    """The id that the response has in `x-request-id`, too."""


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
    channel: int | Absent = None
    """With `channels=separate` alone: of the recording, from 0 on."""
    speaker: str | Absent = None
    """With `speakers` alone: who speaks longest in it."""


class WordBody(BaseModel):
    word: str
    start: float
    end: float
    channel: int | Absent = None
    """As of a segment."""
    speaker: str | Absent = None
    """With `speakers` alone: whose word it is."""


class Logprob(BaseModel):
    token: str
    bytes: list[int]
    """The token in UTF-8: a character may be spread over several tokens."""
    logprob: float


class _Answer(BaseModel):
    x_groq: GroqRequest | Absent = None
    """At the path of Groq's API alone."""


class TranscriptionJson(_Answer):
    text: str
    logprobs: list[Logprob] | Absent = None
    usage: Usage


class TranslationJson(_Answer):
    text: str


class TranslationVerbose(_Answer):
    task: Task
    language: str
    """English name of the language, as OpenAI gives it: `english`."""
    duration: float
    text: str
    segments: list[SegmentBody] | Absent = None


class TranscriptionVerbose(TranslationVerbose):
    language_probability: float | Absent = None
    """Where `include[]` asks for it: how sure the model is of the language; absent where that was not detected."""
    words: list[WordBody] | Absent = None
    usage: Usage


class SpeakerSegment(BaseModel):
    """A segment with its speaker; of a stream it is an event, once speakers are known."""

    type: Literal["transcript.text.segment"] = "transcript.text.segment"
    id: str
    start: float
    end: float
    speaker: str
    """`A`, `B`, … in the order in which they begin, or the known speaker's name."""
    text: str
    overlap: Literal[True] | Absent = None
    """True: at its beginning or end another speaker speaks at the same time. Absent: nobody knows."""


class TranscriptionDiarized(_Answer):
    task: Literal["transcribe"] = "transcribe"
    duration: float
    text: str
    segments: list[SpeakerSegment]
    usage: Usage


class TextDelta(BaseModel):
    """An event of a stream: the text since the event before."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: str
    logprobs: list[Logprob] | Absent = None


class TextDone(BaseModel):
    """The last event of a stream: the text as a whole."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    logprobs: list[Logprob] | Absent = None
    usage: TokenUsage


class PlainTranscription(BaseModel):
    """The response to `POST /transcribe`."""

    text: str
    language: str
    """ISO-639-1 code: `en`."""
    segments: list[SegmentBody]
    duration: float
    language_probability: float | Absent = None
    words: list[WordBody] | Absent = None
    srt: str | Absent = None
    vtt: str | Absent = None


class SegmentsDelta(BaseModel):
    """An event of the stream of `POST /transcribe`: the segments since the event before."""

    type: Literal["transcript.segments.delta"] = "transcript.segments.delta"
    segments: list[SegmentBody]
    words: list[WordBody] | Absent = None


class PlainDone(PlainTranscription):
    """The last event of that stream, with all that the answer without a stream has."""

    type: Literal["transcript.done"] = "transcript.done"


class ModelBody(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "openai"
    root: str
    """The served model's own name where `id` is an alias, as vLLM has it; this server's addition."""
    digest: str | None
    """sha256 of the checkpoint in hex; this server's addition."""


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelBody]


class Problem(BaseModel):
    message: str
    type: str
    param: str | None
    """The field that is wrong, where one field is."""
    code: str | None


class ErrorBody(BaseModel):
    """Every error."""

    error: Problem
