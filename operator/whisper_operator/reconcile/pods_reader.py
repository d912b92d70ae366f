"""Asks a service's pods for all that they alone know: fetches, demand, speed, jobs, and the store that they share."""

from __future__ import annotations

from dataclasses import replace

from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.objects import names
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.demand import DemandReader
from whisper_operator.reconcile.fetch_progress import ProgressReader
from whisper_operator.reconcile.job_reports import job_reports, job_reports_at_once, keeper
from whisper_operator.reconcile.load_reports import load_reports
from whisper_operator.reconcile.pod_reports import ready_pods
from whisper_operator.reconcile.store_reports import pods_to_ask, store_reports
from whisper_operator.resolve import prefetch, zero


class PodsReader:
    def __init__(self, demand: DemandReader) -> None:
        """`demand`: reads the fronts."""
        self._demand = demand
        self._progress = ProgressReader()
        self._jobs = job_reports()
        self._jobs_at_once = job_reports_at_once()
        self._loads = load_reports()
        self._stores = store_reports()

    async def with_reports(self, key: Key, service: WhisperService, observed: Observed) -> Facts:
        """The facts of `observed` with what its pods report; a pod that does not answer leaves its part out."""
        facts = observed.facts
        if asked := pods_to_ask(service, observed):
            facts = replace(facts, store_reports=await self._stores.read_all(asked))
        if fetcher := prefetch.running_pod(service, observed):
            facts = replace(facts, progress=await self._progress.read(fetcher))
        if zero.scales_to_zero(service.spec):
            facts = replace(facts, demand=await self._demand.read(key, ready_pods(observed, names.FRONT)))
            if serving := ready_pods(observed, names.SERVER):
                facts = replace(facts, load=await self._loads.read(serving[0]))
        if pod := keeper(service, observed):
            reports = self._jobs_at_once if zero.scales_to_zero(service.spec) else self._jobs
            facts = replace(facts, jobs=await reports.read(pod))
        return facts
