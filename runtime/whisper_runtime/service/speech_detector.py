"""Detects speech beside the event loop and the model, in threads that compute alone."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.loudness import detection_gain
from whisper_runtime.engine.speech.spans import Span, SpeechDetection, speech_spans
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE

PIECE: Final = 60 * SAMPLE_RATE
"""Samples between which a detection can end, and others have their turn: a minute takes a tenth of a second."""


class SpeechDetector:
    """Nothing of it is loaded before the first recording."""

    def __init__(self, threads: int) -> None:
        """`threads`: recordings that are looked at side by side; no more wait, as decoders' slots are taken for it."""
        self._pool = ThreadPoolExecutor(threads, "speech", initializer=_compute_alone)

    async def spans(self, samples: Samples, detection: SpeechDetection) -> list[Span]:
        """The speech in `samples`; the pieces of a recording are read one after the other, and not kept."""
        from whisper_runtime.engine.speech.network import no_memory, probabilities

        loop, memory, found = asyncio.get_running_loop(), no_memory(), [np.zeros(0, np.float32)]
        gain = await loop.run_in_executor(self._pool, detection_gain, samples)
        for at in range(0, len(samples), PIECE):
            piece = samples[at : at + PIECE] * gain
            probability, memory = await loop.run_in_executor(self._pool, probabilities, piece, memory)
            found.append(probability)
        whole, duration = np.concatenate(found), len(samples) / SAMPLE_RATE
        return await loop.run_in_executor(self._pool, speech_spans, whole, duration, detection)


def _compute_alone() -> None:
    from whisper_runtime.engine.speech.network import compute_alone

    compute_alone()
