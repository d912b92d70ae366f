"""An API server for kopf: it serves kinds, lists their objects in pages, and streams what a test says has changed."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import Kind

BACKBONE = (
    Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions"),
    Kind("v1", "Namespace", "namespaces"),
)
"""The kinds without which kopf does not start."""
PAGE = 2
"""Objects of a page, whatever limit the client asks for."""


class ApiServer:
    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.url = ""
        self.version = 10
        self.is_listed = asyncio.Event()
        """A list has been asked for."""
        self.answers_lists = asyncio.Event()
        """Set unless a test makes lists wait."""
        self.answers_lists.set()
        self.objects: list[Manifest] = []
        self.kinds = {*kinds, *BACKBONE}
        """What it serves; a test may add to it and take from it."""
        self._streams: dict[Kind, asyncio.Queue[Manifest]] = {}

    def show(self, kind: Kind, event: str, body: Manifest) -> None:
        """Sends one event to the watch of `kind`, as soon as there is one."""
        self._stream(kind).put_nowait({"type": event, "object": body})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        match parts:
            case ["api"]:
                return web.json_response({"versions": ["v1"]})
            case ["apis"] if "v=v2" in request.headers["Accept"]:
                return web.json_response({"items": list(self._discovery())})
            case ["apis"]:
                return web.json_response({"groups": list(self._groups())})
            case ["api", version] | ["apis", _, version]:
                group = parts[1] if parts[0] == "apis" else ""
                return web.json_response({"resources": list(self._resources(group, version))})
            case [*_, plural]:
                kind = next(one for one in self.kinds if one.plural == plural)
                return await (self._watch if "watch" in request.query else self._list)(request, kind)
            case _:
                raise web.HTTPNotFound

    async def _list(self, request: web.Request, kind: Kind) -> web.Response:
        self.is_listed.set()
        await self.answers_lists.wait()
        found = [body for body in self.objects if body["kind"] == kind.kind]
        start = int(request.query.get("continue", "0"))
        metadata = {"resourceVersion": str(self.version)}
        if len(found) > start + PAGE:
            metadata["continue"] = str(start + PAGE)
        head = {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "metadata": metadata}
        return web.json_response({**head, "items": found[start : start + PAGE]})

    async def _watch(self, request: web.Request, kind: Kind) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            event = await self._stream(kind).get()
            await response.write(json.dumps(event).encode() + b"\n")

    def _stream(self, kind: Kind) -> asyncio.Queue[Manifest]:
        return self._streams.setdefault(kind, asyncio.Queue())

    def _groups(self) -> Iterable[Manifest]:
        named = sorted({(kind.group, kind.version) for kind in self.kinds if kind.group})
        for group, found in itertools.groupby(named, key=lambda pair: pair[0]):
            versions = [{"version": version} for _, version in found]
            yield {"name": group, "versions": versions, "preferredVersion": versions[0]}

    def _discovery(self) -> Iterable[Manifest]:
        """As aggregated: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery"""
        for kind in self.kinds:
            version = {"version": kind.version, "resources": [{"resource": kind.plural}]}
            yield {"metadata": {"name": kind.group}, "versions": [version]}

    def _resources(self, group: str, version: str) -> Iterable[Manifest]:
        for kind in self.kinds:
            if (kind.group, kind.version) == (group, version):
                yield {
                    "name": kind.plural,
                    "singularName": kind.kind.lower(),
                    "kind": kind.kind,
                    "namespaced": True,
                    "verbs": ["list", "watch"],
                }


@asynccontextmanager
async def serving(*kinds: Kind) -> AsyncGenerator[ApiServer]:
    server, app = ApiServer(kinds), web.Application()
    app.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
