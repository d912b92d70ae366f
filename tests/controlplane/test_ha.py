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
from chaos.environment import NAMESPACE, Stage, leads, metrics
from chaos.pause import answers, standby
from chaos.proxy import Answer, Call, Forward, passing
from testbed import audit
from testbed import operator_process as bench
from testbed.cluster import binaries
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from whisper_operator.kube.lease import DURATION_SECONDS, LEASE
from whisper_operator.objects.kinds import CHILD_KINDS, SERVICE

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPEC = {"model": {"name": "base"}, "cache": {"type": "EmptyDir"}}
RECREATED_SECONDS = 5.0
"""Within which a child that is deleted is there again."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[Stage]:
    async with environment.opened() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def first(opened: Stage) -> AsyncIterator[Stage]:
    """The stage with one replica, `a`, that leads, and nothing else."""
    await opened.cleared()
    if not await leads(opened.operator):
        await opened.restart()
    yield opened
    opened.proxy.meddle = passing


async def lease(on: Stage) -> dict[str, Any]:
    live = await on.admin.get(LEASE, "default", "whisper-operator")
    assert live is not None
    return live["spec"]


def time_of(stamp: str) -> float:
    return datetime.datetime.fromisoformat(stamp).timestamp()


async def is_warm(second: OperatorProcess) -> bool:
    return await answers(second, "readyz")


async def test_the_standby_has_seen_everything_and_is_ready(first: Stage) -> None:
    await first.create("speech", SPEC)
    await first.settled()
    async with standby(first) as second:
        await first.until("the second replica is ready", lambda: is_warm(second))
        assert 'name="speech"' in await metrics(second)
        assert not await leads(second)


async def test_a_replica_that_is_told_to_stop_hands_over_at_once(first: Stage) -> None:
    async with standby(first) as second:
        await first.until("the second replica is ready", lambda: is_warm(second))
        renewed = time_of((await lease(first))["renewTime"])
        await asyncio.to_thread(first.operator.stop)
        await first.until("the second replica leads", lambda: leads(second))
        # Without the release it would have to wait for all of the Lease.
        assert time_of((await lease(first))["acquireTime"]) - renewed < DURATION_SECONDS


async def test_a_replica_that_dies_is_followed_when_its_lease_is_over(first: Stage) -> None:
    async with standby(first) as second:
        await first.until("the second replica is ready", lambda: is_warm(second))
        await asyncio.to_thread(first.operator.kill)
        renewed = time_of((await lease(first))["renewTime"])
        await first.create("speech", SPEC)
        await first.until("the second replica leads", lambda: leads(second))
        assert time_of((await lease(first))["acquireTime"]) - renewed >= DURATION_SECONDS
        await first.until("the second replica does the work", first.all_ready)


async def test_a_replica_that_loses_its_lease_ends_before_its_successor_writes(first: Stage) -> None:
    """Given a holder whose renewals alone are not answered, while it has work all the time."""

    async def lost(call: Call, forward: Forward) -> Answer:
        return await api_faults.silent(forward) if "/leases/" in call.path else await forward()

    async def change_for_ever() -> None:
        number = 0
        while True:
            number += 1
            await first.change("speech", {"service": {"port": 8000 + number % 2}})

    async with standby(first) as second:
        await first.until("the second replica is ready", lambda: is_warm(second))
        await first.create("speech", SPEC)
        changing = asyncio.create_task(change_for_ever())
        since = first.plane.audit_log.stat().st_size
        first.proxy.meddle = lost
        await first.until("the first replica has ended", first.has_ended)
        await first.until("the second replica writes", lambda: first.is_written_by("b", since))
        changing.cancel()
        found = bench.writes(first.plane, since)
    of_first = [one.answered for one in found if one.agent == "a"]
    assert of_first
    assert max(of_first) < min(one.received for one in found if one.agent == "b")


@asynccontextmanager
async def unlistening(stage: Stage, plural: str) -> AsyncGenerator[None]:
    """The operator, started again, has asked for the list of one kind, and gets it when the block has run.

    What is deleted in it the list still holds: only a watch that begins with the list's version tells.
    """
    asked, done = asyncio.Event(), asyncio.Event()

    async def late(call: Call, forward: Forward) -> Answer:
        answer = await forward()
        if call.agent.startswith("kopf/") and call.path.endswith(f"/{plural}"):
            asked.set()
            await done.wait()
        return answer

    async def others_are_watched() -> bool:
        return any(path.endswith("/deployments") for path in stage.proxy.watched)

    stage.proxy.meddle = late
    stage.proxy.watched.clear()
    await asyncio.to_thread(stage.operator.stop)
    stage.operator.start()
    await asked.wait()
    await stage.until("the other kinds are watched", others_are_watched)
    try:
        yield
    finally:
        done.set()
        stage.proxy.meddle = passing
    await stage.until("the operator leads", lambda: leads(stage.operator))


async def test_a_service_that_is_deleted_before_its_watch_listens_is_not_made_again_and_again(first: Stage) -> None:
    """Nor its claim, which nobody owns and no garbage collector would take."""
    await first.create("speech", {"model": {"name": "base"}, "cache": {"storageClassName": "standard"}})
    await first.settled()
    async with unlistening(first, "whisperservices"):
        written = len(first.proxy.writes)
        await first.cleared()
    # Each child that went is an event, and each event a pass: one may write before one finds out.
    await first.until("it is quiet", lambda: first.is_quiet_for(RECREATED_SECONDS))
    assert await first.state() == {}
    deployed = [call for call in first.proxy.writes[written:] if call.path.endswith("/deployments/speech")]
    assert len(deployed) <= 2


async def test_a_child_that_is_deleted_before_its_watch_listens_comes_back(first: Stage) -> None:
    await first.create("speech", SPEC)
    await first.settled()
    async with unlistening(first, "services"):
        await first.remove(SERVICE, "speech")

    async def is_back() -> bool:
        return await first.admin.get(SERVICE, NAMESPACE, "speech") is not None

    await first.until("the Service is back", is_back)


@pytest_asyncio.fixture(loop_scope="module")
async def impatient(opened: Stage) -> AsyncIterator[Stage]:
    """The stage with a replica that calls 20 seconds a standstill."""
    await opened.cleared()
    opened.operator.settings = {"STANDSTILL_SECONDS": "20"}
    await opened.restart()
    yield opened
    opened.proxy.meddle = passing
    opened.operator.settings = {}
    await opened.restart()


async def test_a_queue_that_stands_still_is_unhealthy(impatient: Stage) -> None:
    async def held(call: Call, forward: Forward) -> Answer:
        return await api_faults.silent(forward) if call.is_write else await forward()

    assert await answers(impatient.operator, "healthz")
    impatient.proxy.meddle = held
    await impatient.create("speech", SPEC)
    await impatient.until("it is unhealthy", lambda: answers(impatient.operator, "healthz", 503))


async def test_watches_that_do_not_come_to_work_are_unhealthy(impatient: Stage) -> None:
    """Given an API server that refuses what kopf asks first, then kopf ends as often as it is started."""

    async def refused(call: Call, forward: Forward) -> Answer:
        return (
            await api_faults.answering(415, "UnsupportedMediaType")(forward) if call.path == "/api" else await forward()
        )

    impatient.proxy.meddle = refused
    await asyncio.to_thread(impatient.operator.kill)
    impatient.operator.start()
    await impatient.until("it is unhealthy", lambda: answers(impatient.operator, "healthz", 503))
    impatient.proxy.meddle = passing
    await impatient.until("it is healthy again", lambda: answers(impatient.operator, "healthz"))


@pytest.mark.parametrize("namespaces", ["", f"default,{NAMESPACE}"], ids=["cluster", "namespaces"])
async def test_the_charts_rules_are_all_that_it_takes(first: Stage, namespaces: str) -> None:
    """Given exactly what the chart grants, then nothing is refused in the life of a service with everything on."""
    await asyncio.to_thread(first.operator.stop)
    token = await asyncio.to_thread(granted, first, namespaces)
    allowed = first.operator
    first.operator = OperatorProcess(first.plane, first.proxy.url, "granted", namespaces, token=token)
    since = first.plane.audit_log.stat().st_size
    try:
        await first.restart()
        await scenarios.CREATED(first)
        await first.settled()
        kinds = {name.partition("/")[0] for name in await first.state()}
        assert {kind.kind for kind in CHILD_KINDS} - kinds == {"HorizontalPodAutoscaler"}
        for change in (scenarios.CHANGED, scenarios.HPA, scenarios.OFF, scenarios.AUTOSCALING):
            await scenarios.changing(change)(first)
            await first.settled()
        await scenarios.delete(first)
        await first.until("its children are gone", first.is_swept)
    finally:
        await asyncio.to_thread(first.operator.stop)
        first.operator = allowed
    found = list(audit.requests(first.plane.audit_log, "system:serviceaccount:default:release", since))
    assert found
    assert sorted({str(one) for one in found if one.code == 403}) == []


def granted(on: Stage, namespaces: str) -> str:
    """The token of the chart's service account, which may do what the chart grants and nothing else."""
    settings = ("--set", f"watchNamespaces={{{namespaces}}}") if namespaces else ()
    helm = (str(binaries.ensure("helm") / "helm"), "template", "release", str(REPOSITORY / "charts/whisper-operator"))
    command = (*helm, "--namespace", "default", "--show-only", "templates/rbac.yaml", *settings)
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for kinds in ("clusterrolebinding", "clusterrole"):
        bench.kubectl(on.plane, "delete", kinds, "release", "--ignore-not-found")
    bench.kubectl(on.plane, "apply", "-f", "-", stdin=rendered)
    return bench.kubectl(on.plane, "create", "token", "release", "--namespace", "default").strip()
