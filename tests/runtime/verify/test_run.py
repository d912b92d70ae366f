"""`verify`: a good server passes, and each way to be bad fails the check that is named after it."""

from __future__ import annotations

import json
import logging
import os
import socket
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from tests.contract.server import fake_server
from tests.fakes.engine import MULTILINGUAL, SEGMENT, SPOKEN, TURBO, FakeEngine
from whisper_runtime.__main__ import main
from whisper_runtime.contract.files import TERMINATION_MESSAGE_LIMIT
from whisper_runtime.contract.reports import Check, VerifyReport
from whisper_runtime.engine.interface import Abilities, Samples
from whisper_runtime.media.decode import AudioError
from whisper_runtime.verify import metrics_port, security
from whisper_runtime.verify.checks import Subject, examined
from whisper_runtime.verify.client import Answer, Headers, Server
from whisper_runtime.verify.performance import percentile
from whisper_runtime.verify.run import Order, verify

SECONDS = 2.5
SILENT = replace(SEGMENT, text=" Hello.", words=())
OTHER_WORDS = replace(SPOKEN, text=" Hello.", segments=(SILENT,))
WITHOUT_WORDS = replace(SPOKEN, segments=(replace(SEGMENT, words=()),))
SPEAKING = {"transcribes", "json", "text", "srt", "vtt", "verbose-json", "word-times", "stream", "translates"}
KEYS = {"no-key", "wrong-key", "wrong-key-at-once"}
CLUSTER = {"health", "ready", "metrics", "not-root"}
GOOD = SPEAKING | {"model", "language", "refuses-nonsense", "all-answered", "body-limit", "cors"}


async def decode(media: IO[bytes], *, max_seconds: float, timeout: float) -> Samples:
    """Takes a wav for audio, and nothing else."""
    if not media.read().startswith(b"RIFF"):
        raise AudioError("NotAudio", "The file is not audio.")
    return np.zeros(int(SECONDS * 16_000), dtype=np.float32)


@pytest.fixture(autouse=True)
def logging_put_back() -> Iterator[None]:
    """The command line configures the process's logging."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def is_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of these tests run within the tests' own process."""
    monkeypatch.setattr(os, "geteuid", lambda: 65532)


@pytest.fixture
def golden(tmp_path: Path) -> str:
    with wave.open(str(tmp_path / "clip.wav"), "wb") as clip:
        clip.setparams((1, 2, 16_000, 0, "NONE", ""))
        clip.writeframes(bytes(int(SECONDS * 32_000)))
    (tmp_path / "clip.txt").write_text("Ask not.")
    return str(tmp_path)


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    """A key; its directory is what a server with authentication reads."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "alice").write_text("key-of-alice\n")
    return str(tmp_path / "keys" / "alice")


def order(url: str, golden: str, **fields: Any) -> Order:
    known: dict[str, Any] = {"metrics_url": None, "api_key_file": None, "max_word_error_rate": 0.2}
    known |= {"requests": 3, "concurrency": 2}
    return Order(url=url, golden_dir=golden, **(known | fields))


def outcomes(report: VerifyReport, passed: bool) -> set[str]:
    return {check.name for check in report.checks if check.passed == passed}


def test_a_good_server_passes_every_check(golden: str) -> None:
    engine = FakeEngine()
    with fake_server(engine, decode) as url:
        report = verify(order(url, golden, metrics_url=url))
    assert report.passed, report.to_json()
    assert outcomes(report, True) == GOOD | CLUSTER
    assert report.performance is not None
    assert (report.performance.requests, report.performance.concurrency) == (3, 2)
    assert 0 < report.performance.p50_seconds <= report.performance.p95_seconds
    assert report.requests == 1 + len(SPEAKING) + 1 + 5 + 3 + 2 + 4 + 1
    assert "Ask" not in report.to_json()


def test_a_server_that_runs_as_root_fails(golden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with fake_server(FakeEngine(), decode) as url:
        report = verify(order(url, golden, metrics_url=url))
    assert outcomes(report, False) == {"not-root"}


@pytest.mark.parametrize(
    ("metrics", "passed", "says"),
    [
        ('whisper_egress_open{target="kubernetes-api"} 0', True, "could not reach the Kubernetes API"),
        ('whisper_egress_open{target="kubernetes-api"} 1', False, "enforces no NetworkPolicy"),
        ("whisper_ready 1", False, "whisper_egress_open is not among the metrics"),
    ],
    ids=["shut in", "open", "not told"],
)
def test_a_pod_tells_whether_it_has_a_way_out(metrics: str, passed: bool, says: str) -> None:
    [check] = examined(metrics_port.NO_EGRESS, telling(metrics))
    assert (check.name, check.passed) == ("no-way-out", passed)
    assert says in check.message


def test_a_way_out_is_looked_for_where_the_pods_are_to_have_none(golden: str) -> None:
    with fake_server(FakeEngine(), decode) as url:
        report = verify(order(url, golden, metrics_url=url, no_egress=True))
    assert outcomes(report, False) == {"no-way-out"}


METRICS = """\
whisper_model_load_seconds 2.5
whisper_model_info{model="base",digest="",device="NVIDIA H100",compute_type="float16"} 1
whisper_device_memory_bytes 3e9
"""


def telling(text: str, status: int = 200) -> Subject:
    """A server with these metrics."""

    class Metrics(Server):
        def __init__(self) -> None: ...

        def get(self, path: str, headers: Headers | None = None) -> Answer:
            return Answer(status, {}, text.encode(), 0.0)

    server = Server("http://nobody.invalid", None, 1)
    return Subject(server, b"", "", 0.2, SECONDS, Metrics())


def test_a_pod_tells_how_long_it_took_to_be_ready_and_what_its_model_runs_on() -> None:
    found = {"load_seconds": 2.5, "device": "NVIDIA H100", "compute_type": "float16", "memory_bytes": 3_000_000_000}
    assert metrics_port.told(telling(METRICS)) == found


@pytest.mark.parametrize(("text", "status"), [("whisper_model_load_seconds 0", 200), ("no metrics {", 200), ("", 500)])
def test_what_a_pod_does_not_tell_stays_open(text: str, status: int) -> None:
    assert metrics_port.told(telling(text, status)) == {}


def test_with_a_key_it_is_proven_that_one_is_needed(golden: str, key_file: str) -> None:
    with fake_server(FakeEngine(), decode, api_keys_dir=str(Path(key_file).parent)) as url:
        report = verify(order(url, golden, api_key_file=key_file))
    assert report.passed, report.to_json()
    assert outcomes(report, True) == GOOD | KEYS
    assert "key-of-alice" not in report.to_json()


def test_a_server_that_asks_for_no_key_fails(golden: str, key_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "POURED_BYTES", 1024**2)
    with fake_server(FakeEngine(), decode) as url:
        assert outcomes(verify(order(url, golden, api_key_file=key_file)), False) == KEYS


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (OTHER_WORDS, SPEAKING),
        (replace(SPOKEN, language="de"), {"language"}),
        (WITHOUT_WORDS, {"word-times"}),
        (RuntimeError("out of memory"), SPEAKING | {"language", "all-answered"}),
    ],
    ids=["other words", "another language", "no words", "nothing but errors"],
)
def test_a_bad_answer_fails_the_checks_of_that_name(golden: str, answer: Any, failed: set[str]) -> None:
    engine = FakeEngine()
    engine.answer = answer
    with fake_server(engine, decode) as url:
        report = verify(order(url, golden))
    assert outcomes(report, False) == failed


@pytest.mark.parametrize("abilities", [TURBO, MULTILINGUAL])
def test_a_model_that_cannot_translate_may_say_so(golden: str, abilities: Abilities) -> None:
    engine = FakeEngine()
    engine.abilities = abilities
    with fake_server(engine, decode) as url:
        [check] = [check for check in verify(order(url, golden)).checks if check.name == "translates"]
    assert check.passed
    assert ("was not trained to translate" in check.message) == (abilities == TURBO)


def test_a_server_without_a_body_limit_fails(golden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "PATIENCE_SECONDS", 0.5)
    with fake_server(FakeEngine(), decode, max_upload_bytes=1 << 50, max_scratch_bytes=1 << 51) as url:
        assert outcomes(verify(order(url, golden)), False) == {"body-limit"}


def test_every_origin_is_noted_where_it_is_configured(golden: str) -> None:
    with fake_server(FakeEngine(), decode, cors_allow_origins=("*",)) as url:
        [check] = [check for check in verify(order(url, golden)).checks if check.name == "cors"]
    assert (check.passed, check.message) == (True, "pages of every origin are allowed, as configured")


def test_where_nothing_listens_everything_fails(golden: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    report = verify(order(f"http://127.0.0.1:{port}", golden, metrics_url=f"http://127.0.0.1:{port}"))
    assert outcomes(report, True) == set()
    assert report.performance is None
    assert "Connection refused" in report.checks[0].message


@pytest.fixture
def deaf() -> Iterator[str]:
    """Accepts connections, and neither reads nor answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_only_reads_or_does_not_even_read_gives_no_answer(deaf: str) -> None:
    answer, sent = Server(deaf, None, 1).pour("/transcribe", {}, seconds=0.5, limit=1024**3)
    assert answer is None
    assert sent > 0


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [([3.0], 0.5, 3.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0), ([1.0, 2.0, 3.0, 4.0], 0.95, 4.0), ([2.0, 1.0], 0.01, 1.0)],
)
def test_percentiles_are_by_nearest_rank(values: list[float], share: float, wanted: float) -> None:
    assert percentile(values, share) == wanted


@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize("length", [0, 10, 300, 100_000])
def test_the_report_always_fits_a_termination_message(passed: bool, length: int) -> None:
    checks = tuple(Check(name=f"check-{number}", passed=passed, message="ü" * length) for number in range(30))
    found = VerifyReport(checks=checks, requests=1).to_json()
    assert len(found.encode()) <= TERMINATION_MESSAGE_LIMIT
    assert outcomes(VerifyReport.model_validate_json(found), passed) == {check.name for check in checks}


def test_what_failed_is_said_at_length_where_there_is_room_for_little() -> None:
    good = tuple(Check(name=f"good-{number}", passed=True, message="fine" * 25) for number in range(30))
    bad = Check(name="bad", passed=False, message="x" * 300)
    assert VerifyReport.model_validate_json(VerifyReport(checks=(*good, bad), requests=1).to_json()).checks[-1] == bad


@pytest.mark.parametrize(("answer", "code"), [(SPOKEN, 0), (OTHER_WORDS, 1)])
def test_the_exit_code_and_the_table(golden: str, answer: Any, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine()
    engine.answer = answer
    with fake_server(engine, decode) as url:
        assert main(["verify", "--url", url, "--requests", "1"], {"WHISPER_GOLDEN_DIR": golden}) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok      model             serves base, sha256 ed3a0b6b1c0e")
    assert (lines[1].split()[0], lines[1].split()[1]) == ("ok" if code == 0 else "FAILED", "transcribes")
    assert lines[-1].startswith("all 15 checks passed" if code == 0 else "9 of 15 checks failed")


def test_the_report_as_json_is_whole(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = "m" * TERMINATION_MESSAGE_LIMIT
    with fake_server(FakeEngine(), decode, model=name, model_sha256="a" * 64) as url:
        main(["verify", "--url", url, "--json"], {"WHISPER_GOLDEN_DIR": golden})
    found = json.loads(capsys.readouterr().out)
    assert found["checks"][0]["name"] == "model"
    assert name in found["checks"][0]["message"]
    assert found["performance"]["requests"] == 5


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["--url", "meetings.default.svc"], {}, "'meetings.default.svc' is no address"),
        (["--url", "http://a"], {"WHISPER_GOLDEN_DIR": "/nowhere"}, "set WHISPER_GOLDEN_DIR"),
        (["--url", "http://a", "--api-key-file", "/nowhere"], {}, "--api-key-file to a file"),
    ],
)
def test_what_is_missing_is_named(
    golden: str, arguments: list[str], environment: dict[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *arguments], {"WHISPER_GOLDEN_DIR": golden} | environment) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "1001", "many"])
def test_the_number_of_requests_has_a_bound(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "--url", "http://a", "--requests", number], {})
    assert "--requests" in capsys.readouterr().err
