"""How autoscalers follow a step of load: the played pods, what they are seen by, and the report.

`python -m benchmarks.scaling` runs real autoscalers over them.
"""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scaling.cluster import SCALED, namespace_of
from benchmarks.scaling.metrics_apis import CUSTOM_METRICS, METRICS, PublishedMetrics, answer_of
from benchmarks.scaling.players import RECORDING_SECONDS, SPEED, PlayedPod, PlayedService, PlayedWait, arrivals
from benchmarks.scaling.report import LEGEND, Followed, Sample, plot, text

ONE_TAKES = RECORDING_SECONDS / SPEED
"""Seconds that a pod takes for a recording alone."""


def played(*pods: str, has_front: bool = True) -> PlayedService:
    found = PlayedService(has_front, random.Random(1))
    found.have(set(pods))
    return found


def test_a_pod_takes_as_long_for_two_at_once_as_one_after_the_other() -> None:
    pod = PlayedPod(deque([0.0, 0.0]))
    assert list(pod.work(1.5 * ONE_TAKES, 1.5 * ONE_TAKES)) == [PlayedWait(0.0, 0.0)] * 2
    assert len(pod.rows) == 2
    assert list(pod.work(ONE_TAKES, 2.5 * ONE_TAKES)) == []
    assert (pod.rows, pod.busy) == ([], pytest.approx(2 * ONE_TAKES))


def test_what_has_no_row_waits_for_one() -> None:
    service = played("a")
    service.advance(0.0, [0.0] * 9)
    assert (len(service.waits), service.waiting_audio) == (8, RECORDING_SECONDS)
    service.advance(8 * ONE_TAKES, [])
    assert service.waits[-1].seconds == pytest.approx(8 * ONE_TAKES)


def test_a_new_pod_takes_of_what_waits_at_a_front_and_nothing_of_another_pods() -> None:
    for has_front, left in ((True, 2), (False, 10)):
        service = played("a", has_front=has_front)
        service.advance(0.0, [0.0] * 18)
        service.have({"a", "b"})
        service.advance(0.1, [])
        assert service.waiting_audio == left * RECORDING_SECONDS


def test_a_pod_that_leaves_does_what_it_has() -> None:
    service = played("a", "b", has_front=False)
    service.advance(0.0, [0.0] * 20)
    service.have(set())
    service.advance(20 * ONE_TAKES, [])
    assert (len(service.waits), service.waiting_audio) == (20, 0)
    assert service.pods == {}


def test_as_much_comes_as_is_asked_for() -> None:
    come = arrivals([(10_000, 1), (10_000, 6)], seed=1)
    before = sum(at < 10_000 for at in come)
    assert before == pytest.approx(10_000 * 0.7 / ONE_TAKES, rel=0.1)
    assert len(come) - before == pytest.approx(6 * before, rel=0.1)
    assert come == sorted(come)


def test_each_api_says_what_it_has_of_the_namespaces_pods() -> None:
    published = PublishedMetrics({"a": {"one": 1.4}}, "now", {"a": {"one": 90.0}}, "then", {"a": 30.0})

    def items(path: str) -> list[dict[str, Any]]:
        return (answer_of(path, published) or {})["items"]

    (cpu,) = items(f"{METRICS}/namespaces/a/pods")
    assert (cpu["metadata"]["name"], cpu["timestamp"]) == ("one", "now")
    assert cpu["containers"][0]["usage"]["cpu"] == "1400m"
    (queued,) = items(f"{CUSTOM_METRICS}/namespaces/a/pods/*/whisper_queued_audio_seconds")
    assert (queued["describedObject"]["name"], queued["value"], queued["timestamp"]) == ("one", "90", "then")
    (held,) = items(f"{CUSTOM_METRICS}/namespaces/a/services/speech-front-metrics/whisper_front_held_audio_seconds")
    assert (held["describedObject"]["name"], held["value"]) == ("speech-front-metrics", "30")
    assert items(f"{METRICS}/namespaces/b/pods") == []
    assert items(f"{CUSTOM_METRICS}/namespaces/b/services/speech-front-metrics/whisper_front_held_audio_seconds") == []
    assert [answer_of(path, published) is not None for path in (METRICS, CUSTOM_METRICS, "/apis/other/v1")] == [
        True,
        True,
        False,
    ]


def test_the_report_says_what_each_variant_is() -> None:
    assert LEGEND.keys() == SCALED.keys()
    assert len({namespace_of(variant) for variant in SCALED}) == len(SCALED)


def test_the_report_has_when_the_target_was_reached_and_by_how_much_it_was_passed(tmp_path: Path) -> None:
    ready = [1, 1, 4, 6, 8, 8, 5, 6]
    samples = [Sample(10.0 * at, pods, pods, 30.0 * pods) for at, pods in enumerate(ready)]
    waits = [PlayedWait(0.0, 99.0), *(PlayedWait(10.0 + one, float(one)) for one in range(20))]
    found = {"HPA on audio": Followed(samples, waits), "HPA on CPU": Followed([samples[0]], waits)}
    assert "| HPA on audio | 20 | 8 (+2) | 10 | 10, 19, 19 | 6 |" in text(found, step=10.0, target=6)
    assert "| HPA on CPU | never | 1 (-5) | 0 |" in text(found, step=10.0, target=6)
    plot(found, 10.0, 6, tmp_path / "scaling.svg")
    assert (tmp_path / "scaling.svg").read_text().startswith("<?xml")
