"""Faults that API servers and networks cause, injected into requests and watches at random."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from chaos.proxy import ConnectionCut, Forward, ProxiedRequest, ProxiedResponse

RequestFault = Callable[[Forward], Awaitable[ProxiedResponse]]
"""Answers a request in place of the API server, which may or may not have carried it out."""
WatchFault = Callable[[bytes], bytes]
"""Returns the bytes that a watch's client gets in place of an event's line; raises ConnectionCut."""

SILENCE_SECONDS: Final = 40.0
"""Longer than the operator waits for an answer."""
LATENCY_SECONDS: Final = 2.0
_latencies = random.Random(1)


def respond_with(status: int, reason: str, headers: Mapping[str, str] | None = None) -> RequestFault:
    body = json.dumps(_failure(status, reason)).encode()

    async def fault(forward: Forward) -> ProxiedResponse:
        return ProxiedResponse(status, body, {"Content-Type": "application/json", **(headers or {})})

    return fault


async def reset_connection(forward: Forward) -> ProxiedResponse:
    raise ConnectionCut


async def truncate_body(forward: Forward) -> ProxiedResponse:
    whole = await forward()
    return ProxiedResponse(whole.status, whole.body[: len(whole.body) // 2], whole.headers)


async def never_answer(forward: Forward) -> ProxiedResponse:
    await asyncio.sleep(SILENCE_SECONDS)
    raise ConnectionCut


async def delay(forward: Forward) -> ProxiedResponse:
    await asyncio.sleep(_latencies.uniform(0, LATENCY_SECONDS))
    return await forward()


def after_commit(fault: RequestFault) -> RequestFault:
    """`fault`, after the API server has carried the request out."""

    async def after(forward: Forward) -> ProxiedResponse:
        await forward()
        return await fault(forward)

    return after


def cut_watch(line: bytes) -> bytes:
    raise ConnectionCut


def truncate_line(line: bytes) -> bytes:
    """The first half of the event, as from a connection that ends in its middle."""
    return line[: len(line) // 2] + b"\n"


def expire_watch(line: bytes) -> bytes:
    """410: the version that the watch stands at is no longer kept, and the events since then are lost."""
    return _error(410, "Expired")


def fail_watch(line: bytes) -> bytes:
    return _error(500, "InternalError")


class RandomFaults:
    """Fails each request, and each event of a watch, with a probability of `share`; `seed` decides which."""

    def __init__(
        self,
        seed: int,
        share: float,
        request_faults: Sequence[RequestFault] = (),
        watch_faults: Sequence[WatchFault] = (),
    ) -> None:
        self.injected = 0
        self._random = random.Random(seed)
        self._share, self._request_faults, self._watch_faults = share, request_faults, watch_faults

    async def handle_request(self, call: ProxiedRequest, forward: Forward) -> ProxiedResponse:
        if not self._request_faults or self._random.random() > self._share:
            return await forward()
        self.injected += 1
        return await self._random.choice(self._request_faults)(forward)

    async def handle_watch_line(self, call: ProxiedRequest, line: bytes) -> bytes:
        if not self._watch_faults or self._random.random() > self._share:
            return line
        self.injected += 1
        return self._random.choice(self._watch_faults)(line)


class BookmarkLoss:
    """Drops every bookmark."""

    def __init__(self) -> None:
        self.injected = 0

    async def handle_watch_line(self, call: ProxiedRequest, line: bytes) -> bytes:
        if json.loads(line)["type"] != "BOOKMARK":
            return line
        self.injected += 1
        return b""


class ExpireOnDeletion:
    """Ends a watch with 410 in the place of each event of a deletion."""

    def __init__(self) -> None:
        self.injected = 0

    async def handle_watch_line(self, call: ProxiedRequest, line: bytes) -> bytes:
        if json.loads(line)["type"] != "DELETED":
            return line
        self.injected += 1
        return expire_watch(line)


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
