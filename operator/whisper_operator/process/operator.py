"""The operator's process: lists, watches, leads, and works the queue until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Collection
from typing import Final, TypeVar

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster, credentials
from whisper_operator.kube.errors import ApiError
from whisper_operator.kube.lease import AlwaysHeld, Lease
from whisper_operator.kube.watches import Watches, selector_of
from whisper_operator.objects.kinds import EVENT, POD, WHISPER_SERVICE, Kind
from whisper_operator.observe.cache import Key, Store
from whisper_operator.observe.indexes import Place, Survey, fact_kinds, place_of
from whisper_operator.observe.installation import Env
from whisper_operator.process import health
from whisper_operator.process.settings import Settings
from whisper_operator.reconcile import worker
from whisper_operator.reconcile.events import Recorder
from whisper_operator.reconcile.queue import Queue
from whisper_operator.reconcile.reconciler import Reconciler
from whisper_operator.telemetry import logs, metrics

START_RETRY_SECONDS: Final = 2.0
WATCHES_OPEN_SECONDS: Final = 20.0
"""Within which every watch is open after the start, by far."""
T = TypeVar("T")
log = logging.getLogger(__name__)


class Operator:
    """The parts of the process, and what they share."""

    def __init__(self, settings: Settings, cluster: Cluster, lease: Lease | AlwaysHeld) -> None:
        self._settings = settings
        self._cluster = cluster
        self._lease = lease
        self._store = Store()
        self._survey = Survey(not settings.watch_namespaces, self._store.unready)
        self._queue = Queue()
        self._watches = Watches(self._see, settings.watch_namespaces, cluster.configuration)
        self._kinds: frozenset[Kind] = frozenset()
        self._synced = False
        recorder = Recorder(cluster, settings.identity)
        self._reconciler = Reconciler(cluster, self._store, self._survey, recorder, self._env)

    async def run(self) -> None:
        """Until it is cancelled; raises LeaseLost when another replica may lead."""
        settings = self._settings
        shown = metrics.show(self._store.bodies)
        metrics.WATCHES_SILENT.set_function(self._watches.silent_seconds)
        runners = await health.serve(
            settings.host,
            settings.metrics_port,
            settings.health_port,
            self._trouble,
            lambda: self._synced and self._watches.are_running,
        )
        try:
            self._kinds = await _answered(self._cluster.served_kinds)
            self._watches.start(self._watched())
            await _answered(self._resync)
            self._synced = True
            async with asyncio.TaskGroup() as group:
                group.create_task(self._discover())
                group.create_task(self._resync_often())
                group.create_task(self._lead(group))
        finally:
            await self._lease.release()
            await self._watches.stop()
            metrics.hide(shown)
            for runner in runners:
                await runner.cleanup()

    def _env(self) -> Env:
        return Env(self._settings.runtime_image, self._kinds, self._settings.fs_group)

    def _watched(self) -> frozenset[Kind]:
        facts = fact_kinds(whole_cluster=not self._settings.watch_namespaces)
        return frozenset({WHISPER_SERVICE, POD, EVENT, *facts, *self._kinds})

    def _trouble(self) -> str | None:
        """What stands still."""
        limit = self._settings.standstill_seconds
        if self._synced and self._watches.silent_seconds() > limit:
            return "the watches stand still"
        if self._queue.stuck_seconds() > limit:
            return "the queue stands still"
        return None

    def _see(self, body: Manifest, event: str | None) -> None:
        """Takes in what a watch shows, and queues what it concerns."""
        self._queue.add_all(self._survey.see(body, event))
        if body["kind"] == EVENT.kind:
            about = body["involvedObject"]
            key = self._store.owner(about.get("kind", ""), about.get("namespace", ""), about.get("name", ""))
        else:
            key = self._store.see(body, event)
        if key:
            self._queue.add(key)

    async def _lead(self, group: asyncio.TaskGroup) -> None:
        await self._lease.acquire()
        log.info("this replica leads")
        self._queue.sweep(self._store.services())
        metrics.WORKERS.set(self._settings.workers)
        self._queue.begin()
        for _ in range(self._settings.workers):
            group.create_task(worker.work(self._queue, self._reconciler.reconcile))
        await self._lease.keep()

    async def _discover(self) -> None:
        """Watches anew when an API that matters comes or goes, and passes over every service again."""
        while True:
            await asyncio.sleep(self._settings.discovery_seconds)
            try:
                kinds = await self._cluster.served_kinds()
            except ApiError as error:
                log.warning("the cluster's APIs could not be listed: %s", error)
                continue
            if kinds == self._kinds:
                continue
            log.info("the cluster's APIs changed: %s", sorted(kind.kind for kind in kinds ^ self._kinds))
            await self._watches.stop()
            self._kinds = kinds
            self._watches.start(self._watched())
            self._queue.sweep(self._store.services())

    async def _resync_often(self) -> None:
        """The first time soon: what was deleted after our list and before the watches' own is told by neither."""
        pause = min(WATCHES_OPEN_SECONDS, self._settings.resync_seconds)
        while True:
            await asyncio.sleep(pause)
            pause = self._settings.resync_seconds
            try:
                missed = await self._resync()
            except ApiError as error:
                log.warning("the resync failed: %s", error)
            else:
                metrics.MISSED.inc(missed)

    async def _resync(self) -> int:
        """Lists every kind, because a watch that starts anew does not tell what was deleted meanwhile.

        How many changes no watch had shown.
        """
        count = 0
        for namespace in self._settings.watch_namespaces or (None,):
            for kind in services_first(self._watched() - {EVENT}):
                count += await self._list(kind, namespace)
        self._store.forget_deletions()
        return count

    async def _list(self, kind: Kind, namespace: str | None) -> int:
        """Takes in everything of a kind, and queues what it concerns; of how many services it tells something new.

        Each page is queued as it is taken in: if the next one fails, nobody else tells of what this one brought.
        """
        uids: set[str] = set()
        places: set[Place] = set()
        concerned: set[Key] = set()
        version = 0
        async for page, listed_at in self._cluster.pages(kind, namespace, selector_of(kind)):
            version = listed_at
            uids |= {body["metadata"]["uid"] for body in page}
            places |= {place_of(body) for body in page}
            woken = {key for body in page for key in self._survey.see(body)}
            told = {key for body in page if (key := self._store.see(body))}
            self._queue.sweep(woken | told)
            concerned |= told
        told = self._store.forget_absent(kind, namespace, uids, version)
        self._queue.sweep(self._survey.forget_absent(kind, namespace, places, version) | told)
        return len(concerned | told)


def services_first(kinds: Collection[Kind]) -> list[Kind]:
    """In the order in which a resync lists them.

    If a service and its children went unseen, its children's absence must not be found first: they would be made again,
    and a claim that is retained has no owner with which it would go.
    """
    return sorted(kinds, key=lambda kind: (kind != WHISPER_SERVICE, kind.kind))


async def _answered(ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` returns once the API server answers it: what starts in an outage is there when that ends."""
    while True:
        try:
            return await ask()
        except ApiError as error:
            log.warning("not started yet: %s", error)
        await asyncio.sleep(START_RETRY_SECONDS)


def main(*, is_dry: bool = False) -> None:
    """`python -m whisper_operator run`; dry: nothing is written, and each write that there would be is logged."""
    settings = Settings.from_env()
    logs.configure(settings.log_level)
    asyncio.run(_main(settings, is_dry))


async def _main(settings: Settings, is_dry: bool) -> None:
    configuration = credentials()
    unguarded = Cluster(configuration)
    lease = AlwaysHeld() if is_dry else Lease(unguarded, settings.namespace, settings.identity)
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
