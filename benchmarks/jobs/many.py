"""A store with many finished jobs beside an empty one: submit, status, list, and the memory of both processes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.jobs.clients import PATH, JobClient, by_turns, paced_server
from benchmarks.jobs.kept_jobs import multiply

GOAL: Final = 2.0
FLAT_MIB: Final = 16.0
WORK_SECONDS: Final = 0.01
EMPTY: Final = "empty"
FULL: Final = "full"


@dataclass
class StoreReport:
    finished: int
    by_request: dict[str, dict[str, list[float]]] = field(default_factory=dict[str, dict[str, list[float]]])
    """The median of each round in ms, by request and by store."""
    memory: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """MiB at the beginning and after each round, by store."""

    def ratio(self, request: str) -> float:
        """With many jobs, by without."""
        found = self.by_request[request]
        return statistics.median(found[FULL]) / statistics.median(found[EMPTY])

    def growth(self, store: str) -> float:
        """MiB from the first round to the last."""
        return self.memory[store][-1] - self.memory[store][1]

    @property
    def problems(self) -> list[str]:
        slow = [f"{one} takes {self.ratio(one):.1f} x" for one in self.by_request if self.ratio(one) > GOAL]
        grown = [f"memory grew by {self.growth(one):.0f} MiB" for one in self.memory if self.growth(one) > FLAT_MIB]
        return slow + grown


def run(work: Path, clip: bytes, rounds: int, requests: int, finished: int) -> StoreReport:
    """Sends each request to both servers by turns, so many of it in each round."""
    report = StoreReport(finished)
    _fill(work / FULL, clip, finished)
    with paced_server(work / EMPTY, clip, WORK_SECONDS) as empty, paced_server(work / FULL, clip, WORK_SECONDS) as full:
        clients = {EMPTY: empty, FULL: full}
        report.memory = {store: [client.process.usage.memory_mib] for store, client in clients.items()}
        jobs = {store: client.submit() for store, client in clients.items()}
        for _ in range(rounds):
            for name, send in _requests(jobs).items():
                medians = by_turns(requests, lambda send=send: send(EMPTY, empty), lambda send=send: send(FULL, full))
                found = report.by_request.setdefault(name, {EMPTY: [], FULL: []})
                for (store, client), median in zip(clients.items(), medians, strict=True):
                    found[store].append(median)
                    client.wait_until_at_rest()
            for store, client in clients.items():
                report.memory[store].append(client.process.usage.memory_mib)
    return report


def _requests(jobs: Mapping[str, str]) -> dict[str, Callable[[str, JobClient], object]]:
    """Each request by its name; it takes the store and its client. `jobs`: the path of a job in each store."""
    return {
        "submit": lambda _, client: client.submit(),
        "status": lambda store, client: client.get(jobs[store]),
        "list, the newest 20": lambda _, client: client.get(PATH),
        "list, 20 in a state": lambda _, client: client.get(PATH, status="completed"),
    }


def _fill(directory: Path, clip: bytes, finished: int) -> None:
    """Makes a store of so many finished jobs, all of one client."""
    with paced_server(directory, clip, WORK_SECONDS) as client:
        job = client.submit()
        while client.get(job, wait=20)["status"] != "completed":
            pass
    multiply(directory, job.rpartition("/")[2], finished - 1)
