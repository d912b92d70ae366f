"""What is done to a service while it has jobs under way; each returns once the fault is over, and not its effects."""

from __future__ import annotations

import io
import uuid
import wave
from collections.abc import Callable, Mapping
from typing import Final

from chaos.jobs.pod_service import NAME, SECONDS, TRANSCRIPTIONS, PodService
from testbed.demo import platform
from tests.support import plain_http
from tests.support.services import mirrored_model, patch
from tests.support.waiting import eventually

MODELS: Final = ("tiny.en", "base")
STORE_FULL: Final = 507


def pod_killed(service: PodService) -> None:
    service.kubectl("delete", "pod", *service.pods, "--grace-period=0", "--force")


def pod_deleted(service: PodService) -> None:
    service.kubectl("delete", "pod", *service.pods, "--wait=false")


def rolled_out(service: PodService) -> None:
    patch(service.kubectl, NAME, {"podMetadata": {"annotations": {"example.com/restarted": uuid.uuid4().hex}}})


def model_changed(service: PodService) -> None:
    """To the other one of two; the next rollout of it is the next round's."""
    present = (service.kubectl.get("wsvc", NAME) or {})["spec"]["model"]["name"]
    (other,) = {*MODELS} - {present}
    patch(service.kubectl, NAME, {"model": mirrored_model(other)})


def disk_full(service: PodService) -> None:
    """Until a recording was refused, and each job that was under way has ended or waits again."""
    eventually("a recording is refused", lambda: _is_refused_on_a_full_disk(service), SECONDS)
    eventually("no job runs on the full disk", lambda: not _running(service), SECONDS)
    service.free()


def disk_full_and_pod_killed(service: PodService) -> None:
    """Until another pod has begun on the full disk."""
    service.fill()
    before = set(service.pods)
    pod_killed(service)
    eventually("another pod has begun", lambda: _has_begun(service, before), SECONDS)
    service.free()


def operator_and_pod_killed(service: PodService) -> None:
    service.kubectl("-n", platform.NAMESPACE, "delete", "pods", "--all", "--wait=false")
    pod_killed(service)


FAULTS: Final[Mapping[str, Callable[[PodService], None]]] = {
    "the pod killed": pod_killed,
    "the disk full": disk_full,
    "another model": model_changed,
    "the pod deleted": pod_deleted,
    "the disk full, and the pod killed": disk_full_and_pod_killed,
    "a rollout": rolled_out,
    "the operator and the pod killed": operator_and_pod_killed,
}


def _is_refused_on_a_full_disk(service: PodService) -> bool:
    """Whether a second of silence is refused; a job that ends meanwhile makes room for it."""
    service.fill()
    answer = plain_http.post(
        f"{service.url}{TRANSCRIPTIONS}",
        files={"file": _silence()},
        data={"model": "whisper-1"},
        headers={"Prefer": "respond-async"},
        timeout=60,
    )
    assert answer.status_code in (202, STORE_FULL), answer.text
    return answer.status_code == STORE_FULL


def _running(service: PodService) -> bool:
    answer = service.get(f"{TRANSCRIPTIONS}?status=in_progress")
    return answer is None or bool(answer.json()["data"])


def _has_begun(service: PodService, before: set[str]) -> bool:
    """Whether a container of a later pod runs, or has ended already."""
    later = [pod for pod in service.kubectl.pods_of(NAME) if pod["metadata"]["name"] not in before]
    states = [one for pod in later for one in pod["status"].get("containerStatuses", ())]
    return any(one["restartCount"] or "running" in one["state"] for one in states)


def _silence() -> bytes:
    """A WAV of a second."""
    found = io.BytesIO()
    with wave.open(found, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    return found.getvalue()
