"""A file before its first window is decoded: its spectrogram, its language, and which parts of it are transcribed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Final, cast

import torch
from whisper.audio import FRAMES_PER_SECOND, N_FRAMES, pad_or_trim  # pyright: ignore[reportUnknownVariableType]

from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.policy.queries import DetectedLanguage, DetectLanguage, Pause, Query, QueryResult, Window
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer
from whisper_runtime.engine.transcription import Options

LANGUAGE_CONFIDENCE: Final = 0.8
"""From this probability on, a language that was detected in the first window is not detected once more."""

ComputeSpectrogram = Callable[[Samples], Generator[Pause, None, torch.Tensor]]
"""mel.spectrogram for one model and device: from samples to (n_mels, frames + 3000), float32."""

FrameRange = tuple[int, int]
"""The first frame of 10 ms, and the one after the last."""


@dataclass(frozen=True)
class Recording:
    mel: torch.Tensor
    """(n_mels, frames + 3000), float32"""
    language: str
    """ISO-639-1 code."""
    language_probability: float | None = None
    """From 0 to 1; None: the language was not detected."""

    @property
    def frames(self) -> int:
        """Frames of 10 ms, without padding."""
        return self.mel.shape[-1] - N_FRAMES

    def window(self, seek: int, size: int) -> Window:
        """The window of `size` frames, at most 3000, from frame `seek` on."""
        return Window(_pad_or_trim(self.mel[:, seek : seek + size]), size / FRAMES_PER_SECOND)


def open_recording(
    samples: Samples, options: Options, tokenizer: ModelTokenizer, spectrogram: ComputeSpectrogram
) -> Generator[Query, QueryResult, tuple[Recording, Window | None]]:
    """The recording, and its first window where the language was detected in that one, else None: a later one may be
    longer than the clip that begins there."""
    mel = yield from cast(Generator[Query, QueryResult, torch.Tensor], spectrogram(samples))
    if options.language or not tokenizer.is_multilingual:
        return Recording(mel, options.language or "en"), None
    recording = Recording(mel, "")
    start = min(round(options.language_at * FRAMES_PER_SECOND), recording.frames)
    first = recording.window(start, min(N_FRAMES, recording.frames - start))
    language = yield from _detect(first, options)
    if language.probability < LANGUAGE_CONFIDENCE:
        # Upstream pads with a spectrogram of silence here and with zeros later; where it may matter, so do we.
        language = yield from _detect(Window(_pad_or_trim(mel[:, start:]), 0.0), options)
    found = replace(recording, language=language.code, language_probability=language.probability)
    return found, None if start else first


def seek_clips(options: Options, frames: int) -> list[FrameRange]:
    """The parts of a file of `frames` that are transcribed (transcribe.py, seek_clips)."""
    points = [round(second * FRAMES_PER_SECOND) for second in options.clip_timestamps] or [0]
    if len(points) % 2:
        points.append(frames)
    return list(zip(points[::2], points[1::2], strict=True))


def _detect(window: Window, options: Options) -> Generator[Query, QueryResult, DetectedLanguage]:
    language = yield DetectLanguage(window, options.languages)
    assert isinstance(language, DetectedLanguage)
    return language


def _pad_or_trim(mel: torch.Tensor) -> torch.Tensor:
    """(n_mels, 3000), padded with zeros."""
    return cast(torch.Tensor, pad_or_trim(mel, N_FRAMES))  # a tensor in, a tensor out
