"""The HTTPRoute's time-outs, kept by Envoy: it waits longer than the server, whose own answer arrives."""

from __future__ import annotations

import json
from pathlib import Path

from testbed.runtime_process import RuntimeProcess
from tests.support import envoy, slow_upload
from tests.support.kubectl import Kubectl
from tests.support.neighbour_plane import TRANSCRIPTIONS, transcribe
from tests.support.waiting import eventually
from whisper_operator.api.units import duration_seconds


def limit_of(services: Kubectl) -> float:
    eventually("the HTTPRoute is there", lambda: services.get("httproute", "speech"))
    (rule,) = (services.get("httproute", "speech") or {})["spec"]["rules"]
    return duration_seconds(rule["timeouts"]["request"])


def test_words_and_the_servers_own_refusal_come_through(
    services: Kubectl, runtime: RuntimeProcess, jfk: bytes, tmp_path: Path
) -> None:
    with envoy.running(tmp_path, limit_of(services), ("127.0.0.1", runtime.port)) as url:
        answer = transcribe(url, jfk)
        assert (answer.status_code, "your country" in answer.json()["text"]) == (200, True)
        status, body, _ = slow_upload.upload(url, "gateway.example.com", TRANSCRIPTIONS)
        assert (status, json.loads(body)["error"]["code"]) == (408, "upload_too_slow")


def test_a_limit_that_is_shorter_than_the_work_would_be_seen(
    runtime: RuntimeProcess, jfk: bytes, tmp_path: Path
) -> None:
    """Envoy's own answer, which the limit above keeps away: it counts from the request's last byte on."""
    with envoy.running(tmp_path, 0.05, ("127.0.0.1", runtime.port)) as url:
        answer = transcribe(url, jfk)
        assert (answer.status_code, answer.text) == (504, "upstream request timeout")
