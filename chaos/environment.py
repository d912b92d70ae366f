"""The environment of a campaign: a control plane, the operator behind a proxy, and fake controllers.

Nothing runs on the one node: the fake controllers report claims bound, Jobs complete and Deployments available, and no
real controller contradicts them.
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
from typing import Final, TypeVar

import aiohttp
from kubernetes import client, config

from chaos import fake_controllers, prerequisites
from chaos.prerequisites import NAMESPACE
from chaos.proxy import Proxy
from chaos.snapshot import Snapshot, take_snapshot
from testbed import audit, operator_plane
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR, OperatorProcess
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import CLAIM, WHISPER_SERVICE, Kind

T = TypeVar("T")
CONTROLLERS: Final = (
    "garbage-collector-controller,namespace-controller,persistentvolumeclaim-protection-controller,"
    "serviceaccount-controller"
)
QUIET_SECONDS: Final = 0.6
LIMIT_SECONDS: Final = 120.0
"""For each wait; longer than the operator waits between two tries in a row of twelve."""
LEADER_METRIC: Final = re.compile(r"^leader_election_master_status\{.*\} 1\.0$", re.MULTILINE)

ALL_ALLOWED: Final = '{"exemptNamespaces": ["*"]}'
"""A policy that leaves every part of the spec to the faults."""


class ChaosEnvironment:
    """User actions, waits and observations on one control plane; `operator` is the replica that faults are aimed at."""

    def __init__(self, plane: ControlPlane, admin: Cluster, proxy: Proxy) -> None:
        self.plane, self.admin, self.proxy = plane, admin, proxy
        self.operator = self.replica("a")

    def replica(self, identity: str, **settings: str) -> OperatorProcess:
        """A replica that is not started yet; a successor of the same identity takes the Lease over at once."""
        return OperatorProcess(self.plane, self.proxy.url, identity, settings={"POLICY": ALL_ALLOWED, **settings})

    def kill(self) -> None:
        """SIGKILL, as when a node loses power."""
        os.kill(self.operator.pid, signal.SIGKILL)

    async def restart(self) -> None:
        """Stops the operator where it still runs, starts it, and returns when it leads."""
        await asyncio.to_thread(self.operator.stop)
        self.operator.start()
        try:
            await self.wait_until("the operator leads", lambda: leads(self.operator))
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

    async def delete_child(self, kind: Kind, name: str) -> None:
        """Deletes a child behind the operator's back."""
        live = await self.admin.get(kind, NAMESPACE, name)
        if live is not None:
            await self.admin.delete(kind, live)

    async def retry_until_accepted(self, action: Callable[[], Awaitable[None]]) -> None:
        """Repeats `action` until the API server, which may be down, has accepted it."""

        async def accepted() -> bool:
            await action()
            return True

        await self.wait_until("the API server accepts a user's request", accepted)

    async def snapshot(self) -> Snapshot:
        return await take_snapshot(self.admin, NAMESPACE)

    async def wait_until(
        self, what: str, holds: Callable[[], Awaitable[bool]], limit: float | None = None, every: float = 0.1
    ) -> float:
        """Seconds until `holds()`; raises TimeoutError, which names `what`, after `limit` (LIMIT_SECONDS) seconds.

        Errors of the API server count as "not yet": it may be down at the moment. The last one is the cause.
        """
        started, limit = time.monotonic(), LIMIT_SECONDS if limit is None else limit
        while True:
            trouble: Exception | None = None
            try:
                if await holds():
                    return time.monotonic() - started
            except (ApiError, TimeoutError) as error:
                trouble = error
            if time.monotonic() - started > limit:
                raise TimeoutError(f"not within {limit:.0f} s: {what}") from trouble
            await asyncio.sleep(every)

    async def wait_settled(self, quiet: float = QUIET_SECONDS) -> None:
        """Returns when every service is Ready for its generation, and no write was tried for `quiet` seconds."""
        await self.wait_until("every service is Ready", self.all_ready)
        await self.wait_until("it is quiet", lambda: self.is_quiet_for(quiet))

    async def clear(self) -> None:
        """Deletes every service and claim; returns when no child is left either."""
        for name in await self._services():
            await self.delete(name)
        try:
            await self.wait_until("only claims are left", self._only_claims)
            for claim in await self.admin.list(CLAIM, NAMESPACE):
                await self.admin.delete(CLAIM, claim)
            await self.wait_until("nothing is left", self._is_empty)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; there is {json.dumps(await self.snapshot())}") from error

    async def is_garbage_collected(self) -> bool:
        """Whether no child of a deleted service is left; a retained claim has no owner and may stay."""
        if await self._services():
            return True
        return not any(body["metadata"].get("ownerReferences") for body in (await self.snapshot()).values())

    async def is_quiet(self) -> bool:
        return await self.is_quiet_for(QUIET_SECONDS)

    async def is_quiet_for(self, seconds: float) -> bool:
        return asyncio.get_running_loop().time() - self.proxy.last_write > seconds

    async def all_ready(self) -> bool:
        listed = await self.admin.list(WHISPER_SERVICE, NAMESPACE)
        return all(_is_ready(body) for body in listed)

    async def operator_has_ended(self) -> bool:
        return not self.operator.is_running

    async def has_written(self, agent: str, since: int) -> bool:
        """Whether the audit log shows a write of the replica `agent` after byte `since`."""
        return any(one.agent == agent for one in self.writes(since))

    def writes(self, since: int) -> list[audit.AuditedRequest]:
        """The operator's writes after byte `since` of the audit log, of all replicas."""
        return audit.writes(self.plane.audit_log, OPERATOR, since)

    async def _services(self) -> list[str]:
        listed = await self.admin.list(WHISPER_SERVICE, NAMESPACE)
        return [body["metadata"]["name"] for body in listed]

    async def _only_claims(self) -> bool:
        return all(name.startswith("PersistentVolumeClaim/") for name in await self.snapshot())

    async def _is_empty(self) -> bool:
        return not await self.snapshot()


@asynccontextmanager
async def running() -> AsyncGenerator[ChaosEnvironment]:
    """An environment whose operator leads; stopped and emptied when the block ends."""
    with tempfile.TemporaryDirectory() as directory:
        manager = operator_plane.running(Path(directory), controllers=CONTROLLERS)
        async with _entered_in_thread(manager) as plane, _environment_on(plane) as environment:
            yield environment


@asynccontextmanager
async def supervised(operator: OperatorProcess) -> AsyncGenerator[None]:
    """Starts a replica again when it has ended, as the kubelet does: a slow machine may have cost it its Lease."""

    async def supervise() -> None:
        while True:
            await asyncio.sleep(0.5)
            if not operator.is_running:
                operator.start()

    task = asyncio.create_task(supervise())
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def _entered_in_thread(manager: AbstractContextManager[T]) -> AsyncGenerator[T]:
    """Enters and leaves `manager` in a thread: the loop serves the proxies of other environments meanwhile."""
    entered = await asyncio.to_thread(manager.__enter__)
    try:
        yield entered
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)


@asynccontextmanager
async def _environment_on(plane: ControlPlane) -> AsyncGenerator[ChaosEnvironment]:
    await asyncio.to_thread(prerequisites.install, plane)
    admin = admin_client(plane)
    async with Proxy(plane, "a") as proxy, asyncio.TaskGroup() as group:
        environment = ChaosEnvironment(plane, admin, proxy)
        controllers = group.create_task(fake_controllers.run(admin, NAMESPACE))
        await environment.restart()
        try:
            yield environment
        finally:
            controllers.cancel()
            await asyncio.to_thread(environment.operator.stop)
            await admin.close()


def admin_client(plane: ControlPlane) -> Cluster:
    """A client of everybody but the operator, past the proxy."""
    configuration = client.Configuration()
    path = str(plane.kubeconfig)
    config.load_kube_config(path, client_configuration=configuration)  # pyright: ignore[reportUnknownMemberType]
    return Cluster(configuration)


async def leads(operator: OperatorProcess) -> bool:
    """Whether this replica holds the Lease, by its own metric."""
    return LEADER_METRIC.search(await metrics(operator)) is not None


async def metrics(operator: OperatorProcess) -> str:
    """Text of the replica's metrics; empty while its port does not answer."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{operator.metrics_port}/metrics") as response,
        ):
            return await response.text()
    except aiohttp.ClientError:
        return ""


def _is_ready(body: Manifest) -> bool:
    """Whether it is Ready, and nothing of its spec is still to be done."""
    status = body.get("status", {})
    true = {one["type"] for one in status.get("conditions", ()) if one["status"] == "True"}
    is_carried_out = "Ready" in true and not true & {"Reconciling", "Stalled"}
    return is_carried_out and status.get("observedGeneration") == body["metadata"]["generation"]
