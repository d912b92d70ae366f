"""One recording, sent many times, tells how fast the service is as its clients see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubectl_whisper.bench import BenchRow, Measured, bench_row, measure, summary
from kubectl_whisper.kube_api import Failure, KubeApi
from kubectl_whisper.transcribe import SentFile

from tests.plugin.conftest import PlannedServer, as_events, as_json

DONE = {"type": "transcript.done", "text": "And so,", "segments": [], "duration": 11.0}


@pytest.fixture
def recording(tmp_path: Path) -> SentFile:
    file = tmp_path / "call.wav"
    file.write_bytes(b"RIFF")
    return SentFile(file, {}, None)


def test_each_request_is_counted_and_so_is_each_try(api_server: PlannedServer, recording: SentFile) -> None:
    api_server.answers = [as_json({"message": "full"}, 429, **{"retry-after": "0"}), *[as_events(DONE)] * 5]
    found = measure(KubeApi(None, None), "speech", recording, clients=2, requests=5)
    assert (len(found.seconds), found.audio_seconds, found.tries) == (5, 55.0, 1)
    assert 0 < max(found.seconds) <= found.took


def test_a_request_that_fails_ends_it(api_server: PlannedServer, recording: SentFile) -> None:
    api_server.answers = [as_json({"error": {"message": "wrong key"}}, 401)] * 3
    with pytest.raises(Failure, match="401: wrong key"):
        measure(KubeApi(None, None), "speech", recording, clients=1, requests=3)


def test_what_is_said_of_it() -> None:
    found = bench_row(Measured([float(number) for number in range(1, 21)], 220.0, 40.0, 3))
    assert found == BenchRow(20, 3, 10.5, 19.0, 5.5)
    lines = summary(found).splitlines()
    assert lines[0] == "requests         20, and 3 sent again"
    assert [line.split()[-1] for line in lines[1:3]] == ["10.50", "19.00"]
    assert lines[3].endswith("5.5 s")


def test_of_one_request_its_own_time_is_the_95th_percentile() -> None:
    assert bench_row(Measured([2.0], 11.0, 2.0, 0)).p95_seconds == 2.0
