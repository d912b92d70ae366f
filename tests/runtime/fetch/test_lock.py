"""Two fetches of one file on one volume: one works, the other waits; a dead owner blocks nobody for long."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from pathlib import Path
from typing import Any

from tests.fakes.mirror import Mirror, MirrorRequest, whole
from tests.runtime.fetch.conftest import digest
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.fetch.download import RetryPolicy
from whisper_runtime.fetch.fetch import fetch
from whisper_runtime.fetch.lock import FileLock, LockTimes
from whisper_runtime.fetch.progress import ProgressTracker

PATIENT = RetryPolicy(stall_seconds=120.0)
"""A second process may take long to start."""
TIMES = LockTimes(heartbeat=0.05, stale=0.5, settle=0.05, poll=0.05)


class WaitingTracker(ProgressTracker):
    """Sets an event when a waiting fetch follows the other's download."""

    def __init__(self, waits: Any) -> None:
        super().__init__("mine")
        self._waits = waits

    def advance(self, done: int) -> None:
        super().advance(done)
        self._waits.set()


def fetch_in_a_process(config: RuntimeConfig, waits: Any, reports: Any) -> None:
    reports.put(fetch(config, WaitingTracker(waits), PATIENT).reason)


def test_two_fetches_at_once_download_once(mirror: Mirror, cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    reports, waits = context.Queue(), context.Event()

    def once_the_other_waits(request: MirrorRequest) -> None:
        waits.wait(PATIENT.stall_seconds)
        whole(request)

    mirror.answers = [once_the_other_waits]
    config = RuntimeConfig(
        model="mine", model_dir=str(cache), model_url=mirror.url, model_sha256=digest(mirror.content)
    )
    processes = [context.Process(target=fetch_in_a_process, args=(config, waits, reports)) for _ in range(2)]
    for process in processes:
        process.start()
    found = sorted(reports.get(timeout=120) for _ in processes)
    for process in processes:
        process.join()
    assert found == ["AlreadyCached", "Fetched"]
    assert len(mirror.requests) == 1


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with lock.held():
        assert lock.is_held()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_no_longer_beats_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("another-pod 1 abc")
    polls: list[None] = []
    with FileLock(tmp_path / "lock", TIMES).held(lambda: polls.append(None)):
        assert "another-pod" not in (tmp_path / "lock").read_text()
    assert len(polls) > 1
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_beats_is_waited_for(tmp_path: Path) -> None:
    """Longer than it takes for a lock to be stale, because the other owner is alive."""
    lock = tmp_path / "lock"
    lock.write_text("another-pod 1 abc")
    started = time.monotonic()

    def another_pod() -> None:
        if time.monotonic() - started < 4 * TIMES.stale:
            lock.touch()
        else:
            lock.unlink()

    with FileLock(lock, TIMES).held(on_wait=another_pod):
        assert time.monotonic() - started >= 4 * TIMES.stale


def test_an_owner_beats(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with FileLock(lock, TIMES).held():
        first = lock.stat().st_mtime_ns
        ends = time.monotonic() + 30
        while lock.stat().st_mtime_ns == first and time.monotonic() < ends:
            time.sleep(TIMES.poll)
        assert lock.stat().st_mtime_ns > first


def test_this_containers_previous_process_is_known_to_be_dead(tmp_path: Path) -> None:
    """A restarted container has the same host name, and its only process the same number."""
    (tmp_path / "lock").write_text(f"{socket.gethostname()} {os.getpid()} abc")
    polls: list[None] = []
    with FileLock(tmp_path / "lock").held(lambda: polls.append(None)):
        assert polls == []


def test_a_lost_lock_is_left_to_its_new_owner(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock", TIMES)
    with lock.held():
        (tmp_path / "lock").write_text("another-pod 1 abc")
        assert not lock.is_held()
    assert (tmp_path / "lock").read_text() == "another-pod 1 abc"
