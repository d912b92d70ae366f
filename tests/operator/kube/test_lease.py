"""Given what the API server answers about the Lease, this replica leads, waits, or ends.

The clock is the loop's, and goes on only while everybody waits: nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fakes.loops import InstantLoop, loop_time, on
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube import lease as module
from whisper_operator.kube.errors import ApiError, LeaseLost
from whisper_operator.kube.lease import Lease
from whisper_operator.objects.kinds import Kind


class LeaseServer:
    """One Lease as an API server keeps it; `mute` for one that takes requests and never answers."""

    def __init__(self) -> None:
        self.live: Manifest | None = None
        self.mute = False
        self.broken = False

    @property
    def holder(self) -> str:
        return self.live["spec"]["holderIdentity"] if self.live else ""

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        await self._answer()
        return self.live

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        return await self._store(manifest, 1)

    async def replace(self, kind: Kind, manifest: Manifest) -> Manifest:
        return await self._store(manifest, int(manifest["metadata"]["resourceVersion"]) + 1)

    async def _store(self, manifest: Manifest, version: int) -> Manifest:
        await self._answer()
        self.live = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": str(version)}}
        return self.live

    async def _answer(self) -> None:
        if self.mute:
            await asyncio.Event().wait()
        if self.broken:
            raise ApiError("GET lease", 500, "InternalError", "etcdserver: request timed out")


@pytest.fixture
def server() -> LeaseServer:
    return LeaseServer()


def lease_of(identity: str, server: LeaseServer) -> Lease:
    return Lease(server, "team", "whisper-operator", identity, clock=loop_time)


@on(InstantLoop)
async def test_a_free_lease_is_taken_and_renewed(server: LeaseServer) -> None:
    lease = lease_of("a", server)
    await lease.acquire()
    lease.check()
    renewing = asyncio.create_task(lease.renew())
    await asyncio.sleep(module.RENEW_DEADLINE_SECONDS * 2)
    lease.check()
    assert server.holder == "a"
    renewing.cancel()


@pytest.mark.parametrize("trouble", ["mute", "broken"])
@on(InstantLoop)
async def test_a_holder_that_cannot_renew_ends_before_another_may_lead(server: LeaseServer, trouble: str) -> None:
    lease = lease_of("a", server)
    await lease.acquire()
    setattr(server, trouble, True)
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(LeaseLost, match="a no longer holds Lease team/whisper-operator"):
        await lease.renew()
    assert loop.time() - started == pytest.approx(module.RENEW_DEADLINE_SECONDS)


@on(InstantLoop)
async def test_another_takes_over_at_once_after_a_release(server: LeaseServer) -> None:
    first, second = lease_of("a", server), lease_of("b", server)
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(module.RETRY_SECONDS)
    assert not second.is_held
    await first.release()
    with pytest.raises(LeaseLost):
        first.check()
    await asyncio.wait_for(waiting, module.RETRY_SECONDS)
    assert server.holder == "b"


@on(InstantLoop)
async def test_another_takes_over_from_the_dead(server: LeaseServer) -> None:
    first, second = lease_of("a", server), lease_of("b", server)
    await first.acquire()
    started = asyncio.get_running_loop().time()
    await second.acquire()
    assert server.holder == "b"
    assert asyncio.get_running_loop().time() - started >= module.DURATION_SECONDS
    assert not first.is_held


@pytest.mark.parametrize("trouble", ["mute", "broken"])
@on(InstantLoop)
async def test_a_release_that_fails_is_logged_and_raises_nothing(
    server: LeaseServer, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    lease = lease_of("a", server)
    await lease.acquire()
    setattr(server, trouble, True)
    await lease.release()
    assert not lease.is_held
    assert "was not released" in caplog.text


@on(InstantLoop)
async def test_times_of_the_holder_are_not_trusted(server: LeaseServer) -> None:
    """Given a Lease that another renewed long ago by its own clock, then it stands for a whole duration still."""
    spec: dict[str, Any] = {"holderIdentity": "b", "renewTime": "2001-01-01T00:00:00.000000Z"}
    server.live = {"metadata": {"name": "whisper-operator", "resourceVersion": "7"}, "spec": spec}
    lease = lease_of("a", server)
    waiting = asyncio.create_task(lease.acquire())
    await asyncio.sleep(module.RETRY_SECONDS * 2)
    assert not lease.is_held
    await waiting
    assert server.live["spec"]["leaseTransitions"] == 1
