"""kopf among its tasks: what one watch runs into does not leave the operator deaf."""

from __future__ import annotations

import asyncio

import pytest

from whisper_operator.kube import watches


async def test_watches_end_once_the_task_that_started_them_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else kopf waits for them for good, and is never started again."""
    monkeypatch.setattr(watches, "BEAT_SECONDS", 0.01)
    orchestrator = asyncio.create_task(asyncio.sleep(60), name=watches.ORCHESTRATOR)
    watch = asyncio.create_task(asyncio.sleep(60), name=f"{watches.WATCHER}services.v1@None")
    other = asyncio.create_task(asyncio.sleep(60), name="stop-flag waiter")
    ending = asyncio.create_task(watches.end_orphans())
    await asyncio.sleep(0.1)
    assert not watch.done()
    orchestrator.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(watch, timeout=5)
    assert not other.done()
    other.cancel()
    ending.cancel()
