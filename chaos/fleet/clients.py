"""Clients that use a disturbed service as official clients do: a request that is refused or cut off is sent again."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from chaos.fleet.ledger import BrokenRequest, ClientLedger
from chaos.jobs.pod_service import FORM, OF_A_POD, TRANSCRIPTIONS
from tests.support import plain_http

WHOLE, STREAM, JOB = "whole", "stream", "job"
DOORS: Final = {WHOLE: 3, STREAM: 1, JOB: 2}
"""So many clients use each."""
LONGEST_SECONDS: Final = 600.0
"""After which a request counts as lost."""
PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 10.0
"""Clients come again earlier than told, as impatient ones do."""


class RequestLost(Exception):
    """A request had no answer within LONGEST_SECONDS."""


@dataclass
class SpokenFile:
    name: str
    audio: bytes
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """What each model makes of it, by model."""


@dataclass
class FleetClients:
    """`url`: of the service; `files`: no two say the same."""

    url: str
    files: list[SpokenFile]
    seed: int
    ledger: ClientLedger = field(default_factory=ClientLedger)
    jobs: dict[str, SpokenFile] = field(default_factory=dict[str, SpokenFile])
    """Each job that was accepted, by id."""
    is_over: threading.Event = field(default_factory=threading.Event)
    may_ask: threading.Event = field(default_factory=threading.Event)
    busy: set[str] = field(default_factory=set[str])
    """Clients with a request under way."""

    @contextmanager
    def running(self) -> Generator[None]:
        """They ask without a pause until the block ends; what is under way then is brought to its end."""
        self.may_ask.set()
        threads = [
            threading.Thread(target=self._ask_until_over, args=(door, number), name=f"{door} {number}")
            for door, clients in DOORS.items()
            for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            self.may_ask.set()
            for thread in threads:
                thread.join()

    def _ask_until_over(self, door: str, number: int) -> None:
        chooser, name = random.Random(f"{self.seed} {door} {number}"), f"{door} {number}"
        ask = {WHOLE: self._whole, STREAM: self._stream, JOB: self._job}[door]
        while not self.is_over.is_set():
            self.may_ask.wait()
            file, began = chooser.choice(self.files), time.monotonic()
            self.busy.add(name)
            try:
                self.ledger.take(door, began, ask(file), file.texts.values())
            except Exception as error:  # a thread's end would go unseen
                self.ledger.problems.append(f"{door}: {error!r}")
                return
            finally:
                self.busy.discard(name)

    def _whole(self, file: SpokenFile) -> str:
        return self.answered(WHOLE, lambda: self._post(file)).json()["text"]

    def _stream(self, file: SpokenFile) -> str:
        """The text of the event that ends the stream; a stream that ends without is asked for again."""
        ends = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < ends:
            began = time.monotonic()
            answer = self.answered(STREAM, lambda: self._post(file, {"stream": "true"}))
            lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
            last: dict[str, Any] = json.loads(lines[-1]) if lines else {}
            if last.get("type") == "transcript.text.done":
                return last["text"]
            self._broke(STREAM, began, f"the stream ended by {last.get('type', last)}")
        raise RequestLost(file.name)

    def _job(self, file: SpokenFile) -> str:
        headers = {"Prefer": "respond-async", "Idempotency-Key": uuid.uuid4().hex}
        job_id = self.answered(JOB, lambda: self._post(file, headers=headers), 202).json()["id"]
        self.jobs[job_id] = file
        ends = time.monotonic() + LONGEST_SECONDS
        while (job := self.get(f"{TRANSCRIPTIONS}/{job_id}").json())["status"] in ("queued", "in_progress"):
            if time.monotonic() > ends:
                raise RequestLost(f"{job_id} is {job['status']}")
            time.sleep(PAUSE_SECONDS)
        if job["status"] != "completed":
            raise RequestLost(f"{job_id} is {job['status']}: {job.get('error')}")
        return self.get(f"{TRANSCRIPTIONS}/{job_id}/content").json()["text"]

    def get(self, path: str) -> httpx.Response:
        return self.answered(JOB, lambda: plain_http.get(f"{self.url}{path}", timeout=60))

    def answered(self, door: str, ask: Callable[[], httpx.Response], status: int = 200) -> httpx.Response:
        """The answer of that status; raises RequestLost where there is none, or one that no client may get."""
        ends = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < ends:
            began = time.monotonic()
            try:
                answer = ask()
            except httpx.TransportError as error:
                self._broke(door, began, type(error).__name__)
                continue
            if OF_A_POD not in answer.headers:
                self._broke(door, began, f"{answer.status_code} of none of the pods")
            elif answer.status_code == status:
                return answer
            elif (wait := self.ledger.take_refusal(door, answer)) is not None:
                time.sleep(min(wait, LONGEST_PAUSE_SECONDS))
            else:
                raise RequestLost(f"{answer.status_code}: {answer.text[:300]}")
        raise RequestLost(f"no answer within {LONGEST_SECONDS:.0f} s")

    def _post(
        self, file: SpokenFile, form: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return plain_http.post(
            f"{self.url}{TRANSCRIPTIONS}",
            files={"file": (f"{file.name}.wav", file.audio)},
            data=FORM | dict(form or {}),
            headers=headers,
            timeout=httpx.Timeout(300, connect=10),
        )

    def _broke(self, door: str, began: float, cause: str) -> None:
        self.ledger.broken.append(BrokenRequest(door, began, time.monotonic(), cause))
        time.sleep(PAUSE_SECONDS)
