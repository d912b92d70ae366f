"""One recording as a generator of windows: it yields what is to be done, receives the answer, decides what is next.

The decisions are those of `whisper.transcribe` (openai-whisper 20250625, whisper/transcribe.py) with its default
thresholds: where the next window starts, whether a result is tried again at a higher temperature, what is silence,
and which text conditions the next window.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

import torch
from whisper.audio import FRAMES_PER_SECOND, HOP_LENGTH, N_FRAMES, SAMPLE_RATE, pad_or_trim  # pyright: ignore[reportUnknownVariableType]
from whisper.tokenizer import Tokenizer

from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.policy import hallucination
from whisper_runtime.engine.policy.mel import spectrogram
from whisper_runtime.engine.policy.queries import Align, Answer, Decode, Detect, Heard, Language, Said, Window, Work
from whisper_runtime.engine.policy.segments import Draft, Result, drafts, finished, result
from whisper_runtime.engine.policy.tokens import Tokens
from whisper_runtime.engine.policy.word_timestamps import add_words, text_tokens
from whisper_runtime.engine.transcription import Options, Segment

COMPRESSION_RATIO_THRESHOLD: Final = 2.4
LOGPROB_THRESHOLD: Final = -1.0
NO_SPEECH_THRESHOLD: Final = 0.6
PROMPT_RESET_TEMPERATURE: Final = 0.5
"""Text from a higher temperature does not condition the next window."""
SURE: Final = 0.8
"""Probability from which on a language that was found in the first window is taken as found."""

Clip = tuple[int, int]
"""First frame, and the one after the last."""
Tell = Callable[[Sequence[Segment]], None]


@dataclass(frozen=True)
class Recording:
    """What is known of a file before its first window is decoded."""

    mel: torch.Tensor
    """(n_mels, frames + 3000)"""
    language: str
    """ISO-639-1 code."""

    @property
    def frames(self) -> int:
        return self.mel.shape[-1] - N_FRAMES

    def window(self, seek: int, size: int) -> Window:
        return Window(_padded(self.mel[:, seek : seek + size]), size / FRAMES_PER_SECOND)


def recording(
    samples: Samples, options: Options, tokens: Tokens, n_mels: int, device: torch.device
) -> Generator[Work, Answer, tuple[Recording, Window | None]]:
    """The recording, and its first window where the language was detected in that one."""
    mel = yield from cast(Generator[Work, Answer, torch.Tensor], spectrogram(samples, n_mels, device))
    if options.language or not tokens.is_multilingual:
        return Recording(mel, options.language or "en"), None
    found = Recording(mel, "")
    first = found.window(0, min(N_FRAMES, found.frames))
    language = yield from _detected(Detect(first))
    if language.probability < SURE:
        # Upstream pads with a spectrogram of silence here and with zeros later; where it may matter, so do we.
        language = yield from _detected(Detect(Window(_padded(mel), 0.0)))
    return replace(found, language=language.code), first


def clips(options: Options, frames: int) -> list[Clip]:
    """The parts of the file that are listened to, in frames."""
    points = [round(second * FRAMES_PER_SECOND) for second in options.clip_timestamps] or [0]
    if len(points) % 2:
        points.append(frames)
    return list(zip(points[::2], points[1::2], strict=True))


@dataclass
class Listener:
    """Listens to clips of a recording, window by window; `tell` hears each window's segments."""

    recording: Recording
    options: Options
    tokens: Tokens
    random: torch.Generator
    tell: Tell
    earlier: list[int] = field(default_factory=list[int])
    """All text so far, with the client's prompt before it."""
    prompt_from: int = 0
    last_speech: float = 0.0

    def __post_init__(self) -> None:
        self._tokenizer = self.tokens.of(self.recording.language, self.options.task)
        if self.options.prompt:
            self.earlier += _encoded(self._tokenizer, self.options.prompt)

    def listen(self, parts: Sequence[Clip], first: Window | None = None) -> Generator[Work, Answer, None]:
        """`first`: the window at the start of the file, where it is encoded already."""
        for start, end in parts:
            seek = start
            while seek < end:
                size = min(N_FRAMES, self.recording.frames - seek, end - seek)
                if size <= 0:
                    return
                is_first = first is not None and seek == 0 and size == min(N_FRAMES, self.recording.frames)
                window = first if is_first and first is not None else self.recording.window(seek, size)
                seek = max(seek + 1, (yield from self._one(window, seek, size)))

    def _one(self, window: Window, seek: int, size: int) -> Generator[Work, Answer, int]:
        """Decodes one window; the frame that the next one starts at."""
        found = yield from self._with_fallback(window)
        if is_silence(found.said):
            return seek + size
        segments, advance, is_last = drafts(found.said, seek, size, self._tokenizer)
        going_on: int = seek + advance
        if self.options.word_timestamps:
            offset = seek * HOP_LENGTH / SAMPLE_RATE
            add_words(
                segments, (yield from self._heard(window, segments, size)), self._tokenizer, offset, self.last_speech
            )
            end = _end(segments)
            if not is_last and end is not None and end > offset:
                going_on = round(end * FRAMES_PER_SECOND)
            if (threshold := self.options.hallucination_silence_threshold) is not None:
                again, going_on = self._skipped(segments, seek, size, going_on, is_last, threshold)
                if again:
                    return going_on
            self.last_speech = end if (end := _end(segments)) is not None else self.last_speech
        self._say(segments, seek, found)
        return going_on

    def _say(self, segments: list[Draft], seek: int, found: Result) -> None:
        for draft in segments:
            draft.clear_where_empty()
            self.earlier += draft.tokens
        if not self.options.condition_on_previous_text or found.temperature > PROMPT_RESET_TEMPERATURE:
            self.prompt_from = len(self.earlier)
        self.tell([finished(draft, seek, found, logprobs=self.options.logprobs) for draft in segments])

    def _with_fallback(self, window: Window) -> Generator[Work, Answer, Result]:
        """The first result that is good enough, else the last (transcribe.py, decode_with_fallback)."""
        found = None
        script = self.tokens.script(
            self._tokenizer, self.earlier[self.prompt_from :], timed=not self.options.without_timestamps
        )
        for temperature in self.options.temperatures:
            beams = {"beam_size": self.options.beam_size, "patience": self.options.patience}
            search = beams if temperature == 0 else {"best_of": self.options.best_of}
            said = yield Decode(window, replace(script, temperature=temperature, random=self.random, **search))
            assert isinstance(said, Said)
            found = result(said, temperature, self._tokenizer)
            if not needs_fallback(found):
                break
        assert found is not None
        return found

    def _heard(self, window: Window, segments: Sequence[Draft], size: int) -> Generator[Work, Answer, Heard | None]:
        text = text_tokens(segments, self._tokenizer)
        if not text:
            return None
        steering = self._tokenizer.sot_sequence
        read = (*steering, self._tokenizer.no_timestamps, *text, self._tokenizer.eot)
        heard = yield Align(window, read, len(steering), size)
        assert isinstance(heard, Heard)
        return heard

    def _skipped(
        self, segments: list[Draft], seek: int, size: int, going_on: int, is_last: bool, threshold: float
    ) -> tuple[bool, int]:
        """Whether the window is to be listened to again, and from which frame; drops segments that were imagined."""
        start, length = seek * HOP_LENGTH / SAMPLE_RATE, size * HOP_LENGTH / SAMPLE_RATE
        window_end = (seek + N_FRAMES) * HOP_LENGTH / SAMPLE_RATE
        file_end = self.recording.frames * HOP_LENGTH / SAMPLE_RATE
        end = _end(segments)
        if not is_last and end is not None and end > start:
            going_on = round(end * FRAMES_PER_SECOND) if window_end - end > threshold else seek + size
        place = hallucination.Place(start, length, window_end, file_end, self.last_speech)
        gap = hallucination.leading_silence(segments, place, threshold)
        if gap is not None:
            return True, seek + round(gap * FRAMES_PER_SECOND)
        if (found := hallucination.imagined(segments, place, threshold)) is not None:
            index, frame = found
            del segments[index:]
            going_on = self.recording.frames if frame is None else frame
        return False, going_on


def needs_fallback(found: Result) -> bool:
    """Whether the next temperature of the ladder is tried."""
    said = found.said
    if said.no_speech_prob > NO_SPEECH_THRESHOLD and said.avg_logprob < LOGPROB_THRESHOLD:
        return False  # silence
    return found.compression_ratio > COMPRESSION_RATIO_THRESHOLD or said.avg_logprob < LOGPROB_THRESHOLD


def is_silence(said: Said) -> bool:
    return said.no_speech_prob > NO_SPEECH_THRESHOLD and not said.avg_logprob > LOGPROB_THRESHOLD


def _end(segments: Sequence[Draft]) -> float | None:
    """When the last word ends; without words, the last segment (utils.py, get_end)."""
    words = [word for draft in segments for word in draft.words]
    return words[-1].end if words else segments[-1].end if segments else None


def _detected(ask: Detect) -> Generator[Work, Answer, Language]:
    language = yield ask
    assert isinstance(language, Language)
    return language


def _padded(mel: torch.Tensor) -> torch.Tensor:
    """(n_mels, 3000): cut, or filled up with zeros."""
    return cast(torch.Tensor, pad_or_trim(mel, N_FRAMES))  # a tensor in, a tensor out


def _encoded(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """As upstream, except that what looks like a special token is text as any other."""
    return tokenizer.encode(" " + prompt.strip(), disallowed_special=())  # pyright: ignore[reportUnknownMemberType]
