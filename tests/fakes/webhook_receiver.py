"""A receiver of webhooks: records each request, and answers as a test says. It also has recordings, by their length."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fakes.web_server import FakeRequest, answering
from whisper_runtime.service.webhooks.signature import PREFIX

SECRET: Final = f"{PREFIX}MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
"""Of the bytes 01234567890123456789012345678901."""
SECONDS: Final = 30.0
"""The longest that a test waits for a request."""

Respond = Callable[["ReceiverRequest"], None]


@dataclass(frozen=True)
class ReceivedEvent:
    path: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


def answering_with(status: int, **headers: str) -> Respond:
    return lambda request: request.answer(status, b"", headers)


@dataclass
class WebhookReceiver:
    answers: list[Respond] = field(default_factory=lambda: [answering_with(204)])
    """One for each request, in order; the last one goes for all that follow."""
    received: list[ReceivedEvent] = field(default_factory=list[ReceivedEvent])
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the server ends: a responder that stalls waits for it."""
    came: threading.Condition = field(default_factory=threading.Condition)

    def until_received(self, count: int = 1) -> list[ReceivedEvent]:
        """The first `count` requests, which are waited for; blocks. Raises TimeoutError."""
        with self.came:
            if not self.came.wait_for(lambda: len(self.received) >= count, SECONDS):
                raise TimeoutError(f"{len(self.received)} of {count} events came within {SECONDS} s")
            return self.received[:count]


class ReceiverRequest(FakeRequest):
    receiver: WebhookReceiver

    def do_POST(self) -> None:
        receiver, size = self.receiver, int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        if len(body) < size:  # its sender has ended in the middle of it: nothing is received
            self.close_connection = True
            return
        with receiver.came:
            respond = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            receiver.received.append(ReceivedEvent(self.path, self.named_headers, body))
            receiver.came.notify_all()
        respond(self)

    def do_GET(self) -> None:
        """For the path /N the fakes' recording of N seconds."""
        self.answer(200, f"speech {self.path.strip('/')}".encode(), {"Content-Type": "audio/wav"})


@contextmanager
def receiving(*answers: Respond, host: str = "127.0.0.1", port: int = 0) -> Generator[WebhookReceiver]:
    """A receiver with these answers, or that takes every event, until the end of the block."""
    receiver = WebhookReceiver(list(answers)) if answers else WebhookReceiver()
    with answering(ReceiverRequest, host, port, receiver=receiver) as url:
        receiver.url = url
        try:
            yield receiver
        finally:
            receiver.over.set()
