"""Two runtime processes have one queue, in a real store: one that is killed loses no job and no line of a batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from testbed.cluster.controlplane import free_ports
from testbed.paths import REPOSITORY
from testbed.store_server import StoreProgram, StoreServer, running
from tests.support.waiting import eventually
from whisper_runtime.contract.config import RuntimeConfig

pytestmark = pytest.mark.slow
TRANSCRIPTIONS = "/v1/audio/transcriptions"
SECONDS = 120


@dataclass
class Pod:
    client: httpx.Client
    process: subprocess.Popen[bytes]

    def submit(self, seconds: float, **headers: str) -> httpx.Response:
        return self.client.post(
            TRANSCRIPTIONS,
            data={"model": "base"},
            files={"file": ("a.wav", f"speech {seconds}".encode())},
            headers={"Prefer": "respond-async", **headers},
        )

    def accepted(self, seconds: float, **headers: str) -> str:
        """The id of a job that it has taken."""
        answer = self.submit(seconds, **headers)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def states(self) -> set[str]:
        return {job["status"] for job in self.jobs().values()}

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Those that it knows of, by id."""
        found = self.client.get(TRANSCRIPTIONS, params={"limit": 100}).json()["data"]
        return {job["id"]: job for job in found}

    def openai(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.client.base_url}/v1", api_key="none")

    def is_up(self) -> bool:
        try:
            return self.client.get("/ready").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture(params=["valkey", "redis"], ids=["Valkey and files", "all in Redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreServer]:
    program: StoreProgram = request.param
    with running(program, tmp_path / "server") as found:
        yield found


@pytest.fixture
def jobs_dir(server: StoreServer, tmp_path: Path) -> str | None:
    return str(tmp_path / "jobs") if server.program == "valkey" else None


StartPod = Callable[[float], Pod]


@pytest.fixture
def start(server: StoreServer, jobs_dir: str | None, tmp_path: Path) -> Iterator[StartPod]:
    """Starts a pod whose model takes two windows of so many seconds for a recording."""
    (tmp_path / "url").write_text(server.url)
    with ExitStack() as started:

        def pod(window_seconds: float) -> Pod:
            port, metrics_port = free_ports(2)
            config = RuntimeConfig(
                port=port,
                metrics_port=metrics_port,
                drain_seconds=0,
                redis_url_file=str(tmp_path / "url"),
                redis_prefix="team/speech",
                jobs_store="redis",
                jobs_dir=jobs_dir,
            )
            process = started.enter_context(
                subprocess.Popen(
                    (sys.executable, "-m", "tests.fakes.job_sharing_process", str(window_seconds)),
                    cwd=REPOSITORY,
                    env={**os.environ, **config.to_env(), "PYTHONPATH": "operator:runtime:."},
                    stderr=started.enter_context((tmp_path / f"{port}.log").open("wb")),
                )
            )
            started.callback(process.kill)
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS)
            found = Pod(started.enter_context(client), process)
            eventually("the pod is up", found.is_up, SECONDS)
            return found

        yield pod


def test_a_pod_that_is_killed_loses_no_job_and_the_other_ends_each_once(start: StartPod) -> None:
    stuck = start(1e6)
    accepted = {stuck.accepted(float(number)): float(number) for number in range(1, 5)}
    eventually("it has begun with them all", lambda: stuck.states() == {"in_progress"}, SECONDS)
    held = set(accepted)
    well = start(0.01)
    accepted |= {pod.accepted(float(number)): float(number) for number in range(5, 9) for pod in (stuck, well)}
    assert well.jobs().keys() == stuck.jobs().keys() == accepted.keys()
    stuck.process.kill()
    eventually("the other ends them all", lambda: well.states() == {"completed"}, SECONDS)
    for job_id, job in well.jobs().items():
        assert job["attempts"] in ({2} if job_id in held else {1, 2})
        content = well.client.get(f"{TRANSCRIPTIONS}/{job_id}/content").json()
        assert content["text"] == f"{accepted[job_id]} s"


def test_a_batch_of_a_pod_that_is_killed_is_ended_by_the_other(start: StartPod) -> None:
    """By the official client."""
    stuck, lengths = start(1e6), [float(number) for number in range(1, 7)]
    create: dict[str, Any] = {"endpoint": TRANSCRIPTIONS}  # which the client's types lack
    with stuck.openai() as client:
        audio = [client.files.create(file=("a.wav", f"speech {n}".encode()), purpose="user_data") for n in lengths]
        lines = [batch_line(f"{n}", file.id) for n, file in zip(lengths, audio, strict=True)]
        source = client.files.create(
            file=("lines.jsonl", "\n".join([*lines, batch_line("wrong", "file-1")]).encode()), purpose="batch"
        )
        batch = client.batches.create(input_file_id=source.id, completion_window="24h", **create)
    eventually("all lines are jobs, and some have begun", lambda: is_held(stuck, len(lengths)), SECONDS)
    well = start(0.01)
    stuck.process.kill()
    with well.openai() as client:
        eventually("it has ended", lambda: client.batches.retrieve(batch.id).status == "completed", SECONDS)
        done = client.batches.retrieve(batch.id)
        assert done.request_counts is not None
        assert done.request_counts.to_dict() == {"total": 7, "completed": 6, "failed": 1}
        answers = [json.loads(one) for one in client.files.content(done.output_file_id or "").text.splitlines()]
        assert [one["response"]["body"]["text"] for one in answers] == [f"{one['custom_id']} s" for one in answers]
        assert [one["custom_id"] for one in answers] == [f"{n}" for n in lengths]
        for file in client.files.list():
            client.files.delete(file.id)
        assert list(client.files.list()) == []
    assert well.jobs() == {}


def is_held(pod: Pod, jobs: int) -> bool:
    return len(pod.jobs()) == jobs and "in_progress" in pod.states()


def batch_line(custom_id: str, file_id: str) -> str:
    return json.dumps({"custom_id": custom_id, "body": {"model": "base", "file_id": file_id}})


def test_one_key_is_one_job_at_both(start: StartPod) -> None:
    first, again = (start(1e6).accepted(1.0, **{"Idempotency-Key": "a"}) for _ in range(2))
    assert first == again


def test_while_the_store_is_away_a_job_is_refused_for_now_and_a_request_is_served(
    start: StartPod, server: StoreServer
) -> None:
    pod = start(0.01)
    server.kill()
    refused = pod.submit(1.0)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "job_store_unavailable")
    assert refused.headers["retry-after"] == "5"
    served = pod.client.post(TRANSCRIPTIONS, data={"model": "base"}, files={"file": ("a.wav", b"speech 2.0")})
    assert served.json()["text"] == "2.0 s"
    server.start()
    eventually("jobs are taken again", lambda: pod.submit(1.0).status_code == 202, SECONDS)
