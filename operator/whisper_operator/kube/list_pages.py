"""Pages of lists: read by the operator itself, also those that kopf asks for.

kopf starts a task, a queue and a memory of a kilobyte for each object of a list, and decodes what the operator needs as
bytes: four tenths of a restart's processor time with 600 services. So its HTTP session hands each page over as a whole,
and leaves kopf a page of the same version without objects; kopf goes on to watch from that version, so that no change
falls between the list and the watch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from kubernetes import client

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import objects_in
from whisper_operator.kube.credentials import authorization, ssl_context
from whisper_operator.objects.kinds import Kind


@dataclass(frozen=True)
class Page:
    """A part of one complete list."""

    kind: Kind
    namespace: str | None
    """The one that is listed; None: all."""
    objects: list[Manifest]
    version: int
    """The whole list's."""
    is_first: bool
    is_last: bool


TakePage = Callable[[Page], Awaitable[None]]
Targets = Mapping[str, tuple[Kind, str | None]]
"""Kind and namespace by the path of their list's URL."""


def session(configuration: client.Configuration, targets: Targets, take: TakePage) -> aiohttp.ClientSession:
    """A session for kopf, with the server's certificates and credentials as they are now."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=ssl_context(configuration)),
        headers=authorization(configuration),
        response_class=response_class(targets, take),
    )


def response_class(targets: Targets, take: TakePage) -> type[aiohttp.ClientResponse]:
    """The class of a session's responses: pages of the lists in `targets` go to `take`, and are empty for their reader.

    Awaiting `take` keeps the reader from asking for the next page; only one page at a time is decoded, whatever number
    of lists is under way, for a page of every kind at once was the peak of the operator's memory.
    """
    one_at_a_time = asyncio.Lock()

    class ListResponse(aiohttp.ClientResponse):
        async def json(self, **how: Any) -> Any:
            target = targets.get(self.url.path)
            if target is None or self.status != 200:
                return await super().json(**how)
            async with one_at_a_time:
                answer = orjson.loads(await self.read())
                await take(_page(*target, answer, is_first="continue" not in self.url.query))
            return {**answer, "items": []}

    return ListResponse


def _page(kind: Kind, namespace: str | None, answer: Manifest, *, is_first: bool) -> Page:
    metadata = answer["metadata"]
    is_last = not metadata.get("continue")
    return Page(kind, namespace, objects_in(kind, answer), int(metadata["resourceVersion"]), is_first, is_last)
