"""Sends a recording to a service through the API server, and takes in the words as they come."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from kubectl_whisper.kube_api import Failure, KubeApi, refusal

PASSING: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses after which the same request may succeed; 503 is the API server's, too, while no pod is ready."""
TRIES: Final = 8
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds between two tries, doubled each time, where the answer names none."""
TIMEOUT: Final = httpx.Timeout(30.0, read=None, write=120.0)
"""A transcription may take long, and while it waits the server sends comments; an end of the connection is noticed."""


@dataclass(frozen=True)
class SentFile:
    file: Path
    fields: Mapping[str, str | list[str]]
    """Of the form, as POST /transcribe has them."""
    key: str | None
    """An API key of the service; None: it asks for none."""


class Progress(Protocol):
    """Takes in how far a transcription is."""

    def sent(self, size: int, total: int) -> None:
        """Bytes of the recording that have left, of those that it has."""

    def transcribed(self, segments: list[dict[str, Any]]) -> None:
        """Segments in their order, none twice."""

    def tried(self, message: str, seconds: float) -> None:
        """The request failed, and is sent again after `seconds`."""


class Interrupted(Exception):
    """The request ended before the transcript did, by what may pass; `seconds`: until the next try, None: not said."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


def transcribe(
    api: KubeApi,
    service: str,
    recording: SentFile,
    progress: Progress,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """The transcript: `text`, `language`, `segments`, `duration`, and what the fields ask for; raises Failure.

    A pod that ends meanwhile costs another try, which another pod takes, and no segment is reported twice: the same
    recording has the same segments.
    """
    position, wait = 0.0, FIRST_WAIT
    for number in range(1, TRIES + 1):
        try:
            for event in _events(api, service, recording, progress):
                if event["type"] == "transcript.done":
                    return {name: value for name, value in event.items() if name != "type"}
                new = [one for one in event["segments"] if one["end"] > position]
                position = max([position, *(one["end"] for one in new)])
                progress.transcribed(new)
            raise Interrupted("the connection ended before the transcript did")
        except Interrupted as interrupted:
            if number == TRIES:
                raise Failure(f"{interrupted}; given up after {TRIES} tries") from None
            seconds = min(wait if interrupted.seconds is None else interrupted.seconds, LONGEST_WAIT)
            progress.tried(str(interrupted), seconds)
            sleep(seconds)
            wait = min(wait * 2, LONGEST_WAIT)
    raise AssertionError("the last try returns or raises")


def _events(api: KubeApi, service: str, recording: SentFile, progress: Progress) -> Iterator[dict[str, Any]]:
    """The events of one request; raises Interrupted and Failure."""
    # The API server takes Authorization for its own, and passes it on to nobody.
    headers = {"X-API-Key": recording.key} if recording.key else {}
    url, data = api.proxied(service, "/transcribe"), {**recording.fields, "stream": "true"}
    with CountedFile(recording.file, progress) as file:
        files = {"file": (recording.file.name, file)}
        try:
            with api.http.stream("POST", url, data=data, files=files, headers=headers, timeout=TIMEOUT) as response:
                if response.status_code != HTTPStatus.OK:
                    response.read()
                    raise _failure(response)
                yield from _of_stream(response)
        except httpx.TransportError as error:
            raise Interrupted(f"the connection ended: {error or type(error).__name__}") from None


def _of_stream(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if not line.startswith("data:"):
            continue
        event = json.loads(line.removeprefix("data:"))
        if error := event.get("error"):
            raise (Interrupted if error["type"] == "server_error" else Failure)(error["message"])
        yield event


def _failure(response: httpx.Response) -> Exception:
    if response.status_code not in PASSING:
        return Failure(refusal(response))
    after = response.headers.get("retry-after", "")
    return Interrupted(refusal(response), float(after) if after.isdigit() else None)


class CountedFile(io.BufferedReader):
    """A file that reports how much of it has been read."""

    def __init__(self, file: Path, progress: Progress) -> None:
        """Raises Failure where it cannot be read."""
        try:
            super().__init__(io.FileIO(file))
        except OSError as error:
            raise Failure(f"{file}: {error.strerror}") from None
        self._progress = progress
        self._size = file.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self._progress.sent(self.tell(), self._size)
        return found
