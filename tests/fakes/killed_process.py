"""Runtime processes without a model that keep jobs and die at a write: python -m tests.fakes.killed_process.

For each number on standard input it runs one process, which kills itself once its store has written so many times, and
says which write that was; 0: it lives until SIGTERM. Processes are forked from this one, which has imported everything:
a start takes no seconds.

After one that was killed the stores' clock is ahead by the time of a lease, so that all of its leases have run out.
They are as long as ever: shorter ones run out by themselves on a busy machine, where to commit takes longer than they
last, and a job fails whose lease was lost three times.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, Final

from tests.fakes.batches import fake_batches
from tests.fakes.engine import MULTILINGUAL, SEGMENT, FakeEngine, fake_decode, fake_decode_channels
from tests.fakes.jobs import FAKE_CODEC
from whisper_runtime import logs
from whisper_runtime.contract.config import RuntimeConfig, env_name
from whisper_runtime.engine.interface import OnBegun, OnSegments, Samples
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.process.servers import serve
from whisper_runtime.service.audio_loading import MediaDecoder
from whisper_runtime.service.batches import line_jobs, runner
from whisper_runtime.service.jobs import open as opening
from whisper_runtime.service.jobs import renewal, shared_verbs, sqlite_outbox, sqlite_store
from whisper_runtime.service.jobs.store import LEASE_SECONDS
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.parts import parts_of

WINDOWS: Final = 2
WINDOW_SECONDS: Final = 0.05
ENDLESS: Final = 1000.0
"""A recording that is as long is never done."""
KILLED_AT: Final = "killed at "
"""What a process prints that is about to die begins with it."""
FOUND_NOTHING: Final[dict[str, tuple[list[Any], ...]]] = {
    "claim": ([0, [], []],),
    "claim_event": ([],),
    "claim_batch": ([],),
    "expire": ([[]],),
    "expire_files": ([],),
    "forget_batches": ([],),
}
"""Answers of writing verbs in a shared store that have written nothing."""
READING: Final = frozenset(
    {"placed", "audio", "check", "check_quota", "find", "get", "latest_event", "made_by", "needs", "page", "result"}
    | {"statistics", "try", "with_key", "answered", "batch", "batch_page", "check_room", "file", "file_page"}
    | {"file_texts", "live_batches", "look", "open_file"}
)
"""Verbs that write nothing."""


class TellingEngine(FakeEngine):
    """Its text is the length of the recording, which it takes two windows for."""

    def submit(
        self,
        samples: Samples,
        options: Options,
        on_segments: OnSegments | None = None,
        *,
        on_begun: OnBegun | None = None,
        **_: object,
    ) -> Future[Transcription]:
        future: Future[Transcription] = Future()
        work = (len(samples) / 16_000, on_segments, on_begun, future)
        threading.Thread(target=self._transcribe, args=work, daemon=True).start()
        return future

    def _transcribe(
        self,
        seconds: float,
        on_segments: OnSegments | None,
        on_begun: OnBegun | None,
        future: Future[Transcription],
    ) -> None:
        assert on_begun is not None
        assert on_segments is not None
        on_begun()
        for _ in range(WINDOWS):
            time.sleep(WINDOW_SECONDS if seconds < ENDLESS else 1e6)
            on_segments([SEGMENT])
        segments = (replace(SEGMENT, text=f" {seconds} s"),)
        with suppress(InvalidStateError):  # it was cancelled meanwhile
            future.set_result(Transcription(f" {seconds} s", "en", seconds, segments))


def main(seconds_ahead: float) -> int:
    """One process, with the configuration of the environment, whose stores are so many seconds ahead of the clock."""

    def clock() -> float:
        return time.time() + seconds_ahead

    config = RuntimeConfig.from_env(os.environ)
    logs.configure(config.log_level, config.log_format)
    engine = TellingEngine()
    engine.free_rows = 2
    parts = parts_of(
        config,
        engine,
        MediaDecoder(fake_decode, fake_decode_channels),
        ServedModel(config, MULTILINGUAL),
        Metrics("base"),
    )
    vars(opening)["SqliteJobStore"] = partial(sqlite_store.SqliteJobStore, clock=clock)
    vars(opening)["SqliteOutbox"] = partial(sqlite_outbox.SqliteOutbox, clock=clock)
    vars(shared_verbs)["SharedVerbs"] = partial(shared_verbs.SharedVerbs, clock=clock)
    vars(renewal).update({"RENEW_SECONDS": 0.4, "PROGRESS_SECONDS": 0.0})
    vars(runner).update({"RENEW_SECONDS": 0.4, "LOOK_SECONDS": 0.05})
    vars(line_jobs).update({"LOOK_SECONDS": 0.05, "PAUSE_SECONDS": 0.05})
    jobs = opening.open_jobs(config.jobs_dir, parts, FAKE_CODEC)
    directory = Path(config.jobs_dir) if config.jobs_dir else None
    serve(parts, time.monotonic(), jobs, fake_batches(parts, jobs, directory, clock))
    return 0


def die_after(writes: int) -> None:
    """Has this process killed once it has written so many times: synced, renamed or deleted a file, or committed.

    Where its store is a shared one: once that has carried out so many writing verbs.
    """
    numbers = count(1)

    def wrote(what: str) -> None:
        if next(numbers) == writes:
            os.write(1, f"{KILLED_AT}{what}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    if jobs_dir := os.environ.get(env_name("jobs_dir")):
        count_files(jobs_dir, wrote)
    count_commits(wrote)
    count_verbs(wrote)


def count_files(directory: str, wrote: Callable[[str], None]) -> None:
    """Calls `wrote` after each sync, rename and deletion in the directory."""

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(target: Any, *arguments: Any, **keywords: Any) -> Any:
            path = os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else os.fspath(target)
            result = call(target, *arguments, **keywords)
            if path.startswith(directory):
                wrote(f"{name} of {kind_of(path)}")
            return result

        return calling

    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, counted(name, getattr(os, name)))


def kind_of(path: str) -> str:
    """A file's folders and ending; its name is another each time."""
    found = Path(path)
    endings = "".join(one for one in found.suffixes if not one[1:].isdigit())
    begin, dash, _ = found.stem.partition("-")
    name = f"{begin}-*" if dash else "*" if endings else begin
    return f"{'/'.join(found.parent.parts[-2:])}/{name}{endings}"


def count_commits(wrote: Callable[[str], None]) -> None:
    """Calls `wrote` after each transaction of SQLite that has changed anything."""

    class CountedConnection(sqlite3.Connection):
        changes = 0

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            found = super().execute(sql, *parameters)
            if sql == "COMMIT" and self.total_changes != self.changes:
                self.changes = self.total_changes
                wrote(f"commit of {committing(sys._getframe(1))}")
            return found

    sqlite3.connect = partial(sqlite3.connect, factory=CountedConnection)


def committing(frame: FrameType | None) -> str:
    """The method of the store whose transaction ends."""
    while frame and not is_of_a_store(frame.f_code.co_filename):
        frame = frame.f_back
    return frame.f_code.co_qualname if frame else "?"


def is_of_a_store(filename: str) -> bool:
    return "/whisper_runtime/service/" in filename and not filename.endswith("/connection.py")


def count_verbs(wrote: Callable[[str], None]) -> None:
    """Calls `wrote` after each verb of a shared store that has changed anything."""
    calling = shared_verbs.SharedVerbs.call

    async def call(self: shared_verbs.SharedVerbs, verb: str, *arguments: str | bytes | float) -> list[Any]:
        found = await calling(self, verb, *arguments)
        if verb not in READING and found not in FOUND_NOTHING.get(verb, ()):
            wrote(f"the verb {verb}")
        return found

    shared_verbs.SharedVerbs.call = call


def run_one(writes: int, seconds_ahead: float) -> bool:
    """Runs one process to its end, and says how it ended: by which signal, or 0. Returns whether it was killed."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if writes:
            die_after(writes)
        os._exit(main(seconds_ahead))
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.waitstatus_to_exitcode(status), flush=True)
    return os.WIFSIGNALED(status)


if __name__ == "__main__":
    ahead = 0.0
    for line in sys.stdin:
        ahead += LEASE_SECONDS * run_one(int(line), ahead)
