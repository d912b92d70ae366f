"""Clients that transcribe without a pause, and what they were answered."""

from __future__ import annotations

import io
import itertools
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

PAUSE_SECONDS = 0.05
"""After a failure alone: a refused connection costs nothing, and 2 cores have better things to do."""


@dataclass(frozen=True)
class Answer:
    began: float
    """Seconds since the epoch."""
    ended: float
    problem: str
    """Empty where the words came back."""
    text: str = ""


@dataclass
class Answers:
    """What the clients were answered so far, in the order in which the answers came."""

    all: list[Answer] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        return [answer.problem for answer in self.all if answer.problem]

    @property
    def good(self) -> int:
        return sum(not answer.problem for answer in self.all)

    @property
    def texts(self) -> set[str]:
        return {answer.text for answer in self.all if not answer.problem}

    def longest_gap(self) -> float:
        """Most seconds that passed between the end of a good answer and the beginning of the next one."""
        good = [answer for answer in self.all if not answer.problem]
        return max(after.began - before.ended for before, after in itertools.pairwise(good))


def transcribe(url: str, recording: bytes) -> Answer:
    """One request on a connection of its own, as clients make it that do not retry."""
    began = time.time()
    try:
        answer = httpx.post(f"{url}/transcribe", files={"file": recording}, timeout=300)
    except httpx.HTTPError as error:
        return Answer(began, time.time(), f"{type(error).__name__}: {error}")
    text = answer.json()["text"] if answer.status_code == 200 else ""
    return Answer(began, time.time(), "" if text.strip() else f"{answer.status_code}: {answer.text[:200]}", text)


@contextmanager
def transcribing(url: str, recording: bytes, clients: int = 1) -> Iterator[Answers]:
    """Clients that transcribe `recording` again and again until the block ends."""
    over, answers = threading.Event(), Answers()

    def go_on() -> None:
        while not over.is_set():
            answers.all.append(transcribe(url, recording))
            if answers.all[-1].problem:
                time.sleep(PAUSE_SECONDS)

    threads = [threading.Thread(target=go_on) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


def repeated(recording: bytes, times: int) -> bytes:
    """A WAV recording, spoken `times` times."""
    with wave.open(io.BytesIO(recording)) as once:
        parameters, frames = once.getparams(), once.readframes(once.getnframes())
    found = io.BytesIO()
    with wave.open(found, "wb") as often:
        often.setparams(parameters)
        often.writeframes(frames * times)
    return found.getvalue()
