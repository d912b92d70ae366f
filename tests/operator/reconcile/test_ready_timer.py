"""The seconds from a change of the spec to Ready are observed once for each generation that this process saw come."""

from __future__ import annotations

from prometheus_client import REGISTRY

from whisper_operator.api.status import Status
from whisper_operator.reconcile.ready_timer import ReadyTimer

KEY = ("team", "speech")
OLD = Status(observed_generation=1)


def ready(generation: int, *, reconciling: bool = False) -> Status:
    more = [{"type": "Reconciling", "status": "True", "reason": "RollingOut"}] if reconciling else []
    conditions = [{"type": "Ready", "status": "True", "reason": "AsSpecified"}, *more]
    return Status.model_validate({"observedGeneration": generation, "conditions": conditions})


def count() -> float:
    return REGISTRY.get_sample_value("whisper_operator_ready_seconds_count") or 0.0


def test_a_generation_counts_once_it_is_ready_and_once_alone() -> None:
    timer, before = ReadyTimer(), count()
    timer.start(KEY, 2, OLD)
    timer.stop(KEY, ready(2, reconciling=True))
    assert count() == before
    timer.stop(KEY, ready(2))
    timer.stop(KEY, ready(2))
    assert count() == before + 1


def test_a_generation_that_was_ready_at_the_start_of_the_process_does_not_count() -> None:
    timer, before = ReadyTimer(), count()
    timer.start(KEY, 1, ready(1))
    timer.stop(KEY, ready(1))
    assert count() == before
    timer.start(KEY, 2, ready(1))
    timer.stop(KEY, ready(2))
    assert count() == before + 1


def test_a_service_of_the_same_name_starts_anew() -> None:
    timer, before = ReadyTimer(), count()
    timer.start(KEY, 1, ready(1))
    timer.forget(KEY)
    timer.start(KEY, 1, Status())
    timer.stop(KEY, ready(1))
    assert count() == before + 1
