"""kopf among its tasks: a watch that fails does not leave the operator without any; and what kopf is asked to watch."""

from __future__ import annotations

import asyncio

import pytest

from whisper_operator.kube import watches
from whisper_operator.objects.kinds import DEPLOYMENT, INGRESS, NODE, POD, WHISPER_SERVICE, Kind


@pytest.mark.parametrize("service_class", ["", "canary"])
@pytest.mark.parametrize(
    ("kind", "selector"),
    [
        (DEPLOYMENT, "whisper-operator.io/service"),
        (POD, "whisper-operator.io/service"),
        (INGRESS, ""),  # hosts are taken by anybody's
        (NODE, ""),
    ],
)
def test_of_children_ours_alone_are_watched(kind: Kind, selector: str, service_class: str) -> None:
    assert watches.selector_of(kind, service_class) == selector


@pytest.mark.parametrize(
    ("service_class", "selector"),
    [("", "!whisper-operator.io/class"), ("canary", "whisper-operator.io/class=canary")],
)
def test_no_two_classes_share_a_service(service_class: str, selector: str) -> None:
    assert watches.selector_of(WHISPER_SERVICE, service_class) == selector


async def test_watches_end_once_the_task_that_started_them_has() -> None:
    """Else kopf waits for them for good, and is never started again."""
    orchestrator = asyncio.create_task(asyncio.Event().wait(), name=watches.ORCHESTRATOR)
    watch = asyncio.create_task(asyncio.Event().wait(), name=f"{watches.WATCHER}services.v1@None")
    other = asyncio.create_task(asyncio.Event().wait(), name="stop-flag waiter")
    searches = asyncio.Queue[None]()

    async def pause(_: float) -> None:
        searches.put_nowait(None)
        await asyncio.sleep(0)

    ending = asyncio.create_task(watches.end_orphans(pause))
    for _ in range(3):
        await searches.get()
    assert not watch.done()
    orchestrator.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([watch])
    assert watch.cancelled()
    assert not other.done()
    other.cancel()
    ending.cancel()
