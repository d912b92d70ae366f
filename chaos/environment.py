"""Where a campaign plays: a control plane with everybody's APIs, the operator behind a proxy, and whoever else acts.

Nothing runs on the one node: the players say of claims that they are bound, of Jobs that they are complete and of
Deployments that their pods serve, and no controller contradicts them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import yaml
from kubernetes import client, config

from chaos import fake_controllers
from chaos.proxy import Proxy
from chaos.state import State, observe
from testbed import operator_process as bench
from testbed.cluster import crds
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import CLAIM, WHISPER_SERVICE, Kind

T = TypeVar("T")
NAMESPACE: Final = "campaign"
CONTROLLERS: Final = (
    "garbage-collector-controller,namespace-controller,persistentvolumeclaim-protection-controller,"
    "serviceaccount-controller"
)
QUIET_SECONDS: Final = 0.6
LIMIT_SECONDS: Final = 120.0
"""For whatever must happen; longer than the operator waits between two tries in a row of twelve."""
LEADS: Final = re.compile(r"^leader_election_master_status\{.*\} 1\.0$", re.MULTILINE)
EVERYTHING: Final[Manifest] = yaml.safe_load((REPOSITORY / "examples/everything.yaml").read_text())["spec"]


class Stage:
    def __init__(self, plane: ControlPlane, admin: Cluster, proxy: Proxy) -> None:
        self.plane, self.admin, self.proxy = plane, admin, proxy
        self.operator = self.replica("a")

    def replica(self, identity: str, **settings: str) -> OperatorProcess:
        """A replica that is not started yet; of one identity, each takes the Lease over from the last at once."""
        return OperatorProcess(self.plane, self.proxy.url, identity, settings=settings)

    def kill(self) -> None:
        """As a node that loses power."""
        os.kill(self.operator.pid, signal.SIGKILL)

    async def restart(self) -> None:
        """Another incarnation, once the last one is gone; returns when it leads."""
        await asyncio.to_thread(self.operator.stop)
        self.operator.start()
        try:
            await self.until("the operator leads", lambda: leads(self.operator))
        except TimeoutError as error:
            raise TimeoutError(f"{error}:\n{self.operator.last_lines()}") from error

    async def create(self, name: str, spec: Manifest) -> None:
        metadata = {"name": name, "namespace": NAMESPACE}
        body = {"apiVersion": WHISPER_SERVICE.api_version, "kind": WHISPER_SERVICE.kind, "metadata": metadata}
        await self.admin.create(WHISPER_SERVICE, {**body, "spec": spec})

    async def change(self, name: str, spec: Manifest) -> None:
        """Merges `spec` into the service's."""
        await self.admin.merge(WHISPER_SERVICE, {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})

    async def delete(self, name: str) -> None:
        live = await self.admin.get(WHISPER_SERVICE, NAMESPACE, name)
        if live is not None:
            await self.admin.delete(WHISPER_SERVICE, live)

    async def remove(self, kind: Kind, name: str) -> None:
        """Deletes a child, as somebody does who should not."""
        live = await self.admin.get(kind, NAMESPACE, name)
        if live is not None:
            await self.admin.delete(kind, live)

    async def insist(self, deed: Callable[[], Awaitable[None]]) -> None:
        """Does it again until the API server, which may be down, has taken it."""

        async def done() -> bool:
            await deed()
            return True

        await self.until("the API server takes what a user asks for", done)

    async def state(self) -> State:
        return await observe(self.admin, NAMESPACE)

    async def until(
        self, what: str, holds: Callable[[], Awaitable[bool]], limit: float | None = None, every: float = 0.1
    ) -> float:
        """Seconds until something holds; raises TimeoutError, which names it, from what the last look ran into."""
        started, limit = time.monotonic(), LIMIT_SECONDS if limit is None else limit
        while True:
            trouble: Exception | None = None
            try:
                if await holds():
                    return time.monotonic() - started
            except (ApiError, TimeoutError) as error:
                # The stage's own API server may be down at the moment.
                trouble = error
            if time.monotonic() - started > limit:
                raise TimeoutError(f"not within {limit:.0f} s: {what}") from trouble
            await asyncio.sleep(every)

    async def settled(self, quiet: float = QUIET_SECONDS) -> None:
        """Returns once every service is Ready as it is specified now, and no write has been tried for a while."""
        await self.until("every service is Ready", self.all_ready)
        await self.until("it is quiet", lambda: self.is_quiet_for(quiet))

    async def cleared(self) -> None:
        """Returns once no service, no child and no claim is left."""
        for name in await self._services():
            await self.delete(name)
        try:
            await self.until("only claims are left", self._only_claims)
            for claim in await self.admin.list(CLAIM, NAMESPACE):
                await self.admin.delete(CLAIM, claim)
            await self.until("nothing is left", self._nothing)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; there is {json.dumps(await self.state())}") from error

    async def is_swept(self) -> bool:
        """Whether nothing is left of a service that is gone, but for a claim that is to stay."""
        owners = {f"{WHISPER_SERVICE.kind}/{name}" for name in await self._services()}
        owned = {name for name, body in (await self.state()).items() if body["metadata"].get("ownerReferences")}
        return bool(owners) or not owned

    async def is_quiet(self) -> bool:
        return await self.is_quiet_for(QUIET_SECONDS)

    async def is_quiet_for(self, seconds: float) -> bool:
        return asyncio.get_running_loop().time() - self.proxy.last_write > seconds

    async def _services(self) -> list[str]:
        listed = await self.admin.list(WHISPER_SERVICE, NAMESPACE)
        return [body["metadata"]["name"] for body in listed]

    async def all_ready(self) -> bool:
        listed = await self.admin.list(WHISPER_SERVICE, NAMESPACE)
        return all(_is_ready(body) for body in listed)

    async def has_ended(self) -> bool:
        return not self.operator.is_running

    async def is_written_by(self, agent: str, since: int) -> bool:
        """Whether the audit log shows a write of that replica after its byte `since`."""
        return any(one.agent == agent for one in bench.writes(self.plane, since))

    async def _only_claims(self) -> bool:
        return all(name.startswith("PersistentVolumeClaim/") for name in await self.state())

    async def _nothing(self) -> bool:
        return not await self.state()


@asynccontextmanager
async def opened() -> AsyncGenerator[Stage]:
    """The stage with the operator on it, ready; gone with everything when the block ends."""
    with tempfile.TemporaryDirectory() as directory:
        async with _aside(bench.running(Path(directory), controllers=CONTROLLERS)) as plane, _on(plane) as stage:
            yield stage


@asynccontextmanager
async def _aside(manager: AbstractContextManager[T]) -> AsyncGenerator[T]:
    """Enters and leaves `manager` in a thread, for the loop serves the proxies of other stages meanwhile."""
    entered = await asyncio.to_thread(manager.__enter__)
    try:
        yield entered
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)


@asynccontextmanager
async def _on(plane: ControlPlane) -> AsyncGenerator[Stage]:
    await asyncio.to_thread(_furnish, plane)
    admin = administrator(plane)
    async with Proxy(plane, "a") as proxy, asyncio.TaskGroup() as group:
        stage = Stage(plane, admin, proxy)
        playing = group.create_task(fake_controllers.play(admin, NAMESPACE))
        await stage.restart()
        try:
            yield stage
        finally:
            playing.cancel()
            await asyncio.to_thread(stage.operator.stop)
            await admin.close()


def administrator(plane: ControlPlane) -> Cluster:
    """Whoever else acts in the cluster, past the proxy."""
    configuration = client.Configuration()
    path = str(plane.kubeconfig)
    config.load_kube_config(path, client_configuration=configuration)  # pyright: ignore[reportUnknownMemberType]
    return Cluster(configuration)


async def leads(operator: OperatorProcess) -> bool:
    """Whether this replica holds the Lease, by its own word."""
    return LEADS.search(await metrics(operator)) is not None


async def metrics(operator: OperatorProcess) -> str:
    """Its metrics; empty while it does not answer."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{operator.metrics_port}/metrics") as response,
        ):
            return await response.text()
    except aiohttp.ClientError:
        return ""


def _furnish(plane: ControlPlane) -> None:
    """Everybody's APIs, and what a service with everything on refers to."""
    for file in (file for source in crds.SOURCES for file in crds.ensure(source)):
        bench.kubectl(plane, "apply", "--server-side", "-f", str(file))
    bench.wait("everybody's APIs are served", lambda: bench.is_established(plane))
    bench.kubectl(plane, "apply", "-f", "-", stdin=yaml.safe_dump_all(_furniture()))
    node = {"status": {"conditions": [{"type": "Ready", "status": "True"}], **_capacity()}}
    bench.kubectl(plane, "patch", "node", "gpu", "--subresource=status", "--type=merge", "-p", yaml.safe_dump(node))
    # Every node begins with this taint, and the controller that would take it away does not run.
    bench.kubectl(plane, "taint", "node", "gpu", "node.kubernetes.io/not-ready:NoSchedule-")


def _capacity() -> dict[str, Any]:
    there = {"cpu": "64", "memory": "512Gi", "pods": "110", "nvidia.com/gpu": "16"}
    return {"capacity": there, "allocatable": there}


def _furniture() -> list[Manifest]:
    keys = {"team-a": "b3Blbi1zZXNhbWU="}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gpu", "labels": {"kubernetes.io/arch": "amd64"}}},
        *(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "data": keys}
            for name in ("speech-keys", "other-keys")
        ),
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "standard"},
            "provisioner": "example.com/none",
            "allowVolumeExpansion": True,
        },
    ]


def _is_ready(body: Manifest) -> bool:
    status = body.get("status", {})
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", ()))
    return ready and status.get("observedGeneration") == body["metadata"]["generation"]
