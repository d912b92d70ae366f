"""Faults under a service of several pods, one after the other, while clients use it by each of its doors."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chaos.fleet import fleet_faults
from chaos.fleet.clients import FleetClients, SpokenFile
from chaos.fleet.fleet_faults import FAULTS, Disturbed
from chaos.fleet.fleet_service import NAME, FleetService, serving
from chaos.fleet.ledger import ClientLedger, InjectedFault, unexplained
from chaos.jobs.pod_faults import MODELS
from chaos.jobs.pod_service import SECONDS, TRANSCRIPTIONS, transcribed
from testbed.inputs import recordings
from tests.support import plain_http, real_cluster
from tests.support.services import mirrored_model, patch
from tests.support.waiting import eventually
from whisper_runtime.contract.metric_names import FRONT_HELD_REQUESTS_METRIC, FRONT_SPOOL_BYTES_METRIC

PAUSES: Final = (1.0, 6.0)
"""Seconds between the end of one fault and the next."""
PAGE: Final = 100


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


def run(directory: Path, faults: int, minutes: float, seed: int) -> FleetReport:
    """So many faults, or as many as begin within so many minutes; fewer where one finds a problem."""
    report = FleetReport(seed)
    with real_cluster.fresh_namespace(real_cluster.running()) as kubectl, serving(kubectl, directory) as service:
        clients = FleetClients(service.url, _learned(service), seed, report.ledger)
        began = time.monotonic()
        with clients.running():
            _disturb(Disturbed(service, clients, random.Random(seed)), report, faults, began + 60 * minutes)
        report.seconds = time.monotonic() - began
        try:
            _check_at_rest(service, clients, report)
        except Exception as error:  # likewise
            report.problems.append(f"at rest: {error!r}")
    report.problems += report.ledger.problems
    report.problems += [f"broke by no fault: {one}" for one in unexplained(report.ledger.broken, report.faults)]
    return report


def _disturb(disturbed: Disturbed, report: FleetReport, faults: int, ends: float) -> None:
    for name in fleet_faults.plan(faults, disturbed.chooser):
        time.sleep(disturbed.chooser.uniform(*PAUSES))
        if report.ledger.problems or time.monotonic() > ends:
            return
        fault, began = FAULTS[name], time.monotonic()
        try:
            fault.inject(disturbed)
        except Exception as error:  # what was found so far is worth its report
            report.problems.append(f"{name}: {error!r}")
            return
        finally:
            report.faults.append(InjectedFault(name, fault.breaks, began, time.monotonic()))
        print(f"{time.strftime('%X')} {len(report.faults)}: {name}; {dict(report.ledger.answered)}", flush=True)


def _learned(service: FleetService) -> list[SpokenFile]:
    """Recordings, with what each of the models makes of them while nothing is done to it."""
    folder = recordings.ensure()
    paths = [*sorted((folder / "librivox").glob("*.wav")), folder / "jfk.wav"]
    found = [SpokenFile(path.stem, path.read_bytes()) for path in paths]
    for model in (*MODELS[1:], MODELS[0]):
        patch(service.kubectl, NAME, {"model": mirrored_model(model)})
        service.wait_ready()
        eventually(f"{model} serves", lambda model=model: service.kubectl.settled_status(NAME) is not None, SECONDS)
        for file in found:
            file.texts[model] = transcribed(service.url, file.audio)
    assert len({text for file in found for text in file.texts.values()}) >= len(found)
    return found


def _check_at_rest(service: FleetService, clients: FleetClients, report: FleetReport) -> None:
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
    eventually("nothing is left in the bucket", lambda: not service.objects(), SECONDS)
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
