"""Given a server that notes what reaches it whole, a replica that no longer leads sends nothing; what reads return."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from kubernetes import client

from tests.fakes.loops import SkippingLoop, on
from whisper_operator.kube.client import REQUEST_SECONDS, Cluster, list_path
from whisper_operator.kube.errors import ApiError, LeaseLost
from whisper_operator.objects.kinds import (
    CHILD_KINDS,
    CLAIM,
    DEPLOYMENT,
    HTTP_ROUTE,
    OPTIONAL_KINDS,
    SCALED_OBJECT,
    SERVICE,
    Kind,
)

META = {"name": "speech", "namespace": "team", "uid": "1"}
MANIFEST = {"apiVersion": "v1", "kind": "Service", "metadata": META}

Write = Callable[[Cluster], Awaitable[object]]
WRITES: dict[str, Write] = {
    "PATCH": lambda cluster: cluster.apply(SERVICE, MANIFEST),
    "POST": lambda cluster: cluster.create(SERVICE, MANIFEST),
    "PUT": lambda cluster: cluster.replace(SERVICE, MANIFEST),
    "PATCH of a number": lambda cluster: cluster.scale(SERVICE, {"metadata": {**META, "resourceVersion": "7"}}, 1),
    "DELETE": lambda cluster: cluster.delete(SERVICE, MANIFEST),
}


@dataclass
class NotingServer:
    url: str = ""
    methods: list[str] = field(default_factory=list[str])
    bodies: list[str] = field(default_factory=list[str])
    paths: list[str] = field(default_factory=list[str])
    content: object = field(default_factory=lambda: MANIFEST)
    content_type: str = "application/json"
    status: int = 200

    async def answer(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.text())
        self.methods.append(request.method)
        self.paths.append(request.path)
        return web.json_response(self.content, status=self.status, content_type=self.content_type)


@pytest.fixture
async def server() -> AsyncIterator[NotingServer]:
    started, app = NotingServer(), web.Application()
    app.router.add_route("*", "/{path:.*}", started.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    started.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield started
    await runner.cleanup()


def leading(server: NotingServer, times: int) -> Cluster:
    """A cluster whose replica leads for so many questions, and then no longer."""
    answers = iter([None] * times)

    def check() -> None:
        if next(answers, LeaseLost) is LeaseLost:
            raise LeaseLost("another replica leads")

    configuration = client.Configuration()
    configuration.host = server.url
    return Cluster(configuration, before_write=check)


@pytest.mark.parametrize("method", WRITES)
async def test_who_leads_writes(server: NotingServer, method: str) -> None:
    cluster = leading(server, 2)
    await WRITES[method](cluster)
    assert server.methods == [method.split()[0]]
    await cluster.close()


@pytest.mark.parametrize("method", WRITES)
async def test_who_does_not_lead_writes_nothing(server: NotingServer, method: str) -> None:
    cluster = leading(server, 0)
    with pytest.raises(LeaseLost):
        await WRITES[method](cluster)
    assert server.methods == []
    await cluster.close()


@pytest.mark.parametrize("method", WRITES)
async def test_who_was_stopped_between_its_check_and_the_socket_writes_nothing(
    server: NotingServer, method: str
) -> None:
    cluster = leading(server, 1)
    with pytest.raises(ApiError, match="another replica leads"):
        await WRITES[method](cluster)
    assert server.methods == []
    await cluster.close()


@on(SkippingLoop)
async def test_a_request_that_takes_too_long_fails() -> None:
    async with asking_in_vain() as (asked, loop):
        loop.skip(REQUEST_SECONDS)
        with pytest.raises(ApiError, match="TimeoutError"):
            await asked


@on(SkippingLoop)
async def test_who_is_cancelled_while_a_request_times_out_is_cancelled() -> None:
    """As when a replica wakes up after a minute: the Lease is lost, and every request is too late at once."""
    async with asking_in_vain() as (asked, loop):
        loop.skip(60)
        loop.call_soon(asked.cancel)
        with pytest.raises(asyncio.CancelledError):
            await asked


@asynccontextmanager
async def asking_in_vain() -> AsyncGenerator[tuple[asyncio.Task[object], SkippingLoop]]:
    """A request that has reached a server which never answers, and the loop whose clock decides."""
    arrived, loop = asyncio.Event(), asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as listening:
        host, port = listening.sockets[0].getsockname()
        cluster = Cluster(client.Configuration(host=f"http://{host}:{port}"))
        asked = asyncio.create_task(cluster.get(SERVICE, "team", "speech"))
        await arrived.wait()
        yield asked, loop
        await cluster.close()


def api(group: str, version: str, plural: str) -> dict[str, Any]:
    return {"metadata": {"name": group}, "versions": [{"version": version, "resources": [{"resource": plural}]}]}


OURS = api("whisper-operator.io", "v1alpha1", "whisperservices")
OTHERS = [api("keda.sh", "v1alpha1", "scaledobjects"), api("monitoring.coreos.com", "v2", "servicemonitors")]


async def test_an_optional_kind_is_served_in_its_version_alone(server: NotingServer) -> None:
    server.content = {"items": [OURS, *OTHERS]}
    cluster = leading(server, 0)
    assert await cluster.served_kinds() == frozenset(CHILD_KINDS) - OPTIONAL_KINDS | {SCALED_OBJECT}
    await cluster.close()


async def test_a_cluster_without_our_api_is_an_error_with_its_remedy(server: NotingServer) -> None:
    server.content = {"items": OTHERS}
    cluster = leading(server, 0)
    with pytest.raises(ApiError, match="apply the CustomResourceDefinition"):
        await cluster.served_kinds()
    await cluster.close()


async def test_the_schemas_of_an_api_are_read_where_they_have_another_address(server: NotingServer) -> None:
    address = "/openapi/v3/apis/gateway.networking.k8s.io/v1?hash=1"
    server.content = {
        "paths": {"apis/gateway.networking.k8s.io/v1": {"serverRelativeURL": address}},
        "components": {"schemas": {"HTTPRoute": {}}},
    }
    server.content_type = "text/plain"  # As the API server says of the index (kube-apiserver 1.37.2).
    cluster = leading(server, 0)
    assert await cluster.schemas(HTTP_ROUTE.api_version) == (address, {"HTTPRoute": {}})
    assert await cluster.schemas(HTTP_ROUTE.api_version, address) == (address, None)
    assert await cluster.schemas("absent.example.com/v1") == ("", None)
    assert len(server.methods) == 4
    await cluster.close()


@pytest.mark.parametrize(
    ("kind", "precondition"), [(SERVICE, {"uid": "1"}), (CLAIM, {"uid": "1", "resourceVersion": "7"})]
)
async def test_a_claim_is_deleted_in_the_version_that_was_judged(
    server: NotingServer, kind: Kind, precondition: dict[str, str]
) -> None:
    cluster = leading(server, 2)
    await cluster.delete(kind, {**MANIFEST, "metadata": {**META, "resourceVersion": "7"}})
    assert json.loads(server.bodies[0])["preconditions"] == precondition
    await cluster.close()


async def test_exactly_the_version_that_was_judged_is_scaled(server: NotingServer) -> None:
    cluster = leading(server, 2)
    await cluster.scale(DEPLOYMENT, {"metadata": {**META, "resourceVersion": "7"}}, 0)
    assert server.paths == ["/apis/apps/v1/namespaces/team/deployments/speech/scale"]
    body = {"metadata": {"uid": "1", "resourceVersion": "7"}, "spec": {"replicas": 0}}
    assert json.loads(server.bodies[0]) == body
    await cluster.close()


async def test_a_list_comes_in_pages_of_one_version(server: NotingServer) -> None:
    server.content = {"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "a"}}]}
    cluster = leading(server, 0)
    pages = [page async for page in cluster.pages(SERVICE, "team")]
    assert pages == [([{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}], 7)]
    await cluster.close()


@pytest.mark.parametrize(
    ("kind", "namespace", "path"),
    [
        (SERVICE, None, "/api/v1/services"),
        (SERVICE, "team", "/api/v1/namespaces/team/services"),
        (SCALED_OBJECT, "team", "/apis/keda.sh/v1alpha1/namespaces/team/scaledobjects"),
    ],
)
def test_where_a_list_is(kind: Kind, namespace: str | None, path: str) -> None:
    assert list_path(kind, namespace) == path


@pytest.mark.parametrize(
    ("status", "reason", "is_done"), [(404, "NotFound", True), (404, "", False), (409, "Conflict", False)]
)
async def test_a_deletion_is_done_where_the_object_is_gone_and_nowhere_else(
    server: NotingServer, status: int, reason: str, is_done: bool
) -> None:
    """A conflict says no more than that it was not carried out; and an API that is not served may have kept it."""
    server.status, server.content = status, {"reason": reason}
    cluster = leading(server, 2)
    if is_done:
        await cluster.delete(SERVICE, MANIFEST)
    else:
        with pytest.raises(ApiError, match=str(status)):
            await cluster.delete(SERVICE, MANIFEST)
    await cluster.close()


@pytest.mark.parametrize(("reason", "is_absent"), [("NotFound", True), ("", False)])
async def test_an_object_is_absent_where_its_api_says_so_and_not_where_that_is_not_served(
    server: NotingServer, reason: str, is_absent: bool
) -> None:
    """Else a service is taken for deleted, and a child for gone, while an API server starts."""
    server.status, server.content = 404, {"reason": reason}
    cluster = leading(server, 2)
    if is_absent:
        assert await cluster.get(SERVICE, "team", "speech") is None
    else:
        with pytest.raises(ApiError, match="404"):
            await cluster.get(SERVICE, "team", "speech")
    await cluster.close()
