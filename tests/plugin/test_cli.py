"""The commands as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.plugin.conftest import PlannedServer, as_events, as_json, run
from whisper_runtime.contract.version import VERSION

WELL = {
    "metadata": {"namespace": "team", "name": "speech"},
    "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "AsSpecified", "message": ""}]},
}
OTHER = {"metadata": {"namespace": "team", "name": "other"}}
SEGMENT = {"id": 0, "start": 0.0, "end": 8.06, "text": " And so,"}
DONE = {
    "type": "transcript.done",
    "text": "And so,",
    "segments": [SEGMENT],
    "duration": 8.06,
    "srt": "1\n",
    "vtt": "V\n",
}


@pytest.fixture
def recording(tmp_path: Path) -> str:
    file = tmp_path / "call.wav"
    file.write_bytes(b"RIFF")
    return str(file)


def test_the_plugin_says_its_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"{VERSION}\n"


def test_status_of_one_and_of_all(
    api_server: PlannedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api_server.answers = [as_json(WELL), as_json({"items": [WELL, OTHER], "metadata": {}})]
    assert run(monkeypatch, "status", "speech") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["speech", "True"]
    assert run(monkeypatch, "status", "-A", "-o", "json") == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["speech", "other"]


def test_where_there_is_no_service_it_is_told_beside_the_output(
    api_server: PlannedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api_server.answers = [as_json({"items": [], "metadata": {}})] * 2
    assert run(monkeypatch, "status", "-n", "others") == 0
    assert capsys.readouterr() == ("", "no WhisperService in others\n")
    assert run(monkeypatch, "status", "-o", "json") == 0
    assert capsys.readouterr() == ("[]\n", "")


def test_how_busy_pods_are(
    api_server: PlannedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {"whisper-operator.io/service": "speech"}
    pod = {"metadata": {"namespace": "team", "name": "speech-1", "labels": labels}}
    api_server.answers = [as_json({"items": [pod], "metadata": {}}), as_json({"message": "no route"}, 503)]
    assert run(monkeypatch, "top") == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["speech", "speech-1", "Unknown", "503:", "no", "route"]
    api_server.answers = [as_json({"items": [], "metadata": {}})]
    assert run(monkeypatch, "top", "-A") == 0
    assert capsys.readouterr() == ("", "no pod serves in any namespace\n")


def test_a_refusal_ends_the_command_with_a_sentence(api_server: PlannedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    api_server.answers = [as_json({"message": 'whisperservices "x" not found'}, 404)]
    assert run(monkeypatch, "status", "x") == 'Error: 404: whisperservices "x" not found'


@pytest.mark.parametrize(
    ("output", "printed"), [("text", "And so,\n"), ("srt", "1\n"), ("vtt", "V\n")], ids=["text", "srt", "vtt"]
)
def test_a_transcript_in_each_format(
    output: str,
    printed: str,
    api_server: PlannedServer,
    recording: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = as_events({"type": "transcript.segments.delta", "segments": [SEGMENT]}, DONE)
    api_server.answers = [as_json({"items": [WELL], "metadata": {}}), events]
    assert run(monkeypatch, "transcribe", recording, "-o", output) == 0
    assert capsys.readouterr().out == printed
    path, _, body = api_server.requests[1]
    assert "/services/speech:http/" in path, "the only service of the namespace"
    assert (b'name="formats[]"' in body) is (output != "text")


def test_what_a_transcript_may_be_asked_for(
    api_server: PlannedServer,
    recording: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = tmp_path / "key"
    key.write_text("key-of-the-service\n")
    api_server.answers = [as_events(DONE)]
    options = ("--words", "--translate", "--language", "de", "--service", "other", "--api-key-file", str(key))
    assert run(monkeypatch, "transcribe", recording, "-o", "json", *options) == 0
    assert json.loads(capsys.readouterr().out)["duration"] == 8.06
    path, headers, body = api_server.requests[0]
    assert "/services/other:http/" in path
    assert headers["x-api-key"] == "key-of-the-service"
    for part in (b'"timestamp_granularities[]"\r\n\r\nword', b'"task"\r\n\r\ntranslate', b'"language"\r\n\r\nde'):
        assert part in body


def test_how_fast_a_service_is(
    api_server: PlannedServer, recording: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api_server.answers = [as_events(DONE)] * 6
    assert run(monkeypatch, "bench", recording, "--service", "speech", "--requests", "4", "--clients", "2") == 0
    assert capsys.readouterr().out.startswith("requests         4, and 0 sent again\n")
    assert run(monkeypatch, "bench", recording, "--service", "speech", "--requests", "2", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)[0]["requests"] == 2
    assert run(monkeypatch, "bench", recording, "--clients", "0") == 2


def test_of_several_services_one_must_be_named(
    api_server: PlannedServer, recording: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api_server.answers = [as_json({"items": [WELL, OTHER], "metadata": {}}), as_json({"items": [], "metadata": {}})]
    assert run(monkeypatch, "transcribe", recording) == "Error: namespace team has other, speech: name one of them"
    assert run(monkeypatch, "transcribe", recording) == "Error: no WhisperService in namespace team: name another by -n"


def test_a_key_that_cannot_be_read_is_told(
    api_server: PlannedServer, recording: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = run(monkeypatch, "transcribe", recording, "--api-key-file", str(tmp_path / "none"))
    assert str(message).startswith("Error: --api-key-file ")
    assert not api_server.requests


def test_an_explanation(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "explain", "hosttaken") == 0
    assert capsys.readouterr().out.startswith("HostTaken\n")
    assert run(monkeypatch, "explain", "HostTaken", "-o", "json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["reason_under"]) == ("HostTaken", ["PreflightPassed", "Exposed"])
    assert run(monkeypatch, "explain", "HostTaken", "-o", "yaml") == 0
    assert yaml.safe_load(capsys.readouterr().out) == [found]
    assert str(run(monkeypatch, "explain", "HostTake")).startswith("Error: HostTake: no condition")
