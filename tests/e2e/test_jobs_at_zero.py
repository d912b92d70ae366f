"""A job is accepted while no pod serves, and outlives every front: one that held it, and those that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import sleeping_jobs
from tests.support.kubectl import Kubectl
from tests.support.sleeping_jobs import NAME
from tests.support.waiting import awaited


@pytest.fixture(scope="module")
def asleep(namespace: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    with sleeping_jobs.asleep(namespace, tmp_path_factory.mktemp("parts")) as found:
        yield found


def test_a_held_job_is_done_though_every_front_is_killed(asleep: Kubectl, recordings: Path) -> None:
    job = sleeping_jobs.submitted(asleep, (recordings / "jfk.wav").read_bytes())
    assert ready(asleep) == []
    sleeping_jobs.kill_fronts(asleep)
    done = awaited("it is done", lambda: sleeping_jobs.completed(asleep, job["id"]), 300)
    assert (done["attempts"], done["audio_seconds"]) == (1, 11.0)
    assert "ask what you can do for your country" in sleeping_jobs.text(asleep, job["id"])


def ready(service: Kubectl) -> list[str]:
    """The pods that serve."""
    conditions = {
        pod["metadata"]["name"]: {one["type"]: one["status"] for one in pod["status"].get("conditions", ())}
        for pod in service.pods_of(NAME)
    }
    return [name for name, of_pod in conditions.items() if of_pod.get("Ready") == "True"]
