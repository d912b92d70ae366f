"""Faults under a service of several pods, its store and its bucket, while clients use it by each of its doors."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Final

from chaos.fleet import fleet_faults
from chaos.fleet.clients import FleetClients, SpokenFile
from chaos.fleet.fleet_faults import FAULTS, PARTS, Disturbed, PlannedFault
from chaos.fleet.fleet_service import NAME, FleetService, serving
from chaos.fleet.ledger import ClientLedger, InjectedFault, unexplained
from chaos.jobs.pod_faults import MODELS
from chaos.jobs.pod_service import SECONDS, TRANSCRIPTIONS, transcribed
from testbed.inputs import recordings
from tests.support import plain_http, real_cluster
from tests.support.services import mirrored_model, patch
from tests.support.waiting import eventually
from whisper_runtime.contract.metric_names import FRONT_HELD_REQUESTS_METRIC, FRONT_SPOOL_BYTES_METRIC

PAUSE_SECONDS: Final = 3.0
"""The least between the end of one fault and the next of the same part."""
LATEST: Final = 1.25
"""Times of the minutes, after which a slow machine begins with no further fault."""
PAGE: Final = 100
AT_ONCE: Final = 4
"""Recordings that are transcribed to learn what is said in them."""


@dataclass
class FleetReport:
    seed: int
    faults: list[InjectedFault] = field(default_factory=list[InjectedFault])
    ledger: ClientLedger = field(default_factory=ClientLedger)
    attempts: Counter[int] = field(default_factory=Counter[int])
    """Jobs by how often they were begun with."""
    seconds: float = 0.0
    """From the first request to the last answer."""
    problems: list[str] = field(default_factory=list[str])
    swept: int = 0
    """Objects that killed pods had left in the bucket."""

    @property
    def found_wrong(self) -> bool:
        """Whether anything was not as it should be, so that no further fault is done."""
        return bool(self.problems or self.ledger.problems)


def run(directory: Path, faults: int, minutes: float, seed: int) -> FleetReport:
    """So many faults, spread over so many minutes of use; fewer where one finds a problem, or on a slow machine."""
    report = FleetReport(seed)
    with real_cluster.fresh_namespace(real_cluster.running()) as kubectl, serving(kubectl, directory) as service:
        clients = FleetClients(service.url, _learned(service), seed, report.ledger)
        began = time.monotonic()
        with clients.running():
            planned = fleet_faults.plan(faults, 60 * minutes, random.Random(seed))
            with ThreadPoolExecutor() as pool:
                disturbing: list[Future[None]] = []
                for part in PARTS:
                    disturbed = Disturbed(service, clients, random.Random(f"{seed} {part}"))
                    ours = [one for one in planned if FAULTS[one.name].part == part]
                    until = began + 60 * minutes * LATEST
                    disturbing.append(pool.submit(_disturb, disturbed, report, ours, began, until))
            for one in disturbing:
                one.result()
            _wait_until(began + 60 * minutes, report)
        report.seconds = time.monotonic() - began
        try:
            _check_at_rest(service, clients, report, directory)
        except Exception as error:  # likewise
            report.problems.append(f"at rest: {error!r}")
    report.problems += report.ledger.problems
    report.problems += [f"broke by no fault: {one}" for one in unexplained(report.ledger.broken, report.faults)]
    return report


def _disturb(
    disturbed: Disturbed, report: FleetReport, planned: Sequence[PlannedFault], start: float, ends: float
) -> None:
    """One after the other, those that are late after a pause; none begins later than `ends`."""
    for one in planned:
        _wait_until(max(start + one.due, time.monotonic() + PAUSE_SECONDS), report)
        if report.found_wrong or time.monotonic() > ends:
            return
        fault, began = FAULTS[one.name], time.monotonic()
        try:
            fault.inject(disturbed)
        except Exception as error:  # what was found so far is worth its report
            report.problems.append(f"{one.name}: {error!r}")
            return
        finally:
            report.faults.append(InjectedFault(one.name, fault.breaks, began, time.monotonic()))
        print(f"{time.strftime('%X')} {len(report.faults)}: {one.name}; {dict(report.ledger.answered)}", flush=True)


def _wait_until(due: float, report: FleetReport) -> None:
    while time.monotonic() < due and not report.found_wrong:
        time.sleep(0.1)


def _learned(service: FleetService) -> list[SpokenFile]:
    """Recordings, with what each of the models makes of them while nothing is done to it."""
    folder = recordings.ensure()
    paths = [*sorted((folder / "librivox").glob("*.wav")), folder / "jfk.wav"]
    found = [SpokenFile(path.stem, path.read_bytes()) for path in paths]
    for model in (*MODELS[1:], MODELS[0]):
        patch(service.kubectl, NAME, {"model": mirrored_model(model)})
        service.wait_ready()
        eventually(f"{model} serves", lambda model=model: service.kubectl.settled_status(NAME) is not None, SECONDS)
        with ThreadPoolExecutor(AT_ONCE) as clients:
            texts = clients.map(transcribed, repeat(service.url), (file.audio for file in found))
        for file, text in zip(found, texts, strict=True):
            file.texts[model] = text
    assert len({text for file in found for text in file.texts.values()}) >= len(found)
    return found


def _check_at_rest(service: FleetService, clients: FleetClients, report: FleetReport, directory: Path) -> None:
    """Raises AssertionError where a job is not as it was accepted, or anything is left of one that was deleted."""
    service.wait_ready()
    found = _jobs(clients)
    lost, unknown = clients.jobs.keys() - found.keys(), found.keys() - clients.jobs.keys()
    assert not lost, f"{len(lost)} of {len(clients.jobs)} accepted jobs are lost: {sorted(lost)}"
    assert not unknown, f"jobs that nobody was told of: {sorted(unknown)}"
    for job_id, job in found.items():
        assert job["status"] == "completed", job
        report.attempts[int(str(job["attempts"]))] += 1
        text = clients.get(f"{TRANSCRIPTIONS}/{job_id}/content").json()["text"]
        assert text == clients.jobs[job_id].texts[str(job["model"])], f"{job_id} has another text now"
        plain_http.delete(f"{service.url}{TRANSCRIPTIONS}/{job_id}", timeout=60).raise_for_status()
    report.swept = len(service.objects())
    service.sweep(directory)
    left = service.objects()
    assert not left, f"nobody needs, and nobody deletes: {left}"
    for metric in (FRONT_HELD_REQUESTS_METRIC, FRONT_SPOOL_BYTES_METRIC):
        assert service.measured("front", metric) == 0, metric
    primary, prefix = service.store.primary(), f"whisper:{{{service.kubectl.namespace}/{NAME}}}:"
    for name in ("jobs:queue", "jobs:waiting", "jobs:leases"):
        assert primary.ask("ZCARD", f"{prefix}{name}") == 0, name


def _jobs(clients: FleetClients) -> dict[str, dict[str, object]]:
    """All that there are, by id."""
    found: dict[str, dict[str, object]] = {}
    after = ""
    while True:
        page = clients.get(f"{TRANSCRIPTIONS}?limit={PAGE}{after}").json()
        found |= {job["id"]: job for job in page["data"]}
        if not page["has_more"]:
            return found
        after = f"&after={page['data'][-1]['id']}"
