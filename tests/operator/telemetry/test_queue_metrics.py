"""A queue's steps and times, as Prometheus shows them."""

from __future__ import annotations

from prometheus_client import REGISTRY

from whisper_operator.reconcile.queue import Queue
from whisper_operator.telemetry.queue_metrics import PrometheusQueueMetrics, show_times

KEY = ("team", "speech")


def value(metric: str) -> float:
    name = {} if metric.startswith("whisper_operator") else {"name": "whisperservice"}
    return REGISTRY.get_sample_value(metric, name) or 0.0


async def test_a_key_that_waits_shows_as_a_standstill() -> None:
    now = 1000.0
    queue = Queue(clock=lambda: now)
    queue.add(KEY)
    queue.start()
    show_times(queue)
    now += 70
    assert value("whisper_operator_queue_standstill_seconds") == 70


async def test_a_key_that_is_processed_shows_as_unfinished_work() -> None:
    now = 1000.0
    queue = Queue(clock=lambda: now)
    show_times(queue)
    for name in ("a", "b"):
        queue.add(("team", name))
        await queue.get()
        now += 10
    assert value("workqueue_unfinished_work_seconds") == 30
    assert value("workqueue_longest_running_processor_seconds") == 20


async def test_the_steps_of_a_key_are_counted() -> None:
    counts = ("workqueue_adds_total", "workqueue_retries_total", "workqueue_queue_duration_seconds_count",
              "workqueue_work_duration_seconds_count")  # fmt: skip
    before = {metric: value(metric) for metric in counts}
    queue = Queue(PrometheusQueueMetrics())
    queue.add(KEY)
    assert value("workqueue_depth") == 1
    queue.done(await queue.get())
    queue.add_rate_limited(KEY, at_least=60)
    assert value("workqueue_depth") == 0
    assert {metric: value(metric) - before[metric] for metric in counts} == dict.fromkeys(counts, 1)
