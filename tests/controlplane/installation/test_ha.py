"""Two replicas, their Lease and their health, as processes of their own on a real control plane."""

from __future__ import annotations

import asyncio
import datetime
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from chaos import api_faults, environment, scenarios
from chaos.environment import ChaosEnvironment, leads, metrics
from chaos.pause import health_is, standby
from chaos.prerequisites import NAMESPACE
from chaos.proxy import Forward, ProxiedRequest, ProxiedResponse, pass_request
from testbed import audit, operator_plane
from testbed.cluster import binaries
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from whisper_operator.kube.lease import DURATION_SECONDS, LEASE
from whisper_operator.objects.kinds import CHILD_KINDS, SERVICE

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPEC = {"model": {"name": "base"}, "cache": {"type": "EmptyDir"}}
RELEASE = "whisper-operator"
"""The chart's, whose name its objects have, the Lease among them."""
RECREATED_SECONDS = 5.0
"""Within which a child that is deleted is there again."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[ChaosEnvironment]:
    async with environment.running() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def first(opened: ChaosEnvironment) -> AsyncIterator[ChaosEnvironment]:
    """The environment with one replica, `a`, that leads, and no service."""
    await opened.clear()
    if not await leads(opened.operator):
        await opened.restart()
    yield opened
    opened.proxy.handle_request = pass_request


async def lease(env: ChaosEnvironment) -> dict[str, Any]:
    live = await env.admin.get(LEASE, "default", "whisper-operator")
    assert live is not None
    return live["spec"]


def time_of(stamp: str) -> float:
    return datetime.datetime.fromisoformat(stamp).timestamp()


async def is_warm(second: OperatorProcess) -> bool:
    return await health_is(second, "readyz")


async def test_the_standby_has_seen_everything_and_is_ready(first: ChaosEnvironment) -> None:
    await first.create("speech", SPEC)
    await first.wait_settled()
    async with standby(first) as second:
        await first.wait_until("the second replica is ready", lambda: is_warm(second))
        assert 'name="speech"' in await metrics(second)
        assert not await leads(second)


async def test_a_replica_that_is_told_to_stop_hands_over_at_once(first: ChaosEnvironment) -> None:
    async with standby(first) as second:
        await first.wait_until("the second replica is ready", lambda: is_warm(second))
        renewed = time_of((await lease(first))["renewTime"])
        await asyncio.to_thread(first.operator.stop)
        await first.wait_until("the second replica leads", lambda: leads(second))
        # Without the release it would have to wait for all of the Lease.
        assert time_of((await lease(first))["acquireTime"]) - renewed < DURATION_SECONDS


async def test_a_replica_that_dies_is_followed_when_its_lease_is_over(first: ChaosEnvironment) -> None:
    async with standby(first) as second:
        await first.wait_until("the second replica is ready", lambda: is_warm(second))
        await asyncio.to_thread(first.operator.kill)
        renewed = time_of((await lease(first))["renewTime"])
        await first.create("speech", SPEC)
        await first.wait_until("the second replica leads", lambda: leads(second))
        assert time_of((await lease(first))["acquireTime"]) - renewed >= DURATION_SECONDS
        await first.wait_until("the second replica does the work", first.all_ready)


async def test_a_replica_that_loses_its_lease_ends_before_its_successor_writes(first: ChaosEnvironment) -> None:
    """Given a holder whose renewals alone are not answered, while it has work all the time."""

    async def lost(call: ProxiedRequest, forward: Forward) -> ProxiedResponse:
        return await api_faults.never_answer(forward) if "/leases/" in call.path else await forward()

    async def change_for_ever() -> None:
        number = 0
        while True:
            number += 1
            await first.change("speech", {"service": {"port": 8000 + number % 2}})

    async with standby(first) as second:
        await first.wait_until("the second replica is ready", lambda: is_warm(second))
        await first.create("speech", SPEC)
        changing = asyncio.create_task(change_for_ever())
        since = first.plane.audit_log.stat().st_size
        first.proxy.handle_request = lost
        await first.wait_until("the first replica has ended", first.operator_has_ended)
        await first.wait_until("the second replica writes", lambda: first.has_written("b", since))
        changing.cancel()
        found = first.writes(since)
    of_first = [one.answered for one in found if one.agent == "a"]
    assert of_first
    assert max(of_first) < min(one.received for one in found if one.agent == "b")


@asynccontextmanager
async def late_list(env: ChaosEnvironment, plural: str) -> AsyncGenerator[None]:
    """Restarts the operator; kopf's list of one kind is answered only when the block has run.

    The list still holds objects that are deleted in the block: only a watch from the list's version on shows it.
    """
    asked, done = asyncio.Event(), asyncio.Event()

    async def late(call: ProxiedRequest, forward: Forward) -> ProxiedResponse:
        answer = await forward()
        if call.agent.startswith("kopf/") and call.path.endswith(f"/{plural}"):
            asked.set()
            await done.wait()
        return answer

    async def others_are_watched() -> bool:
        return any(path.endswith("/deployments") for path in env.proxy.watched)

    env.proxy.handle_request = late
    env.proxy.watched.clear()
    await asyncio.to_thread(env.operator.stop)
    env.operator.start()
    await asked.wait()
    await env.wait_until("the other kinds are watched", others_are_watched)
    try:
        yield
    finally:
        done.set()
        env.proxy.handle_request = pass_request
    await env.wait_until("the operator leads", lambda: leads(env.operator))


async def test_a_service_deleted_before_its_watch_starts_is_not_made_again_and_again(
    first: ChaosEnvironment,
) -> None:
    """Nor its claim, which nobody owns and no garbage collector would take."""
    await first.create("speech", {"model": {"name": "base"}, "cache": {"storageClassName": "standard"}})
    await first.wait_settled()
    async with late_list(first, "whisperservices"):
        written = len(first.proxy.writes)
        await first.clear()
    # Each child that went is an event, and each event a pass: one may write before one finds out.
    await first.wait_until("it is quiet", lambda: first.is_quiet_for(RECREATED_SECONDS))
    assert await first.snapshot() == {}
    deployed = [call for call in first.proxy.writes[written:] if call.path.endswith("/deployments/speech")]
    assert len(deployed) <= 2


async def test_a_child_deleted_before_its_watch_starts_comes_back(first: ChaosEnvironment) -> None:
    await first.create("speech", SPEC)
    await first.wait_settled()
    async with late_list(first, "services"):
        await first.delete_child(SERVICE, "speech")

    async def is_back() -> bool:
        return await first.admin.get(SERVICE, NAMESPACE, "speech") is not None

    await first.wait_until("the Service is back", is_back)


@pytest_asyncio.fixture(loop_scope="module")
async def impatient(opened: ChaosEnvironment) -> AsyncIterator[ChaosEnvironment]:
    """The environment with a replica that is unhealthy after 10 seconds of standstill."""
    await opened.clear()
    before = opened.operator.settings
    opened.operator.settings = {**before, "STANDSTILL_SECONDS": "10"}
    await opened.restart()
    yield opened
    opened.proxy.handle_request = pass_request
    opened.operator.settings = before
    await opened.restart()


async def test_a_queue_that_stands_still_is_unhealthy(impatient: ChaosEnvironment) -> None:
    async def held(call: ProxiedRequest, forward: Forward) -> ProxiedResponse:
        return await api_faults.never_answer(forward) if call.is_write else await forward()

    assert await health_is(impatient.operator, "healthz")
    impatient.proxy.handle_request = held
    await impatient.create("speech", SPEC)
    await impatient.wait_until("it is unhealthy", lambda: health_is(impatient.operator, "healthz", 503))


async def test_watches_that_do_not_come_to_work_are_unhealthy(impatient: ChaosEnvironment) -> None:
    """Given an API server that refuses what kopf asks first, then kopf ends as often as it is started."""

    async def refused(call: ProxiedRequest, forward: Forward) -> ProxiedResponse:
        return (
            await api_faults.respond_with(415, "UnsupportedMediaType")(forward)
            if call.path == "/api"
            else await forward()
        )

    impatient.proxy.handle_request = refused
    await asyncio.to_thread(impatient.operator.kill)
    impatient.operator.start()
    await impatient.wait_until("it is unhealthy", lambda: health_is(impatient.operator, "healthz", 503))
    impatient.proxy.handle_request = pass_request
    await impatient.wait_until("it is healthy again", lambda: health_is(impatient.operator, "healthz"))


@pytest.mark.parametrize("namespaces", ["", f"default,{NAMESPACE}"], ids=["cluster", "namespaces"])
async def test_the_charts_rules_are_all_that_it_takes(first: ChaosEnvironment, namespaces: str) -> None:
    """Given exactly what the chart grants, then nothing is refused in the life of a service with everything on."""
    await asyncio.to_thread(first.operator.stop)
    token = await asyncio.to_thread(granted, first, namespaces)
    allowed = first.operator
    first.operator = OperatorProcess(
        first.plane, first.proxy.url, "granted", namespaces, token=token, settings=allowed.settings
    )
    since = first.plane.audit_log.stat().st_size
    try:
        await first.restart()
        await scenarios.CREATED(first)
        await first.wait_settled()
        kinds = {name.partition("/")[0] for name in await first.snapshot()}
        assert {kind.kind for kind in CHILD_KINDS} - kinds == {"HorizontalPodAutoscaler"}
        for change in (scenarios.CHANGED, scenarios.HPA, scenarios.OFF, scenarios.AUTOSCALING):
            await scenarios.change_spec(change)(first)
            await first.wait_settled()
        await scenarios.delete(first)
        await first.wait_until("its children are gone", first.is_garbage_collected)
    finally:
        await asyncio.to_thread(first.operator.stop)
        first.operator = allowed
    found = list(audit.requests(first.plane.audit_log, f"system:serviceaccount:default:{RELEASE}", since))
    assert found
    assert sorted({str(one) for one in found if one.code == 403}) == []


def granted(env: ChaosEnvironment, namespaces: str) -> str:
    """The token of the chart's service account, which may do what the chart grants and nothing else."""
    settings = ("--set", f"watchNamespaces={{{namespaces}}}") if namespaces else ()
    helm = (str(binaries.ensure("helm") / "helm"), "template", RELEASE, str(REPOSITORY / "charts/whisper-operator"))
    command = (*helm, "--namespace", "default", "--show-only", "templates/rbac.yaml", *settings)
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for kinds in ("clusterrolebinding", "clusterrole"):
        operator_plane.kubectl(env.plane, "delete", kinds, f"default:{RELEASE}", "--ignore-not-found")
    operator_plane.kubectl(env.plane, "apply", "-f", "-", stdin=rendered)
    return operator_plane.kubectl(env.plane, "create", "token", RELEASE, "--namespace", "default").strip()
