"""Clients in a closed loop: each sends its next file when the last one is answered."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import httpx
import jiwer

from benchmarks.runtime.speech import Clip
from benchmarks.runtime.systems import System

TIMEOUT: Final = 600.0


@dataclass(frozen=True)
class Request:
    clip: Clip
    seconds: float
    first_seconds: float
    """Until the first byte of text."""
    text: str


@dataclass(frozen=True)
class Round:
    """Measurements of one system under one load."""

    requests: tuple[Request, ...]
    wall_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.requests) / self.wall_seconds

    @property
    def audio_per_second(self) -> float:
        return sum(request.clip.seconds for request in self.requests) / self.wall_seconds

    @property
    def first_seconds(self) -> float:
        return statistics.median(request.first_seconds for request in self.requests)

    def percentile(self, percent: int) -> float:
        """Percentile of the seconds that a request took."""
        ordered = sorted(request.seconds for request in self.requests)
        return ordered[min(len(ordered) - 1, round(len(ordered) * percent / 100))]

    def errors(self, normalize: Callable[[str], str]) -> float:
        """The word error rate over all requests."""
        said = [request.clip.words for request in self.requests]
        return error_rate(said, [request.text for request in self.requests], normalize)


def error_rate(reference: Sequence[str], hypothesis: Sequence[str], normalize: Callable[[str], str]) -> float:
    """The word error rate over all pairs, once both are normalized."""
    return float(jiwer.wer([normalize(words) for words in reference], [normalize(words) for words in hypothesis]))


def run(system: System, clips: Sequence[Clip], clients: int, requests: int, language: str | None) -> Round:
    """`requests` files, in the same order for every system, by so many clients."""
    numbers, lock = count(), threading.Lock()

    def client(_: int) -> list[Request]:
        done: list[Request] = []
        with httpx.Client(timeout=TIMEOUT) as http:
            while True:
                with lock:
                    number = next(numbers)
                if number >= requests:
                    return done
                done.append(_ask(http, system, clips[number % len(clips)], language))

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        found = [request for done in pool.map(client, range(clients)) for request in done]
    return Round(tuple(found), time.perf_counter() - started)


def _ask(http: httpx.Client, system: System, clip: Clip, language: str | None) -> Request:
    form: dict[str, Any] = {"model": "whisper-1", **({"stream": "true"} if system.sends_events else {})}
    if language:
        form["language"] = language
    files = {"file": (f"{clip.name}.wav", clip.content, "audio/wav")}
    started = time.perf_counter()
    first, parts = 0.0, list[str]()
    with http.stream("POST", system.url, data=form, files=files) as answer:
        answer.raise_for_status()
        for part in _deltas(answer) if system.sends_events else answer.iter_text():
            first = first or time.perf_counter() - started
            parts.append(part)
    return Request(clip, time.perf_counter() - started, first, "".join(parts))


def _deltas(answer: httpx.Response) -> Iterator[str]:
    """The text of a stream as OpenAI sends it, piece by piece; raises ValueError where it ends in an error."""
    for line in answer.iter_lines():
        if not line.startswith("data: "):
            continue
        event: dict[str, Any] = json.loads(line.removeprefix("data: "))
        if event.get("type") == "transcript.text.delta":
            yield event["delta"]
        elif event.get("type") != "transcript.text.done":
            raise ValueError(f"the stream ended with {event}")
