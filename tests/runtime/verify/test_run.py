"""A verification: a good server passes every check, and the report says so to people and to the operator."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import IO, Any

import pytest

from tests.fakes.engine import SPOKEN, FakeEngine
from tests.runtime.verify.conftest import CLUSTER, GOOD, KEYS, OTHER_WORDS, SPEAKING, decode, options, outcomes
from tests.support.runtime_server import fake_server
from whisper_runtime.contract.files import TERMINATION_MESSAGE_LIMIT
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.process.command import main
from whisper_runtime.verify.run import AT_ONCE, CannotVerify, table, verify


def test_a_good_server_passes_every_check(golden: str) -> None:
    engine = FakeEngine()
    with fake_server(engine, decode) as url:
        report = verify(options(url, golden, metrics_url=url))
    assert report.passed, report.to_json()
    assert outcomes(report, True) == GOOD | CLUSTER
    assert report.performance is not None
    assert (report.performance.requests, report.performance.concurrency) == (3, 2)
    assert 0 < report.performance.p50_seconds <= report.performance.p95_seconds
    assert report.requests == 1 + len(SPEAKING) + 1 + 5 + 3 + 2 + 4 + 1
    assert "Ask" not in report.to_json()


def test_the_clip_is_sent_alone_and_then_in_each_form_at_the_same_time(golden: str) -> None:
    """Given a server that answers nothing but the first request before others wait for it."""
    decoded, waiting = 0, asyncio.Event()

    async def decode_with_others(media: IO[bytes], **limits: Any) -> DecodedAudio:
        nonlocal decoded
        decoded += 1
        if decoded == 1 + AT_ONCE:
            waiting.set()
        if decoded > 1:
            async with asyncio.timeout(30):
                await waiting.wait()
        return await decode(media, **limits)

    with fake_server(FakeEngine(), decode_with_others) as url:
        report = verify(options(url, golden))
    assert report.passed, report.to_json()


def test_with_a_key_the_server_must_demand_one(golden: str, key_file: str) -> None:
    with fake_server(FakeEngine(), decode, api_keys_dir=str(Path(key_file).parent)) as url:
        report = verify(options(url, golden, api_key_file=key_file))
    assert report.passed, report.to_json()
    assert outcomes(report, True) == GOOD | KEYS
    assert "key-of-alice" not in report.to_json()


def test_a_server_that_stays_busy_is_neither_verified_nor_wrong(golden: str) -> None:
    engine = FakeEngine()
    engine.queued_audio_seconds = 10_000
    with fake_server(engine, decode) as url:
        report = verify(options(url, golden, patience=0))
    assert not report.passed
    assert outcomes(report, False) == set()
    assert report.busy == "the server has been busy for 0 s: it answered 429"


def test_what_was_found_before_the_server_turned_busy_is_reported(golden: str) -> None:
    """Given a server whose queue fills up after the second request, in the middle of a group of checks."""
    engine = FakeEngine()

    async def decode_and_fill(media: IO[bytes], **limits: Any) -> DecodedAudio:
        engine.queued_audio_seconds = 10_000.0 if engine.asked else 0.0
        return await decode(media, **limits)

    with fake_server(engine, decode_and_fill) as url:
        report = verify(options(url, golden, patience=0))
    assert {"model", "transcribes"} <= outcomes(report, True) < GOOD
    assert outcomes(report, False) == set()
    assert report.busy == "the server has been busy for 0 s: it answered 429"
    assert not report.passed
    assert table(report).splitlines()[-1].startswith(f"all {len(report.checks)} checks passed, and then the server has")


def test_where_nothing_listens_everything_fails(golden: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    report = verify(options(f"http://127.0.0.1:{port}", golden, metrics_url=f"http://127.0.0.1:{port}"))
    assert outcomes(report, True) == set()
    assert report.performance is None
    assert "Connection refused" in report.checks[0].message


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
        (["--url", "meetings.default.svc"], {}, "'meetings.default.svc' is not a valid URL"),
        (["--url", "http://a"], {"WHISPER_GOLDEN_DIR": "/nowhere"}, "set WHISPER_GOLDEN_DIR"),
        (["--url", "http://a", "--api-key-file", "/nowhere"], {}, "--api-key-file to a file"),
    ],
)
def test_a_missing_setting_is_named(
    golden: str, arguments: list[str], environment: dict[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *arguments], {"WHISPER_GOLDEN_DIR": golden} | environment) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("key", ["hunter2\nhunter2", "hunter2\u00e9"])
def test_a_key_that_no_header_can_carry_is_reported_without_its_value(golden: str, tmp_path: Path, key: str) -> None:
    (tmp_path / "key").write_text(key)
    with pytest.raises(CannotVerify, match="the API key must be printable ASCII") as raised:
        verify(options("http://a", golden, api_key_file=str(tmp_path / "key")))
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("number", ["0", "1001", "many"])
def test_the_number_of_requests_has_a_bound(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "--url", "http://a", "--requests", number], {})
    assert "--requests" in capsys.readouterr().err
