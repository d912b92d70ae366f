"""Each line of a pass names its object and the pass, and none tells a secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes import client

from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError, LeaseLost
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.observe.records import Key
from whisper_operator.reconcile import worker
from whisper_operator.reconcile.queue import Queue
from whisper_operator.telemetry import logs

TOKEN, VALUE = "token-of-the-operator", "value-that-a-spec-should-not-hold"
MANIFEST = {"metadata": {"namespace": "team", "name": "speech"}, "spec": {"env": [{"value": VALUE}]}}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What the process logs; what pytest has set up is put back afterwards."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    root.handlers = []
    found = io.StringIO()
    logs.configure("debug", found)
    yield found
    logging.captureWarnings(False)
    sys.excepthook = hook
    root.handlers = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def logs_twice(key: Key) -> None:
    """A pass that lets another one run between its lines."""
    logging.getLogger("x").info("first of %s", key[1])
    await asyncio.sleep(0)
    logging.getLogger("x").info("second of %s", key[1])


async def test_the_lines_of_a_pass_carry_its_object_and_its_id(stream: io.StringIO) -> None:
    queue = Queue()
    await asyncio.gather(*(worker.run(("team", name), queue, logs_twice) for name in ("a", "b")))
    logging.getLogger("x").info("outside")
    *inside, outside = [line for line in lines(stream) if line["module"] == "x"]
    assert [line["message"] for line in inside] == ["first of a", "first of b", "second of a", "second of b"]
    assert all(line["namespace"] == "team" and line["message"].endswith(line["service"]) for line in inside)
    ids = [line["pass"] for line in inside]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]
    assert not {"namespace", "service", "pass"} & set(outside)


@pytest.mark.parametrize(
    ("error", "level"), [(ApiError("PATCH /x", 403, "Forbidden", "no"), "WARNING"), (KeyError("spec"), "ERROR")]
)
async def test_a_pass_that_fails_says_for_which_object(stream: io.StringIO, error: Exception, level: str) -> None:
    async def fails(_: Key) -> None:
        raise error

    await worker.run(("team", "speech"), Queue(), fails)
    (line,) = [line for line in lines(stream) if line["module"] == "whisper_operator.reconcile.worker"]
    assert (line["level"], line["namespace"], line["service"]) == (level, "team", "speech")
    assert len(line["pass"]) == 8
    assert ("KeyError: 'spec'" in line.get("exception", "")) == (level == "ERROR")


@pytest.mark.parametrize("status", [200, 403])
async def test_a_write_is_a_line_without_its_body_and_without_the_token(stream: io.StringIO, status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        return web.json_response({"reason": "Forbidden", "message": "not you"}, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        configuration = client.Configuration(host=str(server.make_url("")).rstrip("/"))
        configuration.api_key = {"BearerToken": f"Bearer {TOKEN}"}
        cluster = Cluster(configuration)

        async def applies(_: Key) -> None:
            await cluster.apply(DEPLOYMENT, MANIFEST)

        await worker.run(("team", "speech"), Queue(), applies)
        await cluster.close()
    written = [line for line in lines(stream) if line["module"] == "whisper_operator.kube.client"]
    path = "/apis/apps/v1/namespaces/team/deployments/speech"
    assert [line["message"] for line in written] == [f"PATCH {path}: {status}"]
    assert [line["service"] for line in written] == ["speech"]
    assert TOKEN not in stream.getvalue()
    assert VALUE not in stream.getvalue()


def test_what_ends_the_process_is_one_line_too(stream: io.StringIO) -> None:
    error = LeaseLost("one no longer holds Lease whisper-system/whisper-operator")
    sys.excepthook(LeaseLost, error, None)
    (line,) = lines(stream)
    assert (line["level"], line["message"]) == ("CRITICAL", f"the process ends: {error}")
    assert line["exception"].endswith(str(error))
