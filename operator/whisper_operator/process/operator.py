"""The operator's process: lists, watches, leads, and reconciles until it is stopped."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from typing import Final

from whisper_operator.kube.client import Cluster
from whisper_operator.kube.credentials import credentials
from whisper_operator.kube.errors import ApiError
from whisper_operator.kube.lease import AlwaysHeld, Leadership, Lease
from whisper_operator.kube.watch_thread import WatchThread
from whisper_operator.objects.kinds import CHILD_KINDS, EVENT, HTTP_ROUTE, POD, WHISPER_SERVICE, Kind
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.listing import fact_kinds
from whisper_operator.observe.route_schema import has_timeouts
from whisper_operator.process import health
from whisper_operator.process.informer import Informer
from whisper_operator.process.namespaces import WatchedNamespaces
from whisper_operator.process.settings import Settings
from whisper_operator.reconcile import worker
from whisper_operator.reconcile.events import Recorder
from whisper_operator.reconcile.queue import Queue
from whisper_operator.reconcile.reconciler import Reconciler
from whisper_operator.telemetry import logs, metrics, queue_metrics
from whisper_operator.telemetry.tracing import SPANS

START_RETRY_SECONDS: Final = 2.0
LISTS_SECONDS: Final = 30.0
"""After which the log says what the start waits for."""
log = logging.getLogger(__name__)


class Operator:
    """The parts of the process, and what they share."""

    def __init__(self, settings: Settings, cluster: Cluster, lease: Leadership) -> None:
        self._settings = settings
        self._cluster = cluster
        self._lease = lease
        self._queue = Queue(queue_metrics.PrometheusQueueMetrics())
        self._cache = ObjectCache(
            whole_cluster=not settings.watch_namespaces, policy=settings.policy, wake=self._queue.add_all
        )
        self._informer = Informer(self._cache, self._queue, settings.service_class)
        self._watches = WatchThread(self._informer, settings.service_class, cluster.configuration)
        self._namespaces = WatchedNamespaces(cluster, settings.watch_namespaces)
        self._kinds: frozenset[Kind] = frozenset()
        self._route_schemas = ""
        """Address of the schemas by which `_has_route_timeouts` is known."""
        self._has_route_timeouts = True
        self._has_synced = False
        recorder = Recorder(cluster, settings.identity)
        self._reconciler = Reconciler(cluster, self._cache, recorder, self._env)

    async def run(self) -> None:
        """Runs until it is cancelled; raises LeaseLost when another replica may lead."""
        settings = self._settings
        conditions = metrics.register(self._cache.services)
        metrics.WATCHES_SILENT.set_function(self._watches.silent_seconds)
        runners = await health.serve(
            settings.host, settings.metrics_port, settings.health_port, self._standstill, self._is_ready
        )
        try:
            self._kinds = await self._served_kinds()
            await self._read_route_schema()
            await self._namespaces.look()
            self._watches.start(self._watched(), self._namespaces.open)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._discover())
                group.create_task(self._sync())
                group.create_task(self._resync())
                group.create_task(self._lead(group))
        finally:
            await self._lease.release()
            await self._watches.stop()
            metrics.unregister(conditions)
            for runner in runners:
                await runner.cleanup()

    def _env(self) -> Installation:
        return Installation(
            runtime_image=self._settings.runtime_image,
            kinds=self._kinds,
            has_route_timeouts=self._has_route_timeouts,
            fs_group=self._settings.fs_group,
            cluster_networks=self._settings.cluster_networks,
            policy=self._settings.policy,
            defaults=self._settings.defaults,
        )

    def _watched(self) -> frozenset[Kind]:
        facts = fact_kinds(self._kinds, whole_cluster=not self._settings.watch_namespaces)
        return frozenset({WHISPER_SERVICE, POD, EVENT, *facts, *self._kinds.intersection(CHILD_KINDS)})

    def _is_ready(self) -> bool:
        return self._has_synced and self._watches.is_watching

    def _standstill(self) -> str | None:
        """Names the part that stands still; None where none does."""
        limit = self._settings.standstill_seconds
        if self._watches.silent_seconds() > limit:
            return "the watches stand still"
        if self._queue.stuck_seconds() > limit:
            return "the queue stands still"
        return None

    async def _served_kinds(self) -> frozenset[Kind]:
        """The kinds that the cluster serves, as soon as the API server answers: an outage delays the start."""
        while True:
            try:
                return await self._cluster.served_kinds()
            except ApiError as error:
                log.warning("not started yet: %s", error)
            await asyncio.sleep(START_RETRY_SECONDS)

    async def _read_route_schema(self) -> bool:
        """Looks which fields an HTTPRoute has; returns whether others than before."""
        if HTTP_ROUTE not in self._kinds:
            return False
        try:
            self._route_schemas, schemas = await self._cluster.schemas(HTTP_ROUTE.api_version, self._route_schemas)
        except ApiError as error:
            log.debug("the schema of HTTPRoute could not be read: %s", error)
            return False
        if schemas is None:
            return False
        before, self._has_route_timeouts = self._has_route_timeouts, has_timeouts(schemas)
        return before != self._has_route_timeouts

    async def _sync(self) -> None:
        """Returns once every kind has been listed completely."""
        while not self._has_synced:
            try:
                async with asyncio.timeout(LISTS_SECONDS):
                    await self._watches.wait_until_listed()
            except TimeoutError:
                log.warning("not started yet: no complete list of %s", ", ".join(self._watches.unlisted))
            else:
                self._has_synced = True

    async def _lead(self, group: asyncio.TaskGroup) -> None:
        """Reconciles every service once this replica leads; ends as soon as it no longer does, by LeaseLost."""
        await self._watches.wait_until_listed()
        await self._lease.acquire()
        log.info("this replica leads")
        self._queue.add_low_priority(self._cache.keys())
        metrics.WORKERS.set(self._settings.workers)
        self._queue.start()
        queue_metrics.show_times(self._queue)
        for _ in range(self._settings.workers):
            group.create_task(worker.work(self._queue, self._reconciler.reconcile))
        group.create_task(self._reconciler.demand.run(self._queue.add))
        await self._lease.renew()

    async def _discover(self) -> None:
        """Watches anew when an API that matters or a namespace comes or goes, and reconciles every service again.

        Also when one is there that was not when the watches began: it may have gone and come back since the last look.
        """
        while True:
            await asyncio.sleep(self._settings.discovery_seconds)
            try:
                kinds = await self._cluster.served_kinds()
            except ApiError as error:
                log.warning("the cluster's APIs could not be listed: %s", error)
                continue
            changed, self._kinds = kinds ^ self._kinds, kinds
            has_other_fields = await self._read_route_schema()
            changed |= self._watches.unwatched & self._watched()
            has_other_namespaces = await self._namespaces.look()
            if changed:
                log.info("the cluster's APIs changed: %s", sorted(kind.kind for kind in changed))
            if changed or has_other_namespaces:
                await self._watches.stop()
                self._watches.start(self._watched(), self._namespaces.open)
            if changed or has_other_fields:
                self._queue.add_low_priority(self._cache.keys())

    async def _resync(self) -> None:
        """Lists everything now and then, for whatever the watches have missed, and counts it.

        Watches that begin, or begin anew, have just listed it: after those only what no watch shows is looked for.
        """
        while True:
            have_listed = await self._watches.have_listed_within(self._settings.resync_seconds)
            namespaces = self._namespaces.open or (None,)
            try:
                if not have_listed:
                    metrics.MISSED.inc(await self._informer.resync(self._cluster, self._watched(), namespaces))
                await self._informer.find_strays(self._cluster, self._watched(), namespaces)
            except ApiError as error:
                log.warning("the resync failed: %s", error)


def main(*, is_dry: bool = False) -> None:
    """`python -m whisper_operator run`; dry: nothing is written, and each write that there would be is logged."""
    settings = Settings.from_env()
    logs.configure(settings.log_level)
    SPANS.start(os.environ)
    # What imports made lives as long as the process: each full collection would look at all of its 85,000 objects.
    gc.freeze()
    try:
        asyncio.run(_main(settings, is_dry))
    finally:
        SPANS.stop()


async def _main(settings: Settings, is_dry: bool) -> None:
    configuration = credentials()
    unguarded = Cluster(configuration)
    lease = AlwaysHeld() if is_dry else Lease(unguarded, settings.namespace, settings.lease_name, settings.identity)
    cluster = Cluster(configuration, before_write=lease.check, is_dry=is_dry)
    task = asyncio.create_task(Operator(settings, cluster, lease).run())
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("stopped")
    finally:
        await cluster.close()
        await unguarded.close()
