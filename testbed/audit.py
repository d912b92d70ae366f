"""The API server's audit log as a witness: every request of a user, and when it came."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
QUIET_SECONDS: Final = 10.0


@dataclass(frozen=True)
class AuditedRequest:
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
    """User agent; replicas of one user differ by it."""
    is_next_page: bool = False
    """Whether it asks for a further page of a list."""

    def __str__(self) -> str:
        path = "/".join(filter(None, (self.resource, self.subresource, self.namespace, self.name)))
        return f"{self.verb} {path}"


class AuditLogReader:
    """Reads the requests of `user` from byte `position` of the log on, those of the Lease excepted.

    A watch is logged when it ends. A request that was being logged when `position` was the log's size came before it.
    """

    def __init__(self, log: Path, user: str, position: int = 0) -> None:
        self._log, self._user = log, user
        # A log's size may be that of half a line: the first one, from the byte before on, is its rest or a line's end.
        self._position, self._is_at_a_line = max(position - 1, 0), position == 0

    def read(self) -> Iterator[AuditedRequest]:
        """Requests logged since the last call; raises ValueError when the log has become shorter meanwhile."""
        if self._log.stat().st_size < self._position:
            raise ValueError(f"{self._log} is shorter than what was read of it: it was rotated or emptied")
        with self._log.open("rb") as stream:
            stream.seek(self._position)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                if not self._is_at_a_line:
                    self._is_at_a_line = True
                    continue
                event = json.loads(line)
                if event["user"]["username"] == self._user and event["stage"] == "ResponseComplete":
                    found = _request(event)
                    if found.resource != "leases":
                        yield found


def requests(log: Path, user: str, since: int = 0) -> Iterator[AuditedRequest]:
    """Requests of `user` after byte `since` of the log."""
    return AuditLogReader(log, user, since).read()


def writes(log: Path, user: str, since: int = 0) -> list[AuditedRequest]:
    """Write requests of `user` after byte `since` of the log."""
    return writes_among(requests(log, user, since))


def writes_among(found: Iterable[AuditedRequest]) -> list[AuditedRequest]:
    return [one for one in found if one.verb in WRITES]


def until_quiet(
    log: Path, user: str, since: int, limit: float, quiet: float = QUIET_SECONDS, namespace: str = ""
) -> list[AuditedRequest]:
    """The user's writes, in `namespace` where one is named, until none has come for `quiet` seconds.

    Raises TimeoutError after `limit` seconds.
    """
    started, reader = time.time(), AuditLogReader(log, user, since)
    found: list[AuditedRequest] = []
    while True:
        time.sleep(min(1.0, quiet / 4))
        found += [one for one in writes_among(reader.read()) if namespace in ("", one.namespace)]
        last = max((one.answered for one in found), default=started)
        if time.time() - last > quiet:
            return found
        if time.time() - started > limit:
            raise TimeoutError(f"still writing after {limit:.0f} s: {by_verb(found)}, the last {found[-1:]}")


def by_verb(found: Iterable[AuditedRequest]) -> dict[str, int]:
    """Requests by verb and resource, most frequent first."""
    counts: dict[str, int] = {}
    for one in found:
        verb = "next page of" if one.is_next_page else one.verb
        key = f"{verb} {one.resource}{'/' + one.subresource if one.subresource else ''}"
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _request(event: dict[str, Any]) -> AuditedRequest:
    ref: dict[str, Any] = event.get("objectRef", {})
    return AuditedRequest(
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
