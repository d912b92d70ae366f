"""Two fetches of one file on one volume: one works, the other waits; who dies does not block the next."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mirror import Mirror, stalling, whole
from tests.runtime.fetch.conftest import digest, fetched
from whisper_runtime.fetch import lock as locks
from whisper_runtime.fetch.lock import Lock


def fetch_in_a_process(cache: str, url: str, sha256: str, reports: Any) -> None:
    reports.put(fetched(Path(cache), url, sha256).reason)


def test_two_fetches_at_once_download_once(mirror: Mirror, cache: Path) -> None:
    begun = threading.Event()

    def slow(asked: Any) -> None:
        begun.set()
        asked.mirror.over.wait(0.4)
        whole(asked)

    mirror.answers = [slow]
    context = multiprocessing.get_context("spawn")
    reports = context.Queue()
    arguments = (str(cache), mirror.url, digest(mirror.content), reports)
    processes = [context.Process(target=fetch_in_a_process, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    found = sorted(reports.get(timeout=120) for _ in processes)
    for process in processes:
        process.join()
    assert found == ["AlreadyCached", "Fetched"]
    assert len(mirror.asked) == 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(locks, "STALE_SECONDS", 0.5)
    monkeypatch.setattr(locks, "SETTLE_SECONDS", 0.05)
    monkeypatch.setattr(locks, "LOOK_SECONDS", 0.05)


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    with lock.held():
        assert lock.is_held()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_one_that_no_longer_beats_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("another-pod 1 abc")
    waited: list[None] = []
    with Lock(tmp_path / "lock").held(lambda: waited.append(None)):
        assert "another-pod" not in (tmp_path / "lock").read_text()
    assert len(waited) > 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_one_that_beats_is_waited_for(tmp_path: Path) -> None:
    """Longer than STALE_SECONDS, for the other owner is alive."""
    lock, over, got = tmp_path / "lock", threading.Event(), threading.Event()
    lock.write_text("another-pod 1 abc")

    def another_pod() -> None:
        for _ in range(40):
            over.wait(0.05)
            lock.touch()
        lock.unlink()

    def wait() -> None:
        with Lock(lock).held():
            got.set()

    threads = [threading.Thread(target=another_pod), threading.Thread(target=wait)]
    for thread in threads:
        thread.start()
    threads[0].join()
    threads[1].join()
    assert got.is_set()


def test_this_containers_last_process_is_known_to_be_dead(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(Lock(tmp_path / "lock")._owner)  # pyright: ignore[reportPrivateUsage]
    with Lock(tmp_path / "lock").held():  # at once: no beat is awaited
        pass


@pytest.mark.usefixtures("quick")
def test_who_has_lost_it_leaves_it_to_the_other(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    with lock.held():
        (tmp_path / "lock").write_text("another-pod 1 abc")
        assert not lock.is_held()
    assert (tmp_path / "lock").read_text() == "another-pod 1 abc"


def test_what_an_ended_fetch_leaves_is_only_a_piece(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [stalling(0.5)]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "DownloadFailed"
    assert [file.name for file in cache.iterdir()] == [f".mine-{digest(mirror.content)[:12]}.pt.partial"]
