"""Rounds of faults under a service of real pods and real speech: what becomes of the jobs that it has accepted."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chaos.jobs.pod_faults import FAULTS
from chaos.jobs.pod_service import FORM, NAME, SECONDS, TRANSCRIPTIONS, PodService, serving, transcribed
from testbed.inputs import recordings
from tests.support import plain_http, real_cluster
from tests.support.traffic import joined
from tests.support.waiting import eventually

TIMES: Final = {"long": 3, "short": 1}
"""So often the recordings, of 36 s together, are in each."""
BATCH: Final = "batch"


@dataclass
class PodReport:
    rounds: Counter[str] = field(default_factory=Counter[str])
    """How often each fault was survived."""
    seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """From the fault to the end of the last job, by fault."""
    jobs: Counter[str] = field(default_factory=Counter[str])
    """Jobs and lines that ended with the right text, by model."""
    attempts: Counter[int] = field(default_factory=Counter[int])
    """Jobs by how often they were begun with."""
    problem: str | None = None
    """What was not as it should be, in the last round."""


def run(directory: Path, rounds: int, minutes: float) -> PodReport:
    """So many rounds, or as many as begin within so many minutes; fewer where one finds a problem."""
    report, ends, texts = PodReport(), time.monotonic() + 60 * minutes, Texts()
    with real_cluster.fresh_namespace(real_cluster.running()) as kubectl, serving(kubectl, directory) as service:
        texts.learn(service)
        for name in itertools.islice(itertools.cycle(FAULTS), rounds):
            if time.monotonic() > ends or report.problem:
                break
            try:
                _round(service, report, name, texts)
                report.rounds[name] += 1
            except Exception as error:  # a request that is broken off where nothing was done to the pod, say
                report.problem = f"{name}: {error!r}"
            print(f"{time.strftime('%X')} {report.rounds.total()}: {name} {report.problem or ''}", flush=True)
    return report


@dataclass
class Texts:
    """What each model makes of each recording, as a request gets it that waits."""

    of_model: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    recordings: dict[str, bytes] = field(default_factory=lambda: {name: _recording(n) for name, n in TIMES.items()})

    def learn(self, service: PodService) -> None:
        """Asks the model that serves now, unless it was asked before."""
        model = (service.kubectl.get("wsvc", NAME) or {})["spec"]["model"]["name"]
        if model not in self.of_model:
            self.of_model[model] = {name: _asked(service, file) for name, file in self.recordings.items()}


def _recording(times: int) -> bytes:
    """No window says a thing twice: where one does, the text is sampled, and is another each time."""
    folder = recordings.ensure()
    files = [*sorted((folder / "librivox").glob("*.wav")), folder / "jfk.wav"]
    return joined([file.read_bytes() for file in files] * times)


def _asked(service: PodService, recording: bytes) -> str:
    found = transcribed(service.url, recording)
    assert "country" in found
    return found


def _round(service: PodService, report: PodReport, fault: str, texts: Texts) -> None:
    """Raises AssertionError where a job is lost, has another text, or ends twice, or where anything is left of it."""
    jobs = {_submitted(service, file): name for name, file in texts.recordings.items()}
    batch = _batch(service, texts.recordings["short"])
    eventually("a job is begun", lambda: any(_job(service, one)["progress"]["done_seconds"] > 0 for one in jobs))
    FAULTS[fault](service)
    began = time.monotonic()
    for job_id in jobs:
        eventually(f"{job_id} has ended", lambda one=job_id: not _is_live(_job(service, one)), SECONDS)
    eventually(f"{batch} has ended", lambda: _batch_body(service, batch)["status"] == "completed", SECONDS)
    report.seconds.setdefault(fault, []).append(time.monotonic() - began)
    service.wait_ready()
    texts.learn(service)
    for job_id, name in jobs.items():
        _check_job(service, report, job_id, {model: known[name] for model, known in texts.of_model.items()})
    _check_batch(service, report, batch, {known["short"] for known in texts.of_model.values()})
    _clear(service)


def _submitted(service: PodService, recording: bytes) -> str:
    answer = plain_http.post(
        f"{service.url}{TRANSCRIPTIONS}",
        files={"file": recording},
        data=FORM | {"webhook_url": service.hook},
        headers={"Prefer": "respond-async", "Idempotency-Key": uuid.uuid4().hex},
        timeout=120,
    )
    assert answer.status_code == 202, answer.text
    found: str = answer.json()["id"]
    return found


def _batch(service: PodService, recording: bytes) -> str:
    """A batch with that recording in two lines."""
    lines = "".join(
        json.dumps({"custom_id": f"{number}", "body": FORM | {"file_id": _uploaded(service, recording, "user_data")}})
        + "\n"
        for number in range(2)
    )
    source = _uploaded(service, lines.encode(), BATCH)
    wanted = {"completion_window": "24h", "endpoint": TRANSCRIPTIONS, "input_file_id": source}
    answer = plain_http.post(f"{service.url}/v1/batches", json=wanted | {"webhook_url": service.hook}, timeout=60)
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["id"]
    return found


def _uploaded(service: PodService, content: bytes, purpose: str) -> str:
    form = {"files": {"file": ("a", content)}, "data": {"purpose": purpose}}
    answer = plain_http.post(f"{service.url}/v1/files", timeout=60, **form)
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["id"]
    return found


def _job(service: PodService, job_id: str) -> dict[str, Any]:
    return service.answered(f"{TRANSCRIPTIONS}/{job_id}").json()


def _is_live(job: Mapping[str, Any]) -> bool:
    return job["status"] in ("queued", "in_progress")


def _batch_body(service: PodService, batch_id: str) -> dict[str, Any]:
    return service.answered(f"/v1/batches/{batch_id}").json()


def _check_job(service: PodService, report: PodReport, job_id: str, texts: Mapping[str, str]) -> None:
    job = _job(service, job_id)
    assert job["status"] == "completed", job
    found = {service.answered(f"{TRANSCRIPTIONS}/{job_id}/content").json()["text"] for _ in range(2)}
    assert found == {texts[job["model"]]}, (job, found)
    _check_told(service, job_id, f"{TRANSCRIPTIONS}/{job_id}")
    report.jobs[job["model"]] += 1
    report.attempts[job["attempts"]] += 1


def _check_told(service: PodService, what: str, path: str) -> None:
    """The end is told, as one event."""
    told = f"the end of {what} is told"
    eventually(told, lambda: service.answered(path).json()["webhook"]["status"] == "delivered", SECONDS)
    events = [one for one in service.receiver.received if one.event["data"]["id"] == what]
    assert len({one.headers["webhook-id"] for one in events}) == len({one.body for one in events}) == 1, events


def _check_batch(service: PodService, report: PodReport, batch_id: str, texts: set[str]) -> None:
    batch = _batch_body(service, batch_id)
    assert batch["request_counts"] == {"total": 2, "completed": 2, "failed": 0}, batch
    lines = service.answered(f"/v1/files/{batch['output_file_id']}/content").text.splitlines()
    bodies = [json.loads(line) for line in lines]
    assert [one["custom_id"] for one in bodies] == ["0", "1"], bodies
    assert {one["response"]["body"]["text"] for one in bodies} <= texts, bodies
    _check_told(service, batch_id, f"/v1/batches/{batch_id}")
    report.jobs["a line of a batch, by either"] += len(bodies)


def _clear(service: PodService) -> None:
    """Deletes all that there is; nothing of it is left on the disk."""
    for path in (TRANSCRIPTIONS, "/v1/files"):

        def is_empty(path: str = path) -> bool:
            found = service.answered(f"{path}?limit=100").json()["data"]
            for one in found:
                plain_http.delete(f"{service.url}{path}/{one['id']}", timeout=60)
            return not found

        eventually(f"{path} is empty", is_empty)
    assert not (left := service.stored_files()), left
