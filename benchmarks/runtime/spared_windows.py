"""python -m benchmarks.runtime.spared_windows: what the detection of speech before the model saves, by recording.

Each recording is transcribed as it is, and with `vad_filter`'s defaults: the windows that the model reads, the words
that come out, and the processor's seconds, those of the detection among them. The music is that of telephone queues
(Debian's asterisk-moh-opsound-wav, CC-BY-SA 3.0).
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Final

import whisper

from benchmarks.parity import run
from benchmarks.parity.sounds import SAMPLE_RATE, VOICES, cut, hiss, join, silence, voice
from testbed.inputs import packages, weights
from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.spans import SpeechDetection, clips
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.service.speech_detector import SpeechDetector

PACKAGE: Final = "asterisk-moh-opsound-wav"
LINE_NOISE: Final = 0.001
"""Root mean square of a telephone line in a pause."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="base")
    name = parser.parse_args().model
    weights.ensure()
    engine, detector = run.scheduler(name), SpeechDetector(1)
    print("| recording | minutes | windows | words | processor, s |")
    print("|---|---|---|---|---|")
    for kind, samples in _recordings(_music()).items():
        began = time.process_time()
        plain, windows = _transcribed(engine, samples, Options(language="en"))
        whole, began = time.process_time() - began, time.process_time()
        spans = clips(asyncio.run(detector.spans(samples, SpeechDetection())), SpeechDetection())
        options = Options(language="en", clip_timestamps=tuple(second for span in spans for second in span))
        alone, fewer = _transcribed(engine, samples, options) if spans else (replace(plain, text=""), 0)
        part = time.process_time() - began
        words = (len(found.text.split()) for found in (plain, alone))
        pairs = ((windows, fewer), words, (f"{whole:.0f}", f"{part:.0f}"))
        columns = (" → ".join(map(str, pair)) for pair in pairs)
        print(f"| {kind} | {len(samples) / SAMPLE_RATE / 60:.1f} | {' | '.join(columns)} |", flush=True)


def _recordings(music: Samples) -> Mapping[str, Samples]:
    voices = [voice(name) for name in VOICES]
    pauses = [join(one, hiss(pause, LINE_NOISE)) for one, pause in zip(voices * 2, range(5, 65, 5), strict=True)]
    return {
        "silence": silence(300),
        "hold music": cut(music, 0, 300),
        "a call: 71 s of speech (186 words), and pauses of 5 to 60 s": join(*pauses),
        "a call on hold: 71 s of speech (186 words) around 4 min of music": join(*voices, cut(music, 0, 240), *voices),
        "a reading without pauses: 279 words": join(*voices * 3),
    }


def _music() -> Samples:
    with tempfile.TemporaryDirectory() as directory:
        packages.from_debian(PACKAGE, Path(directory))
        files = sorted(Path(directory).rglob("*.wav"))
        return join(*(whisper.load_audio(str(file)) for file in files))


def _transcribed(engine: Scheduler, samples: Samples, options: Options) -> tuple[Transcription, int]:
    """And the number of windows that the model has read."""
    future, windows = Future[Transcription](), list[float]()

    def count(stage: str, began: float, ended: float) -> None:
        if stage == "encode":
            windows.append(began)

    engine.add(TranscriptionRequest(samples, options, future, None, time.perf_counter(), on_stage=count))
    while not future.done():
        engine.iterate()
    return future.result(), len(windows)


if __name__ == "__main__":
    main()
