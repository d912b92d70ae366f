"""python -m benchmarks.gpu.measure.upstream: the same requests by `whisper.transcribe`, one after the other.

It serves one request at a time, so that its requests/s are the same for any number of clients.
"""

from __future__ import annotations

import time
from typing import Any

import whisper

from benchmarks.gpu.measure.clients import LANGUAGES, noise
from benchmarks.gpu.measure.job import job, spread


def main() -> None:
    one = job("upstream")
    model: Any = whisper.load_model(str(one.random_checkpoint), device=one.device.type)
    clips = noise(one)
    fp16 = one.device.type == "cuda"
    for language, code in LANGUAGES.items():
        taken: list[float] = []
        for clip in clips[: 2 * one.size.requests]:
            started = time.perf_counter()
            model.transcribe(clip, language=code, temperature=0.0, sample_len=one.size.tokens, fp16=fp16)
            one.wait()
            taken.append(time.perf_counter() - started)
        taken = taken[1:]  # the first one sets things up
        one.tell(language=language, requests_s=round(len(taken) / sum(taken), 2), ms=spread([1000 * s for s in taken]))


if __name__ == "__main__":
    main()
