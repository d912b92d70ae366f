"""One request: the generators that transcribe its chunks, and its segments in the file's order.

A file whose windows depend on each other is one chunk; without that, it is split at quiet places.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from whisper.audio import FRAMES_PER_SECOND, SAMPLE_RATE

from whisper_runtime.engine.interface import (
    IsBackground,
    OnBegun,
    OnProgress,
    OnSegments,
    OnStage,
    Samples,
    in_foreground,
)
from whisper_runtime.engine.policy.queries import QueryGenerator, Window
from whisper_runtime.engine.policy.recording import (
    ComputeSpectrogram,
    FrameRange,
    Recording,
    open_recording,
    seek_clips,
)
from whisper_runtime.engine.policy.silence_split import split_at_silence
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer
from whisper_runtime.engine.policy.windows import WindowPolicy
from whisper_runtime.engine.transcription import Options, Segment, Transcription


@dataclass
class Chunk:
    """One generator's part of a recording."""

    start: int
    """The frame at which it begins; of the first one 0, wherever that has its first clip."""
    seek: int = 0
    """The frame up to which it is transcribed; not before `start` once a window is."""
    segments: list[Segment] = field(default_factory=list[Segment])
    """Those that are not reported yet."""
    is_done: bool = False


@dataclass(eq=False)
class TranscriptionRequest:
    samples: Samples | None
    """None once the spectrogram is being computed."""
    options: Options
    future: Future[Transcription]
    on_segments: OnSegments | None
    submitted_at: float
    """By time.perf_counter."""
    client: str = ""
    """The name of who sent it: clients take turns."""
    on_progress: OnProgress | None = None
    """Called after each window."""
    on_begun: OnBegun | None = None
    """Called once, when the first window gets a slot."""
    on_stage: OnStage | None = None
    is_background: IsBackground = in_foreground
    """Whether its windows yield to those of other requests."""
    context: Context = field(default_factory=copy_context)
    """That of who submits it: a line in the log about this request belongs to the client's."""
    seconds_left: float = field(init=False)
    """Seconds of audio that are not decoded yet."""
    num_slots: int = 0
    """Slots that its windows hold."""
    has_begun: bool = False
    """Whether one of its windows has had a slot."""
    _duration: float = field(init=False)
    _language: str = ""
    _language_probability: float | None = None
    _chunks: list[Chunk] = field(default_factory=list[Chunk])
    _policies: list[WindowPolicy] = field(default_factory=list[WindowPolicy])
    """Of the chunks, in their order."""
    _opened: list[QueryGenerator] = field(default_factory=list[QueryGenerator])
    _reported: list[Segment] = field(default_factory=list[Segment])

    def __post_init__(self) -> None:
        assert self.samples is not None
        self._duration = self.seconds_left = len(self.samples) / SAMPLE_RATE

    def open(self, tokenizer: ModelTokenizer, spectrogram: ComputeSpectrogram) -> QueryGenerator:
        """Read the file, and leave a generator for each of its chunks to `take_opened`. Call it once."""
        samples, self.samples = self.samples, None
        assert samples is not None
        recording, first = yield from open_recording(samples, self.options, tokenizer, spectrogram)
        self._language, self._language_probability = recording.language, recording.language_probability
        parts = [seek_clips(self.options, recording.frames)]
        if not self.options.condition_on_previous_text and not self.options.clip_timestamps:
            parts = [[chunk] for chunk in split_at_silence(samples)] or parts
        self._chunks = [Chunk(clips[0][0] if number else 0) for number, clips in enumerate(parts)]
        self._policies = [self._policy(recording, tokenizer, number, clips) for number, clips in enumerate(parts)]
        self._opened = [
            self._transcribe_chunk(number, policy, clips, first)
            for number, (policy, clips) in enumerate(zip(self._policies, parts, strict=True))
        ]

    def take_opened(self) -> list[QueryGenerator]:
        """The generators of the file's chunks, in its order, once `open` has ended; none at any other call."""
        opened, self._opened = self._opened, []
        return opened

    def begin(self, encoding_since: float) -> None:
        """Note that its first window gets a slot; it waited until that was encoded, by time.perf_counter."""
        self.has_begun = True
        if self.on_begun:
            self.on_begun()
        if self.on_stage:
            self.on_stage("queue", self.submitted_at, encoding_since)

    def ended(self, stage: str, began: float) -> None:
        """Report a stage that ends now, and began then by time.perf_counter."""
        if self.on_stage:
            self.on_stage(stage, began, time.perf_counter())

    @property
    def is_done(self) -> bool:
        return all(chunk.is_done for chunk in self._chunks)

    def transcription(self) -> Transcription:
        """The segments reported so far: all of the file's once `is_done`."""
        return Transcription(
            text="".join(segment.text for segment in self._reported),
            language=self._language,
            duration=self._duration,
            segments=tuple(self._reported),
            language_probability=self._language_probability,
            is_sampled=any(policy.has_sampled for policy in self._policies),
        )

    def complete(self) -> None:
        """Resolve the future, unless it was cancelled."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(self.transcription())

    def fail(self, error: Exception) -> None:
        """Fail the future, unless it was cancelled."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)

    def _policy(
        self, recording: Recording, tokenizer: ModelTokenizer, number: int, clips: Sequence[FrameRange]
    ) -> WindowPolicy:
        # The client's prompt belongs to the beginning of the file.
        options = self.options if number == 0 else replace(self.options, prompt=None)
        generator = torch.Generator()
        generator.manual_seed((secrets.randbits(62) if options.seed is None else options.seed) + number)
        last_speech = clips[0][0] / 100 if number else 0.0
        report, advance = partial(self._report, number), partial(self._advance, number)
        return WindowPolicy(recording, options, tokenizer, generator, report, advance, last_speech=last_speech)

    def _transcribe_chunk(
        self, number: int, policy: WindowPolicy, clips: Sequence[FrameRange], first: Window | None
    ) -> QueryGenerator:
        yield from policy.transcribe(clips, first if number == 0 else None)
        self._chunks[number].is_done = True
        self._report(number, ())

    def _advance(self, number: int, seek: int) -> None:
        """Note that a chunk is transcribed up to that frame."""
        self._chunks[number].seek = seek
        if self.on_progress:
            frames = sum(max(0, chunk.seek - chunk.start) for chunk in self._chunks)
            self.on_progress(min(frames / FRAMES_PER_SECOND, self._duration))

    def _report(self, number: int, segments: Sequence[Segment]) -> None:
        """Number and report a chunk's segments, once all segments before them are reported."""
        self._chunks[number].segments += segments
        ready: list[Segment] = []
        for chunk in self._chunks:
            ready += chunk.segments
            chunk.segments = []
            if not chunk.is_done:
                break
        numbered = [replace(segment, id=id_) for id_, segment in enumerate(ready, len(self._reported))]
        self._reported += numbered
        if numbered and self.on_segments:
            self.on_segments(numbered)
