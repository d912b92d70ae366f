"""Faults, by chance: what API servers, networks and watches do to requests on a bad day."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from chaos.proxy import Answer, Call, Cut, Forward

Fault = Callable[[Forward], Awaitable[Answer]]
"""Answers a request instead of the API server, which may have carried it out or not."""
WatchFault = Callable[[bytes], bytes]
"""What a watch's client gets instead of an event's line; raises Cut."""

SILENCE_SECONDS: Final = 40.0
"""Longer than the operator waits for an answer."""
LATENCY_SECONDS: Final = 2.0


def answering(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Fault:
    body = json.dumps(_failure(status, reason)).encode()

    async def fault(forward: Forward) -> Answer:
        return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})

    return fault


async def reset(forward: Forward) -> Answer:
    raise Cut


async def truncated(forward: Forward) -> Answer:
    whole = await forward()
    return Answer(whole.status, whole.body[: len(whole.body) // 2], whole.headers)


async def silent(forward: Forward) -> Answer:
    await asyncio.sleep(SILENCE_SECONDS)
    raise Cut


async def late(forward: Forward) -> Answer:
    await asyncio.sleep(random.uniform(0, LATENCY_SECONDS))
    return await forward()


def too_late(fault: Fault) -> Fault:
    """`fault`, once the API server has carried the request out."""

    async def after(forward: Forward) -> Answer:
        await forward()
        return await fault(forward)

    return after


def cut(line: bytes) -> bytes:
    raise Cut


def half(line: bytes) -> bytes:
    """Ends in the middle of an event."""
    return line[: len(line) // 2] + b"\n"


def gone(line: bytes) -> bytes:
    """The version that the watch stands at is no longer kept; what happened meanwhile is not told."""
    return _error(410, "Expired")


def broken(line: bytes) -> bytes:
    return _error(500, "InternalError")


class Weather:
    """Each request meets a fault with a probability of `share`, and so does each event of a watch."""

    def __init__(
        self, seed: int, share: float, faults: Sequence[Fault] = (), watch_faults: Sequence[WatchFault] = ()
    ) -> None:
        self.injected = 0
        self._random = random.Random(seed)
        self._share, self._faults, self._watch_faults = share, faults, watch_faults

    async def meddle(self, call: Call, forward: Forward) -> Answer:
        if not self._faults or self._random.random() > self._share:
            return await forward()
        self.injected += 1
        return await self._random.choice(self._faults)(forward)

    async def edit(self, call: Call, line: bytes) -> bytes:
        if not self._watch_faults or self._random.random() > self._share:
            return line
        self.injected += 1
        return self._random.choice(self._watch_faults)(line)


class Unmarked:
    """Loses every bookmark."""

    def __init__(self) -> None:
        self.injected = 0

    async def edit(self, call: Call, line: bytes) -> bytes:
        if json.loads(line)["type"] != "BOOKMARK":
            return line
        self.injected += 1
        return b""


class Gap:
    """Ends every watch with 410 where it should tell of a deletion."""

    def __init__(self) -> None:
        self.injected = 0

    async def edit(self, call: Call, line: bytes) -> bytes:
        if json.loads(line)["type"] != "DELETED":
            return line
        self.injected += 1
        return gone(line)


def _failure(status: int, reason: str) -> dict[str, Any]:
    """Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/"""
    message = f"{reason}: by the campaign"
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": status,
    }


def _error(status: int, reason: str) -> bytes:
    return json.dumps({"type": "ERROR", "object": _failure(status, reason)}).encode() + b"\n"
