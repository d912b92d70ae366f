"""What jobs cost, in short; `python -m benchmarks.jobs` runs the long form."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.jobs import hits, many, overhead, report, together
from benchmarks.jobs.before import RateReport
from benchmarks.jobs.beside_polls import PollReport
from benchmarks.jobs.clients import PATH, paced_server
from benchmarks.jobs.hits import HitReport, HitTimes
from benchmarks.jobs.kept_jobs import multiply
from benchmarks.jobs.many import EMPTY, FULL, StoreReport
from benchmarks.jobs.overhead import OverheadReport
from benchmarks.jobs.polls import PollCounts, polling
from benchmarks.jobs.together import TogetherReport
from benchmarks.load import audio_files
from benchmarks.load.client import AudioFile, ClientBehaviour, RequestOutcome
from whisper_runtime.service.jobs.files import FILES
from whisper_runtime.service.jobs.sqlite_store import DATABASE

COPIES = 20


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return audio_files.short(tmp_path_factory.mktemp("clip")).content


@pytest.mark.slow
def test_copies_of_a_job_are_jobs_like_it_and_can_be_polled(tmp_path: Path, clip: bytes) -> None:
    with paced_server(tmp_path, clip, 0.01) as client:
        job = client.submit().rpartition("/")[2]
        client.wait_until_at_rest()
    ids = multiply(tmp_path, job, COPIES)
    assert (len(set(ids)), job in ids) == (COPIES + 1, True)
    assert len(list((tmp_path / "jobs" / FILES).iterdir())) == COPIES + 1
    with closing(sqlite3.connect(tmp_path / "jobs" / DATABASE)) as connection:
        assert connection.execute("SELECT jobs FROM totals WHERE state = 'completed'").fetchone() == (COPIES + 1,)
    paths = [f"{PATH}/{one}" for one in ids]
    with paced_server(tmp_path, clip, 0.01) as client:
        assert len({client.http.get(f"{one}/content").raise_for_status().text for one in paths}) == 1
        counts = asyncio.run(polled(client.process.port, [*paths, f"{PATH}/nobodys"]))
    assert counts.statuses.keys() == {200, 404}


async def polled(port: int, paths: list[str]) -> PollCounts:
    """The counts of as many clients as there are paths, once each has asked."""
    counts = PollCounts()
    async with polling(port, paths, len(paths), counts), asyncio.timeout(60):
        while counts.statuses.total() < len(paths):
            await asyncio.sleep(0.05)
    return counts


@pytest.mark.slow
def test_what_is_sent_again_is_a_result_that_is_kept(tmp_path: Path, clip: bytes) -> None:
    found = hits.run(tmp_path, [AudioFile("short.wav", clip)], rounds=1, requests=1)
    assert [len(times.answer) for times in found.kinds.values()] == [1, 1]
    assert all(times.processor[0] < times.whole[0] for times in found.kinds.values())
    assert "| short.wav | verbose_json |" in report.hits(found)


@pytest.mark.slow
def test_the_same_file_from_all_clients_at_once_is_one_transcription(tmp_path: Path, clip: bytes) -> None:
    found = together.run(tmp_path, AudioFile("short.wav", clip), file_seconds=5.0)
    assert (found.outcomes, found.problems) == ({"miss": 1, "known": together.CLIENTS - 1}, [])
    assert "9 of 10 got what was" in report.together(found)


@pytest.mark.long
def test_the_long_form_in_short(tmp_path: Path, clip: bytes) -> None:
    (tmp_path / "overhead").mkdir()
    beyond = overhead.run(tmp_path / "overhead", clip, rounds=1, requests=2)
    assert "the job beyond the request" in report.overhead(beyond)
    found = many.run(tmp_path, clip, rounds=1, requests=1, finished=COPIES)
    assert {request: len(taken[FULL]) for request, taken in found.by_request.items()} == dict.fromkeys(
        ("submit", "status", "list, the newest 20", "list, 20 in a state"), 1
    )
    assert "With 20 finished jobs" in report.store(found)


def outcome(seconds: float, status: int = 200) -> RequestOutcome:
    return RequestOutcome(AudioFile("a", b""), ClientBehaviour.PATIENT, status, seconds, "", "", "")


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (OverheadReport(requests=(10.0, 20.0), jobs=(40.0, 50.0)), "a job takes 30 ms beyond its work"),
        (OverheadReport(requests=(10.0, 20.0), jobs=(30.0, 40.0)), None),
        (HitReport({("a", "json"): HitTimes([9.0, 12.0, 14.0])}), "a kept result takes 12 ms (a, json)"),
        (HitReport({("a", "json"): HitTimes([9.0, 9.0, 14.0])}), None),
        (StoreReport(9, {"list": {EMPTY: [1.0], FULL: [3.0]}}, {}), "list takes 3.0 x"),
        (StoreReport(9, {"list": {EMPTY: [1.0], FULL: [2.0]}}, {FULL: [1.0, 50.0, 60.0]}), None),
        (StoreReport(9, {}, {FULL: [1.0, 50.0, 90.0]}), "memory grew by 40 MiB"),
        (PollReport(1, 1, [[outcome(1.0)]], [[outcome(1.3)]]), "1.30 x as long as without polls"),
        (PollReport(1, 1, [[outcome(1.0)]], [[outcome(1.0, 429)]]), "429 "),
        (PollReport(1, 1, [[outcome(1.0)]], [[outcome(1.1)]]), None),
        (TogetherReport(600.0, 600.0, Counter(miss=1, known=9)), None),
        (TogetherReport(600.0, 1200.0, Counter(miss=2, known=8)), "10 clients took 2.0 transcriptions"),
        (TogetherReport(600.0, 600.0, Counter({"miss": 1, "known": 8, "429": 1})), "1 clients got 429"),
        (RateReport({"before": [1.0, 1.0, 2.0], "now": [0.9, 0.99, 1.99]}), None),
        (RateReport({"before": [1.0, 1.0, 2.0], "now": [0.9, 0.95, 1.99]}), "0.950 x the requests/s of before"),
    ],
)
def test_a_goal_that_is_missed_is_a_problem(
    found: OverheadReport | HitReport | StoreReport | PollReport | TogetherReport | RateReport, problem: str | None
) -> None:
    assert found.problems == ([problem] if problem else [])


def test_a_report_says_where_the_machine_was_too_busy_to_tell() -> None:
    assert "too busy" in report.overhead(OverheadReport((10.0, 20.0), (20.0, 60.0), (5.0, 6.0)))
    assert "too busy" not in report.overhead(OverheadReport((10.0, 20.0), (20.0, 40.0), (5.0, 6.0)))
    assert "too busy" in report.hits(HitReport({("a", "json"): HitTimes([9.0], [4.0], [4.0])}))
    assert "too busy" not in report.hits(HitReport({("a", "json"): HitTimes([7.0], [4.0], [4.0])}))
    processor = {"before": [1.0], "now": [1.0]}
    assert "too busy" in report.rates(RateReport({"before": [1.0] * 3, "now": [1.0, 1.1, 1.2]}, processor))
    assert "too busy" not in report.rates(RateReport({"before": [1.0] * 3, "now": [0.9, 1.0, 1.0]}, processor))
    polls = PollCounts(Counter({200: 5}), [0.1])
    few, enough = ([[outcome(1.0)] * number] for number in (19, 20))
    assert "too busy" in report.polls(PollReport(1, 1, enough, few, polls, 1.0))
    assert "too busy" not in report.polls(PollReport(1, 1, enough, enough, polls, 1.0))
