"""Rounds in each of which the server is killed at a further write of its store, with jobs of all kinds under way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

import httpx

from chaos.jobs import at_rest, batches, single
from chaos.jobs.batches import AcceptedBatches
from chaos.jobs.single import KINDS, AcceptedJobs
from testbed import store_server
from tests.support.killed_servers import KilledServers, killed_servers
from tests.support.waiting import eventually
from whisper_runtime.service.shared.program_call import service_key

StoreKind = Literal["directory", "valkey"]
STORES: Final[tuple[StoreKind, ...]] = get_args(StoreKind)
PREFIX: Final = "team/speech"
SECONDS: Final = 180
"""The longest that a server's start takes."""


@dataclass
class KillReport:
    """What the rounds of one store came to."""

    store: StoreKind
    killed_at: Counter[str] = field(default_factory=Counter[str])
    """How often, by the write that had just been made."""
    most_writes: int = 0
    """Writes of a round that came to its end."""
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Of jobs, batches and lines that were accepted, by what they were and how they ended."""
    seconds: float = 0.0
    problem: str | None = None
    """What was not as it should be, in the last round."""

    @property
    def rounds(self) -> int:
        return self.killed_at.total()


def run(store: StoreKind, directory: Path, rounds: int) -> KillReport:
    """So many rounds; fewer where one finds a problem."""
    report, began, write = KillReport(store), time.monotonic(), 0
    with _servers(store, directory) as (servers, check_at_rest):
        while report.rounds < rounds and not report.problem:
            write += 1
            try:
                if not _round(servers, report, write, check_at_rest):
                    report.most_writes, write = max(report.most_writes, write - 1), 0
            except AssertionError as error:
                report.problem = f"killed at {servers.killed_at}, write {write}: {error}"
            report.seconds = time.monotonic() - began
            print(f"{time.strftime('%X')} {store} {report.rounds}: {servers.killed_at}", flush=True)
    return report


def _round(servers: KilledServers, report: KillReport, write: int, check_at_rest: Callable[[], None]) -> bool:
    """Whether the server was killed: there were so many writes. Raises AssertionError."""
    receiver = servers.receiver.url.replace("127.0.0.1", "localhost")
    jobs, files = AcceptedJobs(receiver), AcceptedBatches(receiver)
    has_batches = report.store == "directory"
    servers.start(write)
    try:
        eventually("the server is up, or dead", lambda: servers.is_up() or not servers.is_alive, SECONDS)
        if has_batches:
            batches.begin_round(servers.client, files)
        single.one_round(servers.client, jobs, write, KINDS)
        if has_batches:
            batches.end_round(servers.client, files)
    except httpx.TransportError:
        pass
    is_killed = servers.end() != 0
    servers.start(0)
    eventually("the server is up again", servers.is_up, SECONDS)
    outcomes = single.check(servers.client, jobs, servers.receiver, write)
    if has_batches:
        outcomes += batches.check(servers.client, files, servers.receiver, write)
        batches.clear(servers.client)
    single.clear(servers.client)
    assert servers.end() == 0
    check_at_rest()
    if is_killed:
        report.outcomes += outcomes
        report.killed_at[servers.killed_at] += 1
    return is_killed


@contextmanager
def _servers(store: StoreKind, directory: Path) -> Generator[tuple[KilledServers, Callable[[], None]]]:
    """The servers, and what checks that their store is at rest."""
    if store == "directory":
        with killed_servers(directory) as servers:
            yield servers, lambda: at_rest.check_directory(directory / "jobs")
        return
    with store_server.running("valkey", directory / "server") as server:
        (directory / "url").write_text(server.url)
        where = {"jobs_store": "redis", "redis_url_file": str(directory / "url"), "redis_prefix": PREFIX}
        with killed_servers(directory, **where) as servers:
            yield servers, lambda: at_rest.check_shared(server, service_key(PREFIX, ""))
