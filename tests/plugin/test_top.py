"""One line says how busy a pod is, or why that is not known."""

from __future__ import annotations

from typing import Any

from kubectl_whisper.top import pod_row

from whisper_runtime.contract.front import LoadReport

LOAD = LoadReport(is_ready=True, queued_audio_seconds=93.4, free_rows=3, queue_limit_seconds=600, speed=31.44)


def pod(**status: Any) -> dict[str, Any]:
    labels = {"whisper-operator.io/service": "speech"}
    return {"metadata": {"namespace": "team", "name": "speech-1", "labels": labels}, "status": status}


def test_a_pod_that_answers() -> None:
    """By the report as the runtime writes it."""
    found = pod_row(pod(conditions=[{"type": "Ready", "status": "True"}]), LOAD.model_dump(by_alias=True))
    assert (found.namespace, found.service, found.pod, found.ready, found.why) == (
        "team",
        "speech",
        "speech-1",
        "True",
        "",
    )
    assert (found.queued, found.free_rows, found.speed) == ("93s/600s", "3", "31.4x")


def test_a_pod_that_does_not_answer() -> None:
    found = pod_row(pod(), "503: no route")
    assert (found.ready, found.queued, found.free_rows, found.speed, found.why) == (
        "Unknown",
        "",
        "",
        "",
        "503: no route",
    )
