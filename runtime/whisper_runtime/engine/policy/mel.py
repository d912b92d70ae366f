"""Log-mel spectrograms of recordings of any length, a few minutes at a time (whisper/audio.py, log_mel_spectrogram)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import numpy as np
import torch
from whisper.audio import HOP_LENGTH, N_FFT, N_FRAMES, mel_filters

from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.policy.queries import Pause

FRAMES_AT_ONCE: Final = 5 * 60 * 100
"""Frames of 10 ms that are computed between two pauses."""
FLOOR: Final = -10.0
"""log10 of the least power that counts: that of silence."""
RANGE: Final = 8.0
"""Values further below the loudest point of the whole recording are raised to this distance."""


def spectrogram(
    samples: Samples, n_mels: int, device: torch.device, frames_at_once: int = FRAMES_AT_ONCE
) -> Generator[Pause, None, torch.Tensor]:
    """(n_mels, frames + 3000), float32: the recording, and thirty seconds of silence after it.

    Raises torch.OutOfMemoryError.
    """
    frames = len(samples) // HOP_LENGTH + N_FRAMES
    not_silent = min(frames, (len(samples) + N_FFT // 2) // HOP_LENGTH + 1)
    log = torch.full((n_mels, frames), FLOOR, device=device)
    window, filters = torch.hann_window(N_FFT, device=device), mel_filters(str(device), n_mels)
    for start in range(0, not_silent, frames_at_once):
        end = min(not_silent, start + frames_at_once)
        piece = torch.as_tensor(_around(samples, start, end), device=device)
        spectrum = torch.stft(piece, N_FFT, HOP_LENGTH, window=window, center=False, return_complex=True)
        log[:, start:end] = (filters @ spectrum.abs().square()).clamp(min=1e-10).log10()
        if end < not_silent:
            yield Pause()
    if frames:
        log.clamp_(min=log.max() - RANGE)
    return log.add_(4.0).div_(4.0)


def _around(samples: Samples, start: int, end: int) -> Samples:
    """The samples that frames `start` to `end` depend on: mirrored before the beginning, silent after the end."""
    first, last = start * HOP_LENGTH - N_FFT // 2, (end - 1) * HOP_LENGTH + N_FFT // 2
    found = samples[max(0, first) : last]
    if missing := last - max(0, first) - len(found):
        found = np.pad(found, (0, missing))
    if first < 0:
        found = np.concatenate([found[1 : 1 - first][::-1], found])
    return np.ascontiguousarray(found, dtype=np.float32)
