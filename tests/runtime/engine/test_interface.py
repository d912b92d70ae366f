"""Everything that stands at the engine's interface has all of its members."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from tests.fakes.engine import FakeEngine
from tests.fakes.observer import CountingObserver
from whisper_runtime.engine.batching.worker import EngineWorker
from whisper_runtime.engine.interface import Engine, NullObserver, Observer
from whisper_runtime.metrics.engine import EngineMetrics


def members(of: object) -> set[str]:
    return {name for name in dir(of) if not name.startswith("_")}


def test_the_engine_and_its_fake_have_every_member() -> None:
    for engine in (EngineWorker(lambda: pytest.fail("never started"), lambda transcribe: None), FakeEngine()):
        assert members(Engine) <= members(engine)


@pytest.mark.parametrize("observer", [NullObserver(), CountingObserver(), EngineMetrics(CollectorRegistry())])
def test_observers_take_every_event(observer: Observer) -> None:
    observer.stage("encode", 0.5)
    observer.batch(1, 8)
    observer.launched(replayed=True)
    for event in members(Observer) - {"stage", "batch", "launched"}:
        getattr(observer, event)()
