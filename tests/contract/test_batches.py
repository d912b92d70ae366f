"""OpenAI's official clients, unmodified, take batches through their whole life; a large one is answered in order."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types import Batch

from testbed import nodejs
from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.support.batch_server import batch_server
from tests.support.openai_clients import NODE
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.transcription import Options, Transcription

pytestmark = pytest.mark.slow

ENDPOINT = "/v1/audio/transcriptions"
LINES = 1000
POLL_SECONDS = 0.05
ENDED = ("completed", "failed", "expired", "cancelled")
WANTED = {
    "created": "validating",
    "status": "completed",
    "counts": {"total": 4, "completed": 3, "failed": 1},
    "metadata": {"meeting": "7"},
    "output": [["a", "2.5 s"], ["b", "2.5 s"], ["c", "2.5 s"]],
    "errors": [["wrong", 404]],
    "cancelled": "completed",
    "listed": 1,
    "files": ["user_data", "batch", "batch_output", "batch_output"],
    "deleted": True,
    "gone": "NotFoundError",
}
"""What each client finds."""


class MeasuringEngine(FakeEngine):
    """Its text is the length of the recording."""

    def submit(self, samples: Samples, options: Options, *arguments: Any, **keywords: Any) -> Future[Transcription]:
        super().submit(samples, options, *arguments, **keywords)
        text = f" {len(samples) / 16_000} s"
        found: Future[Transcription] = Future()
        found.set_result(replace(SPOKEN, text=text, segments=(replace(SEGMENT, text=text),)))
        return found


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    engine = MeasuringEngine()
    engine.free_rows = 8
    with batch_server(engine, tmp_path / "jobs") as url:
        yield url


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    path.write_text("speech 2.5")
    return path


def line(custom_id: str, file_id: str) -> str:
    body = {"model": "whisper-1", "file_id": file_id}
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body})


def ended(client: openai.OpenAI, batch: Batch) -> Batch:
    while batch.status not in ENDED:
        time.sleep(POLL_SECONDS)
        batch = client.batches.retrieve(batch.id)
    return batch


def lines_of(client: openai.OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    return [json.loads(one) for one in client.files.content(file_id or "").text.splitlines()]


def test_the_client_for_python(url: str, recording: Path) -> None:
    create: dict[str, Any] = {"endpoint": ENDPOINT}  # which its types lack, and nothing checks
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        audio = client.files.create(
            file=recording, purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
        )
        lines = [*(line(one, audio.id) for one in "abc"), line("wrong", "file-1")]
        source = client.files.create(file=("lines.jsonl", "\n".join(lines).encode()), purpose="batch")
        created = client.batches.create(
            input_file_id=source.id,
            completion_window="24h",
            metadata={"meeting": "7"},
            output_expires_after={"anchor": "created_at", "seconds": 7200},
            **create,
        )
        batch = ended(client, created)
        assert batch.request_counts is not None
        found = {
            "created": created.status,
            "status": batch.status,
            "counts": batch.request_counts.to_dict(),
            "metadata": batch.metadata,
            "output": [
                [one["custom_id"], one["response"]["body"]["text"]] for one in lines_of(client, batch.output_file_id)
            ],
            "errors": [
                [one["custom_id"], one["response"]["status_code"]] for one in lines_of(client, batch.error_file_id)
            ],
            "cancelled": client.batches.cancel(batch.id).status,
            "listed": len(list(client.batches.list(limit=1))),
            "files": [one.purpose for one in client.files.list(limit=2, order="asc")],
            "deleted": client.files.delete(audio.id).deleted,
        }
        with pytest.raises(openai.NotFoundError) as gone:
            client.files.retrieve(audio.id)
        assert found | {"gone": type(gone.value).__name__} == WANTED


def test_the_client_for_node(url: str, recording: Path) -> None:
    environment = {**os.environ, "NODE_PATH": str(nodejs.ensure(NODE))}
    command = ("node", str(NODE / "batch.cjs"), url, str(recording))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == WANTED


def test_a_batch_that_is_wrong_says_which_line(url: str) -> None:
    create: dict[str, Any] = {"endpoint": ENDPOINT}
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        source = client.files.create(file=("lines.jsonl", f"{line('a', 'file-1')}\n{{".encode()), purpose="batch")
        batch = ended(client, client.batches.create(input_file_id=source.id, completion_window="24h", **create))
        assert (batch.status, batch.output_file_id) == ("failed", None)
        assert batch.errors is not None
        assert [(one.code, one.line) for one in batch.errors.data or ()] == [("invalid_json_line", 2)]


def test_a_thousand_clips_are_answered_in_the_order_of_their_lines(url: str) -> None:
    create: dict[str, Any] = {"endpoint": ENDPOINT}
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        seconds = [0.25 * (1 + number % 7) for number in range(7)]
        audio = [client.files.create(file=f"speech {one}".encode(), purpose="user_data").id for one in seconds]
        lines = [line(f"line {number}", audio[number % 7]) for number in range(LINES)]
        source = client.files.create(file=("lines.jsonl", "\n".join(lines).encode()), purpose="batch")
        batch = ended(client, client.batches.create(input_file_id=source.id, completion_window="24h", **create))
        assert batch.request_counts is not None
        assert batch.request_counts.to_dict() == {"total": LINES, "completed": LINES, "failed": 0}
        found = [(one["custom_id"], one["response"]["body"]["text"]) for one in lines_of(client, batch.output_file_id)]
        assert found == [(f"line {number}", f"{seconds[number % 7]} s") for number in range(LINES)]
