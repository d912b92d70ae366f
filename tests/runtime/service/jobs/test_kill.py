"""Whatever write the server dies at, each job that it has accepted ends once, with the right text, and says so."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chaos.jobs.single import (
    KINDS,
    SECONDS,
    TRANSCRIPTIONS,
    AcceptedJobs,
    check,
    clear,
    listed,
    one_round,
    status,
    submit,
)
from tests.fakes.killed_process import ENDLESS
from tests.support.killed_servers import KilledServers, killed_servers
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

MOST_WRITES = 200
"""A round has fewer."""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[KilledServers]:
    with killed_servers(tmp_path) as servers:
        yield servers


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.long), 7], ids=["every write", "some writes"])
def test_a_server_that_dies_at_any_write_loses_no_job(processes: KilledServers, tmp_path: Path, step: int) -> None:
    for number in range(1, MOST_WRITES, step):
        accepted = AcceptedJobs(processes.receiver.url.replace("127.0.0.1", "localhost"))
        processes.start(number)
        try:
            eventually("the server is up, or dead", lambda: processes.is_up() or not processes.is_alive, SECONDS)
            one_round(processes.client, accepted, number, KINDS)
        except httpx.TransportError:
            pass
        if (signal_ := processes.end()) == 0:
            break
        assert signal_ == signal.SIGKILL
        processes.start(0)
        eventually("the server is up again", processes.is_up, SECONDS)
        check(processes.client, accepted, processes.receiver, number)
        clear(processes.client)
        assert list((tmp_path / "jobs" / "files").iterdir()) == [], number
        assert processes.end() == 0
    assert len(processes.ended) > 40 / step  # up to the last write of the round
    assert processes.ended[-1] == 0


def test_a_server_that_is_stopped_hands_its_jobs_back(processes: KilledServers) -> None:
    """Within no time: neither does it wait for them, nor the next one for the end of their leases."""
    processes.start(0)
    eventually("the server is up", processes.is_up, SECONDS)
    job_id = submit(processes.client, AcceptedJobs(""), "read", ENDLESS)
    eventually("the job is begun with", lambda: status(processes.client, job_id) == "in_progress", SECONDS)
    assert processes.end() == 0
    processes.start(0)
    eventually("the server is up again", processes.is_up, SECONDS)
    eventually("the job is begun with again", lambda: status(processes.client, job_id) == "in_progress", SECONDS)
    (job,) = listed(processes.client)
    assert job["attempts"] == 1
    processes.client.delete(f"{TRANSCRIPTIONS}/{job_id}")
    assert processes.end() == 0
