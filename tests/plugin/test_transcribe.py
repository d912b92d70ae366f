"""A recording goes through the API server; what may pass costs another try, and no segment comes twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kubectl_whisper.kube_api import Failure, KubeApi
from kubectl_whisper.transcribe import TRIES, CountedFile, SentFile, transcribe

from tests.plugin.conftest import PlannedServer, as_events, as_json

FIRST = {"id": 0, "start": 0.0, "end": 8.06, "text": " And so,"}
SECOND = {"id": 1, "start": 8.06, "end": 11.0, "text": " ask not."}
DONE = {"type": "transcript.done", "text": "And so, ask not.", "segments": [FIRST, SECOND], "duration": 11.0}
NO_POD = {"kind": "Status", "message": 'no endpoints available for service "speech"'}


def delta(*segments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "transcript.segments.delta", "segments": list(segments)}


@dataclass
class Seen:
    """What a user would see."""

    bytes_sent: list[int] = field(default_factory=list[int])
    segments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tries: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    def sent(self, size: int, total: int) -> None:
        assert size <= total
        self.bytes_sent.append(size)

    def transcribed(self, segments: list[dict[str, Any]]) -> None:
        self.segments += segments

    def tried(self, message: str, seconds: float) -> None:
        self.tries.append((message, seconds))


@pytest.fixture
def recording(tmp_path: Path) -> SentFile:
    file = tmp_path / "a call.wav"
    file.write_bytes(b"R" * 300_000)
    return SentFile(file, {"language": "en", "formats[]": ["srt"]}, None)


def run(recording: SentFile, seen: Seen) -> dict[str, Any]:
    return transcribe(KubeApi(None, None), "speech", recording, seen, sleep=lambda _: None)


def test_the_words_come_and_then_the_whole(api_server: PlannedServer, recording: SentFile) -> None:
    seen = Seen()
    api_server.answers = [as_events(delta(FIRST), delta(SECOND), DONE)]
    assert run(recording, seen) == {name: value for name, value in DONE.items() if name != "type"}
    assert seen.segments == [FIRST, SECOND]
    assert seen.bytes_sent[-1] == 300_000
    ((path, headers, body),) = api_server.requests
    assert path == "/api/v1/namespaces/team/services/speech:http/proxy/transcribe"
    assert "x-api-key" not in headers
    for part in (
        b'name="stream"\r\n\r\ntrue',
        b'name="language"\r\n\r\nen',
        b'name="formats[]"\r\n\r\nsrt',
        b"R" * 300_000,
    ):
        assert part in body
    assert b'filename="a call.wav"' in body


def test_a_key_goes_beside_the_right_to_the_cluster(api_server: PlannedServer, recording: SentFile) -> None:
    """The API server takes Authorization for its own, and passes it on to nobody."""
    api_server.answers = [as_events(DONE)]
    run(SentFile(recording.file, {}, "key-of-the-service"), Seen())
    headers = api_server.requests[0][1]
    assert (headers["x-api-key"], headers["authorization"]) == ("key-of-the-service", "Bearer token-of-the-cluster")


def test_a_pod_that_ends_meanwhile_costs_another_try_and_no_segment_comes_twice(
    api_server: PlannedServer, recording: SentFile
) -> None:
    seen = Seen()
    api_server.answers = [
        as_events(delta(FIRST), is_cut=True),
        as_json(NO_POD, 503),
        as_json({"error": {"message": "full"}}, 429, **{"retry-after": "7"}),
        as_events(delta(FIRST)),
        as_events(delta(FIRST), {"error": {"type": "server_error", "message": "the pod ends"}}),
        as_events(delta(FIRST, SECOND), DONE),
    ]
    assert run(recording, seen)["text"] == DONE["text"]
    assert seen.segments == [FIRST, SECOND]
    assert [seconds for _, seconds in seen.tries] == [1.0, 2.0, 7.0, 8.0, 16.0]
    for (message, _), part in zip(
        seen.tries,
        ("connection ended", "no endpoints", "429: full", "before the transcript did", "the pod ends"),
        strict=True,
    ):
        assert part in message
    assert all(b"R" * 300_000 in body for _, _, body in api_server.requests), "each try sends all of it"


def test_a_wait_is_bounded(api_server: PlannedServer, recording: SentFile) -> None:
    seen = Seen()
    api_server.answers = [as_json(NO_POD, 503, **{"retry-after": "86400"}), as_events(DONE)]
    run(recording, seen)
    assert seen.tries[0][1] == 60.0


def test_it_is_given_up_at_last(api_server: PlannedServer, recording: SentFile) -> None:
    api_server.answers = [as_json(NO_POD, 503)] * TRIES
    with pytest.raises(Failure, match=rf"no endpoints available.*given up after {TRIES} tries"):
        run(recording, Seen())
    assert not api_server.answers


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 500])
def test_what_does_not_pass_is_told_at_once(api_server: PlannedServer, recording: SentFile, status: int) -> None:
    api_server.answers = [as_json({"error": {"message": "not that"}}, status)]
    with pytest.raises(Failure, match=f"{status}: not that"):
        run(recording, Seen())


def test_a_request_that_is_refused_in_the_stream_is_told(api_server: PlannedServer, recording: SentFile) -> None:
    api_server.answers = [as_events({"error": {"type": "invalid_request_error", "message": "damaged at 7 s"}})]
    with pytest.raises(Failure, match="damaged at 7 s"):
        run(recording, Seen())


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"none\.wav: No such file"):
        CountedFile(tmp_path / "none.wav", Seen())
    with pytest.raises(Failure, match="Is a directory"):
        CountedFile(tmp_path, Seen())
