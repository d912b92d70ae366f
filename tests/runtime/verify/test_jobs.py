"""A job is followed from its upload to its end, and nothing of it is left, whatever comes of it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.verify.conftest import GOOD, OTHER_WORDS, decode, options, outcomes, target
from tests.support.runtime_server import fake_server
from whisper_runtime.verify.checks import CheckFailed
from whisper_runtime.verify.client import ServerBusy, ServiceClient
from whisper_runtime.verify.jobs import keeps_jobs
from whisper_runtime.verify.run import verify

PATH = "/v1/audio/transcriptions"
IMPATIENT = 0.0


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def url(engine: FakeEngine, tmp_path: Path) -> Iterator[str]:
    """A server that keeps jobs; at the end it has none, for each check has deleted its own."""
    with serving_jobs(engine, tmp_path) as found:
        yield found


@contextmanager
def serving_jobs(engine: FakeEngine, directory: Path, **config: Any) -> Generator[str]:
    with fake_server(engine, decode, jobs_dir=str(directory / "jobs"), **config) as url:
        yield url
        assert httpx.get(f"{url}{PATH}").json()["data"] == []


def check(url: str, patience: float = 60.0) -> str:
    return keeps_jobs(target(ServiceClient(url, None, 60.0, patience)))


def test_a_job_is_accepted_done_read_and_deleted(url: str) -> None:
    assert check(url) == "accepted, done by base in attempt 1, read and deleted; word error rate 0%"


def test_it_is_a_check_where_the_server_keeps_jobs(url: str, golden: str) -> None:
    report = verify(options(url, golden, keeps_jobs=True))
    assert report.passed, report.to_json()
    assert outcomes(report, True) == GOOD | {"job"}
    assert "job" not in outcomes(verify(options(url, golden)), True)


def test_other_words_fail_it(engine: FakeEngine, url: str) -> None:
    engine.answer = OTHER_WORDS
    with pytest.raises(CheckFailed, match="of the words are wrong"):
        check(url)


def test_a_job_that_fails_does_so_with_its_error(engine: FakeEngine, url: str) -> None:
    engine.answer = RuntimeError("a bug")
    with pytest.raises(CheckFailed, match="the job is failed: The server failed on this request"):
        check(url)


def test_a_server_that_keeps_none_is_found_out(engine: FakeEngine) -> None:
    with fake_server(engine, decode) as url, pytest.raises(CheckFailed, match="answered 200 instead of 202"):
        check(url)


def test_a_job_that_was_begun_and_hangs_fails_it(engine: FakeEngine, url: str) -> None:
    engine.answer = None
    with pytest.raises(CheckFailed, match="not done, although it was begun"):
        check(url, patience=1)


def test_a_job_that_waits_behind_others_is_to_be_verified_later(engine: FakeEngine, url: str) -> None:
    engine.answer = None
    first = another(url)
    engine.wait_until_submitted()
    with pytest.raises(ServerBusy, match="waits behind others"):
        check(url, IMPATIENT)
    httpx.delete(f"{url}{first}").raise_for_status()


def test_a_client_that_has_queued_its_quota_is_to_be_verified_later(engine: FakeEngine, tmp_path: Path) -> None:
    engine.answer = None
    with serving_jobs(engine, tmp_path, jobs_max_queued_audio_seconds=1) as url:
        jobs = [another(url)]
        engine.wait_until_submitted()
        jobs.append(another(url))
        with pytest.raises(ServerBusy, match="it answered 429"):
            check(url, IMPATIENT)
        for job in jobs:
            httpx.delete(f"{url}{job}").raise_for_status()


def another(url: str) -> str:
    """The path of a job that is there already."""
    sent = {"files": {"file": b"RIFF"}, "data": {"model": "base"}, "headers": {"Prefer": "respond-async"}}
    answer = httpx.post(f"{url}{PATH}", **sent)  # pyright: ignore[reportArgumentType]
    return str(answer.raise_for_status().headers["location"])
