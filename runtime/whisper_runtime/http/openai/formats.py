"""A transcription as the body of a response; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

from whisper_runtime.diarization.words import spoken_parts, with_channels_as_speakers
from whisper_runtime.engine.transcription import Segment, Transcription, Word
from whisper_runtime.http.openai.cues import cues_of
from whisper_runtime.http.openai.logprobs import token_logprobs
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.http.openai.responses import (
    PlainTranscription,
    SegmentBody,
    SegmentsDelta,
    SpeakerSegment,
    TokenUsage,
    TranscriptionDiarized,
    TranscriptionJson,
    TranscriptionVerbose,
    TranslationJson,
    TranslationVerbose,
    Usage,
    WordBody,
)
from whisper_runtime.http.openai.subtitles import srt, vtt
from whisper_runtime.http.openai.vocabulary import language_name
from whisper_runtime.service.model_info import ModelInfo

AUDIO_TOKENS_PER_SECOND: Final = 50
"""States of the encoder (whisper/audio.py, TOKENS_PER_SECOND)."""


def plain_body(found: Transcription, spec: ResponseSpec) -> PlainTranscription:
    """The body of `POST /transcribe`."""
    cues = cues_of(found, spec.lines) if spec.subtitles else []
    return PlainTranscription(
        text=found.text.strip(),
        language=found.language,
        segments=[_segment(segment, found.duration) for segment in found.segments],
        duration=found.duration,
        language_probability=found.language_probability if spec.language_probability else None,
        words=_words(found) if spec.words else None,
        srt=srt(cues) if "srt" in spec.subtitles else None,
        vtt=vtt(cues) if "vtt" in spec.subtitles else None,
    )


def segments_delta(segments: Sequence[Segment], spec: ResponseSpec) -> SegmentsDelta:
    """The event of `segments` while the length of the recording may not be known yet: no time is cut off by it."""
    spoken = [(word, segment.channel) for segment in segments for word in segment.words]
    return SegmentsDelta(
        segments=[_segment(segment, math.inf) for segment in segments],
        words=[_word(word, channel, math.inf) for word, channel in spoken] if spec.words else None,
    )


def openai_body(found: Transcription, spec: ResponseSpec, model: ModelInfo) -> BaseModel | str:
    """The body that OpenAI's API has for `spec`; a string is sent as plain text."""
    match spec.response_format:
        case "text":
            return found.text.strip() + "\n"
        case "srt":
            return srt(cues_of(found, spec.lines))
        case "vtt":
            return vtt(cues_of(found, spec.lines))
        case "json":
            return _json(found, spec, model)
        case "verbose_json":
            return _verbose(found, spec)
        case "diarized_json":
            segments = speaker_segments(found)
            return TranscriptionDiarized(
                duration=found.duration, text=found.text.strip(), segments=segments, usage=usage(found)
            )


def speaker_segments(found: Transcription) -> list[SpeakerSegment]:
    """The segments, cut where the speaker changes; none ends after the file does."""
    end = found.duration
    if found.segments and found.segments[0].channel is not None:
        found = with_channels_as_speakers(found)
    return [
        SpeakerSegment(
            id=f"seg_{number}",
            start=min(part.start, end),
            end=min(part.end, end),
            speaker=part.speaker,
            text=part.text,
            overlap=True if part.overlaps else None,
        )
        for number, part in enumerate(spoken_parts(found.segments))
    ]


def usage(found: Transcription) -> Usage:
    """OpenAI counts begun seconds; each channel that is transcribed by itself has its own."""
    return Usage(seconds=math.ceil(found.audio_seconds))


def token_usage(found: Transcription) -> TokenUsage:
    """Of the encoder's states, which are the model's tokens of audio, and of the text."""
    audio = math.ceil(found.duration * AUDIO_TOKENS_PER_SECOND)
    text = sum(len(segment.tokens) for segment in found.segments)
    return TokenUsage(input_tokens=audio, output_tokens=text, total_tokens=audio + text)


def _json(found: Transcription, spec: ResponseSpec, model: ModelInfo) -> BaseModel:
    text = found.text.strip()
    if spec.task == "translate":
        return TranslationJson(text=text)
    logprobs = token_logprobs(found.segments, english_only=model.english_only) if spec.logprobs else None
    return TranscriptionJson(text=text, logprobs=logprobs, usage=usage(found))


def _verbose(found: Transcription, spec: ResponseSpec) -> BaseModel:
    common = TranslationVerbose(
        task=spec.task,
        language="english" if spec.task == "translate" else language_name(found.language),  # of the text
        duration=found.duration,
        text=found.text.strip(),
        segments=[_segment(segment, found.duration) for segment in found.segments] if spec.segments else None,
    )
    if spec.task == "translate":
        return common
    return TranscriptionVerbose(
        **dict(common),
        language_probability=found.language_probability if spec.language_probability else None,
        words=_words(found) if spec.words else None,
        usage=usage(found),
    )


def _words(found: Transcription) -> list[WordBody]:
    spoken = [(word, segment.channel) for segment in found.segments for word in segment.words]
    if found.channels > 1:
        spoken.sort(key=lambda one: one[0].start)  # two may speak at once
    return [_word(word, channel, found.duration) for word, channel in spoken]


def _segment(segment: Segment, duration: float) -> SegmentBody:
    """A segment may end after the file does, by the model, which a body with the file's `duration` cannot say."""
    return SegmentBody(
        id=segment.id,
        seek=segment.seek,
        start=min(segment.start, duration),
        end=min(segment.end, duration),
        text=segment.text,
        tokens=list(segment.tokens),
        temperature=segment.temperature,
        avg_logprob=segment.avg_logprob,
        compression_ratio=segment.compression_ratio,
        no_speech_prob=segment.no_speech_prob,
        channel=segment.channel,
        speaker=segment.speaker,
    )


def _word(word: Word, channel: int | None, duration: float) -> WordBody:
    start, end = min(word.start, duration), min(word.end, duration)
    return WordBody(word=word.word.strip(), start=start, end=end, channel=channel, speaker=word.speaker)
