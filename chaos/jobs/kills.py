"""Rounds in each of which the server is killed at another write of its store, with jobs of all kinds under way."""

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
MOST_WRITES: Final[dict[StoreKind, int]] = {"directory": 165, "valkey": 60}
"""Some more than a round has."""
STEP: Final = 89
"""From one round's write to the next one's: so the first rounds are of all parts of a round already."""


@dataclass
class KillReport:
    """What the rounds of one store came to."""

    store: StoreKind
    killed_at: Counter[str] = field(default_factory=Counter[str])
    """How often, by the write that had just been made."""
    undisturbed: int = 0
    """Rounds that were over before their write; they are checked as well."""
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Of jobs, batches and lines that were accepted, by what they were and how they ended."""
    seconds: float = 0.0
    problem: str | None = None
    """What was not as it should be, in the last round."""

    @property
    def rounds(self) -> int:
        return self.killed_at.total()


def run(store: StoreKind, directory: Path, rounds: int, minutes: float) -> KillReport:
    """So many rounds, or as many as begin within so many minutes; fewer where one finds a problem."""
    report, began, write = KillReport(store), time.monotonic(), 0
    with _servers(store, directory) as (servers, check_at_rest):
        while report.rounds < rounds and report.seconds < 60 * minutes and not report.problem:
            write = (write + STEP) % MOST_WRITES[store]
            try:
                _round(servers, report, 1 + write, check_at_rest)
            except Exception as error:  # a server that ends by itself breaks a request off, say
                report.problem = f"killed at {servers.killed_at}, write {1 + write}: {error!r}"
            report.seconds = time.monotonic() - began
            print(f"{time.strftime('%X')} {store} {report.rounds}: {servers.killed_at}", flush=True)
    return report


def _round(servers: KilledServers, report: KillReport, write: int, check_at_rest: Callable[[], None]) -> None:
    """Raises AssertionError."""
    receiver = servers.receiver.url.replace("127.0.0.1", "localhost")
    jobs, files = AcceptedJobs(receiver), AcceptedBatches(receiver)
    servers.start(write)
    try:
        eventually("the server is up, or dead", lambda: servers.is_up() or not servers.is_alive, SECONDS)
        batches.begin_round(servers.client, files)
        single.one_round(servers.client, jobs, write, KINDS)
        batches.end_round(servers.client, files)
    except httpx.TransportError:
        pass
    is_killed = servers.end() != 0
    servers.start(0)
    eventually("the server is up again", servers.is_up, SECONDS)
    outcomes = single.check(servers.client, jobs, servers.receiver, write)
    outcomes += batches.check(servers.client, files, servers.receiver, write)
    batches.clear(servers.client)
    single.clear(servers.client)
    assert servers.end() == 0
    check_at_rest()
    report.outcomes += outcomes
    if is_killed:
        report.killed_at[servers.killed_at] += 1
    else:
        report.undisturbed += 1


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
