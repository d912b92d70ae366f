"""Clients that transcribe without a pause, and the results of their requests."""

from __future__ import annotations

import io
import itertools
import threading
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.support import plain_http

PAUSE_SECONDS = 0.05
"""After a failure alone: a refused connection costs nothing, and 2 cores have better things to do."""


@dataclass(frozen=True)
class TranscriptionResult:
    began: float
    """Seconds since the epoch."""
    ended: float
    problem: str
    """Empty when the text came back."""
    text: str = ""


@dataclass
class TrafficLog:
    """Results of the requests so far, in the order in which they ended."""

    results: list[TranscriptionResult] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        return [answer.problem for answer in self.results if answer.problem]

    @property
    def good(self) -> int:
        return sum(not answer.problem for answer in self.results)

    @property
    def texts(self) -> set[str]:
        return {answer.text for answer in self.results if not answer.problem}

    def longest_gap(self) -> float:
        """Longest time in seconds between the end of a good answer and the beginning of the next one."""
        good = [answer for answer in self.results if not answer.problem]
        return max(after.began - before.ended for before, after in itertools.pairwise(good))


def transcribe(url: str, recording: bytes) -> TranscriptionResult:
    """Sends one request on a connection of its own, without a retry."""
    began = time.time()
    try:
        answer = plain_http.post(f"{url}/transcribe", files={"file": recording}, timeout=300)
    except httpx.HTTPError as error:
        return TranscriptionResult(began, time.time(), f"{type(error).__name__}: {error}")
    text = answer.json()["text"] if answer.status_code == 200 else ""
    return TranscriptionResult(
        began, time.time(), "" if text.strip() else f"{answer.status_code}: {answer.text[:200]}", text
    )


@contextmanager
def transcribing(url: str, recording: bytes, clients: int = 1) -> Iterator[TrafficLog]:
    """`clients` clients that transcribe `recording` again and again until the block ends."""
    over, log = threading.Event(), TrafficLog()

    def transcribe_until_over() -> None:
        while not over.is_set():
            log.results.append(transcribe(url, recording))
            if log.results[-1].problem:
                time.sleep(PAUSE_SECONDS)

    threads = [threading.Thread(target=transcribe_until_over) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield log
    finally:
        over.set()
        for thread in threads:
            thread.join()


def repeated(recording: bytes, times: int) -> bytes:
    """The WAV `recording` repeated `times` times."""
    return joined([recording] * times)


def joined(recordings: Sequence[bytes]) -> bytes:
    """The WAV `recordings`, which are of one kind, one behind the other."""
    found = io.BytesIO()
    with wave.open(found, "wb") as whole:
        for recording in recordings:
            with wave.open(io.BytesIO(recording)) as part:
                if not whole.getnframes():
                    whole.setparams(part.getparams())
                whole.writeframes(part.readframes(part.getnframes()))
    return found.getvalue()
