"""What a transcription costs, beside which the speakers' cost is small or not."""

from __future__ import annotations

import time

from benchmarks.diarization.dialogues import dialogue
from benchmarks.parity import run
from benchmarks.parity.sounds import SAMPLE_RATE
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.transcription import Options


def of_transcription(engine: Scheduler, seed: int) -> float:
    """Processor seconds for a second of a dialogue in Dutch, at temperature 0, by as many threads as torch takes."""
    samples = dialogue(seed, ("nl/v", "nl/m"), 120).samples
    began = time.process_time()
    run.transcribe(engine, samples, Options(language="nl", temperatures=(0.0,)))
    return (time.process_time() - began) / (len(samples) / SAMPLE_RATE)
