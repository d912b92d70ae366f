"""One request: its generators of windows, and its segments in the file's order.

A file whose windows depend on each other has one generator; without that, each of its pieces has its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from whisper.audio import SAMPLE_RATE

from whisper_runtime.engine.interface import OnSegments, Samples
from whisper_runtime.engine.policy.queries import Answer, Window, Work
from whisper_runtime.engine.policy.silence_split import cuts
from whisper_runtime.engine.policy.tokens import Tokens
from whisper_runtime.engine.policy.windows import Clip, Listener, Recording, clips, recording
from whisper_runtime.engine.transcription import Options, Segment, Transcription

Windows = Generator[Work, Answer, None]


@dataclass
class Part:
    """What one generator has found, and whether it is done."""

    segments: list[Segment] = field(default_factory=list[Segment])
    is_done: bool = False


@dataclass(eq=False)
class Request:
    samples: Samples | None
    """Until the spectrogram is there."""
    options: Options
    future: Future[Transcription]
    on_segments: OnSegments | None
    since: float
    """When it came, by time.perf_counter."""
    seconds_left: float = field(init=False)
    """Of audio that is not decoded yet."""
    in_flight: int = 0
    """Its windows that hold a place in the batch."""
    has_begun: bool = False
    _duration: float = field(init=False)
    _language: str = ""
    _parts: list[Part] = field(default_factory=list[Part])
    _told: list[Segment] = field(default_factory=list[Segment])

    def __post_init__(self) -> None:
        assert self.samples is not None
        self._duration = self.seconds_left = len(self.samples) / SAMPLE_RATE

    def opening(self, tokens: Tokens, n_mels: int, device: torch.device) -> Generator[Work, Answer, list[Windows]]:
        """Reads the file; returns the generators that listen to it."""
        samples, self.samples = self.samples, None
        assert samples is not None
        found, first = yield from recording(samples, self.options, tokens, n_mels, device)
        self._language = found.language
        parts = [clips(self.options, found.frames)]
        if not self.options.condition_on_previous_text and not self.options.clip_timestamps:
            parts = [[piece] for piece in cuts(samples)] or parts
        self._parts = [Part() for _ in parts]
        return [self._listener(found, tokens, number, part, first) for number, part in enumerate(parts)]

    def done(self) -> Transcription:
        return Transcription(
            "".join(segment.text for segment in self._told), self._language, self._duration, tuple(self._told)
        )

    @property
    def is_done(self) -> bool:
        return all(part.is_done for part in self._parts)

    def _listener(
        self, found: Recording, tokens: Tokens, number: int, clips: Sequence[Clip], first: Window | None
    ) -> Windows:
        # The client's prompt belongs to the beginning of the file.
        options = self.options if number == 0 else replace(self.options, prompt=None)
        random = torch.Generator()
        random.manual_seed((secrets.randbits(62) if options.seed is None else options.seed) + number)
        listener = Listener(
            found,
            options,
            tokens,
            random,
            partial(self._tell, number),
            last_speech=clips[0][0] / 100 if number else 0.0,
        )
        return self._until_done(listener.listen(clips, first if number == 0 else None), number)

    def _until_done(self, windows: Windows, number: int) -> Windows:
        yield from windows
        self._parts[number].is_done = True
        self._tell(number, ())

    def _tell(self, number: int, segments: Sequence[Segment]) -> None:
        """Keeps a part's segments until all before it is told."""
        self._parts[number].segments += segments
        ready: list[Segment] = []
        for part in self._parts:
            ready += part.segments
            part.segments = []
            if not part.is_done:
                break
        numbered = [replace(segment, id=id_) for id_, segment in enumerate(ready, len(self._told))]
        self._told += numbered
        if numbered and self.on_segments:
            self.on_segments(numbered)
