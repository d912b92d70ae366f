"""The API server's audit log as a witness: who asked for what, and when."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Request:
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    received: float
    """Seconds since the epoch."""
    answered: float
    agent: str = ""
    """User agent, which tells replicas of one user apart."""
    is_next_page: bool = False
    """Of a list whose first page is a request before it."""

    def __str__(self) -> str:
        path = "/".join(filter(None, (self.resource, self.subresource, self.namespace, self.name)))
        return f"{self.verb} {path}"


class Reader:
    """What `user` asks for from byte `position` of the log on, the Lease excepted; a watch counts when it ends."""

    def __init__(self, log: Path, user: str, position: int = 0) -> None:
        self._log, self._user, self._position = log, user, position

    def read(self) -> Iterator[Request]:
        """What has come since the last time; raises ValueError where the log has been begun anew meanwhile."""
        if self._log.stat().st_size < self._position:
            raise ValueError(f"{self._log} is shorter than what was read of it: it was rotated or emptied")
        with self._log.open("rb") as stream:
            stream.seek(self._position)
            for line in stream:
                if not line.endswith(b"}\n"):
                    return
                self._position += len(line)
                event = json.loads(line)
                if event["user"]["username"] == self._user and event["stage"] == "ResponseComplete":
                    found = _request(event)
                    if found.resource != "leases":
                        yield found


def requests(log: Path, user: str, since: int = 0) -> Iterator[Request]:
    """What `user` asked for after byte `since` of the log."""
    return Reader(log, user, since).read()


def writes(log: Path, user: str, since: int = 0) -> list[str]:
    """The write requests among them: "verb resource/name"."""
    return [str(request) for request in requests(log, user, since) if request.verb in WRITES]


def _request(event: dict[str, Any]) -> Request:
    ref: dict[str, Any] = event.get("objectRef", {})
    return Request(
        event["verb"],
        ref.get("resource", event["requestURI"]),
        ref.get("subresource", ""),
        ref.get("namespace", ""),
        ref.get("name", ""),
        event.get("responseStatus", {}).get("code", 0),
        _seconds(event["requestReceivedTimestamp"]),
        _seconds(event["stageTimestamp"]),
        event.get("userAgent", ""),
        "continue=" in event["requestURI"],
    )


def _seconds(timestamp: str) -> float:
    return datetime.datetime.fromisoformat(timestamp).timestamp()
