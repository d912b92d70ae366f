"""What a pod has accepted is transcribed, whatever becomes of the pod: `spec.jobs` on a real volume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import plain_http
from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_model, mirrored_service, patch
from tests.support.traffic import joined
from tests.support.waiting import eventually

TIMES = 3
"""So often the recordings, of 36 s together, are in what is sent: the pod ends in the middle of it."""
ASYNCHRONOUSLY = {"Prefer": "respond-async"}
FORM = {"model": "whisper-1", "language": "en"}


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    jobs = {"storage": {"size": "1Gi", "retention": "Delete"}}
    namespace.apply(mirrored_service("keeper", jobs=jobs, verification={}))
    namespace.wait_ready("keeper")
    return namespace


@pytest.fixture(scope="module")
def recording(recordings: Path) -> bytes:
    """No window says a thing twice: where one does, the text is sampled, and is another each time."""
    files = [*sorted((recordings / "librivox").glob("*.wav")), recordings / "jfk.wav"]
    return joined([file.read_bytes() for file in files] * TIMES)


@pytest.fixture(scope="module")
def text(service: Kubectl, recording: bytes) -> str:
    """What a request gets that waits for it."""
    answer = plain_http.post(path(service), files={"file": recording}, data=FORM, timeout=300)
    found: str = answer.raise_for_status().json()["text"]
    assert "country" in found
    return found


def path(service: Kubectl) -> str:
    return f"{service.address('keeper')}/v1/audio/transcriptions"


def submitted(service: Kubectl, recording: bytes) -> dict[str, Any]:
    """The job of the recording."""
    answer = plain_http.post(path(service), files={"file": recording}, data=FORM, headers=ASYNCHRONOUSLY, timeout=120)
    assert answer.status_code == 202, answer.text
    return answer.json()


def job(service: Kubectl, job_id: str) -> dict[str, Any]:
    """The job, as a client sees it that goes on asking: empty while no pod answers."""
    try:
        answer = plain_http.get(f"{path(service)}/{job_id}")
    except httpx.TransportError:
        return {}
    return answer.json() if answer.status_code == 200 else {}


def pods(service: Kubectl) -> list[str]:
    return [pod["metadata"]["name"] for pod in service.pods_of("keeper")]


def killed(service: Kubectl) -> None:
    service("delete", "pod", *pods(service), "--grace-period=0", "--force")


def drained(service: Kubectl) -> None:
    service("delete", "pod", *pods(service), "--wait=false")


def rolled_out(service: Kubectl) -> None:
    patch(service, "keeper", {"podMetadata": {"annotations": {"example.com/restarted": "now"}}})


@pytest.mark.parametrize("end", [killed, drained, rolled_out])
def test_a_job_that_was_begun_outlives_its_pod(
    service: Kubectl, recording: bytes, text: str, end: Callable[[Kubectl], None]
) -> None:
    """Given a pod that has begun with a job, when the pod ends, the next one ends the job, with the text of before."""
    (before,) = pods(service)
    sent = submitted(service, recording)
    eventually("it is begun", lambda: job(service, sent["id"])["progress"]["done_seconds"] > 0, 120)
    end(service)
    eventually("the next pod is alone", lambda: len(now := pods(service)) == 1 and before not in now, 180)
    eventually("it is done", lambda: job(service, sent["id"]).get("status") == "completed", 300)
    content = plain_http.get(f"{path(service)}/{sent['id']}/content").raise_for_status()
    assert content.json()["text"] == text


def test_the_verification_followed_a_job_and_left_nothing_of_it(service: Kubectl) -> None:
    """A first verification has to succeed before a service is Ready."""
    found = (service.get("wsvc", "keeper") or {})["status"]["verification"]
    (check,) = [one for one in found["checks"] if one["name"] == "job"]
    assert check["passed"], check
    assert check["message"].startswith("accepted, done by tiny.en in attempt 1, read and deleted")


def test_the_status_shows_what_waits(service: Kubectl) -> None:
    eventually("the pod was asked", lambda: shown(service) is not None, 120)
    assert shown(service) == {"queuedAudio": "0s"}


def test_a_change_of_the_model_loses_no_job_and_each_names_the_one_that_ran_all_of_it(
    service: Kubectl, recording: bytes
) -> None:
    """Given jobs without a pause, when the model changes in the middle of one, that one and all others are done."""
    sent = [submitted(service, recording)]
    eventually("it is begun", lambda: job(service, sent[0]["id"])["progress"]["done_seconds"] > 0, 120)
    assert job(service, sent[0]["id"])["model"] == "tiny.en"
    patch(service, "keeper", {"model": mirrored_model("base")})

    def the_next_model_has_done_one() -> bool:
        last = job(service, sent[-1]["id"])
        if last.get("status") == "completed" and last["model"] != "base":
            sent.append(submitted(service, recording))
        return last.get("status") == "completed" and last["model"] == "base"

    eventually("the next model has done one", the_next_model_has_done_one, 900)
    models = [job(service, one["id"])["model"] for one in sent]
    assert set(models[:-1]) <= {"tiny.en"}, "each is done once, in the order in which it came"
    for one in sent:
        content = plain_http.get(f"{path(service)}/{one['id']}/content").raise_for_status()
        assert "country" in content.json()["text"]


def shown(service: Kubectl) -> dict[str, Any] | None:
    """What the service's status says of jobs."""
    return (service.get("wsvc", "keeper") or {})["status"].get("jobs")
