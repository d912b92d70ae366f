"""A route gets the parts that it names, and no others."""

from __future__ import annotations

import inspect

import httpx
from fastapi import FastAPI, Request

from tests.runtime.conftest import PartsOf
from whisper_runtime.http import dependencies
from whisper_runtime.http.dependencies import ModelDep, ProbesDep, RegistryDep, UploadParts, provide, upload_parts


async def test_each_part_reaches_the_route_that_names_it(parts_of: PartsOf) -> None:
    parts, app, found = parts_of(), FastAPI(), list[object]()

    @app.get("/")
    async def route(request: Request, model: ModelDep, probes: ProbesDep, registry: RegistryDep) -> None:
        found.extend((model, upload_parts(request), probes, registry))

    provide(app, parts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://whisper") as client:
        assert (await client.get("/")).status_code == 200
    for_uploads = UploadParts(parts.model.info, parts.transcriber, None)
    assert found == [parts.model.info, for_uploads, parts.probes, parts.metrics.registry]


def test_none_of_them_runs_in_a_thread() -> None:
    """FastAPI runs what is not async in a thread, for each request."""
    found = (dependencies.ModelDep, dependencies.ProbesDep, dependencies.RegistryDep)
    assert all(inspect.iscoroutinefunction(one.__metadata__[0].dependency) for one in found)
