"""The operator's process: lists, watches, leads, and works the queue until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from typing import Final

from whisper_operator import health, logs, metrics
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.cluster import Cluster, credentials
from whisper_operator.env import Env
from whisper_operator.errors import ApiError, LeaseLost
from whisper_operator.kinds import POD, WHISPER_SERVICE, Kind
from whisper_operator.lease import Lease
from whisper_operator.main import OURS, Watches
from whisper_operator.queue import Queue
from whisper_operator.reconcile import Reconciler
from whisper_operator.settings import Settings
from whisper_operator.store import Key, Store

DISCOVERY_SECONDS: Final = 60
RESYNC_SECONDS: Final = 600
PASS_SECONDS: Final = 60
log = logging.getLogger(__name__)


class Operator:
    """The parts of the process, and what they share."""

    def __init__(self, settings: Settings, cluster: Cluster, lease: Lease) -> None:
        self._settings = settings
        self._cluster = cluster
        self._lease = lease
        self._store = Store()
        self._queue = Queue()
        self._watches = Watches(self._see, settings.watch_namespaces, cluster.configuration)
        self._kinds: frozenset[Kind] = frozenset()
        self._synced = False
        self._reconciler = Reconciler(cluster, self._store, self._env)

    async def run(self) -> None:
        """Until it is cancelled; raises LeaseLost when another replica may lead."""
        settings = self._settings
        runners = await health.serve(
            settings.host,
            settings.metrics_port,
            settings.health_port,
            lambda: self._synced and self._watches.are_running,
        )
        try:
            self._kinds = await self._cluster.served_kinds()
            self._watches.start(self._kinds)
            await self._resync()
            self._synced = True
            async with asyncio.TaskGroup() as group:
                group.create_task(self._discover())
                group.create_task(self._resync_often())
                group.create_task(self._lead(group))
        finally:
            await self._watches.stop()
            await self._lease.release()
            for runner in runners:
                await runner.cleanup()

    def _env(self) -> Env:
        return Env(self._settings.runtime_image, self._kinds, self._settings.fs_group)

    def _see(self, body: Manifest, event: str | None) -> None:
        if key := self._store.see(body, event):
            self._queue.add(key)

    async def _lead(self, group: asyncio.TaskGroup) -> None:
        await self._lease.acquire()
        log.info("this replica leads")
        for key in self._store.services():
            self._queue.add(key)
        metrics.WORKERS.set(self._settings.workers)
        for _ in range(self._settings.workers):
            group.create_task(self._work())
        await self._lease.keep()

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                await self._pass(key)
            finally:
                self._queue.done(key)

    async def _pass(self, key: Key) -> None:
        """One pass; whatever it raises is logged, counted and tried again, a lost Lease excepted."""
        named = {"namespace": key[0], "service": key[1]}
        started = time.monotonic()
        try:
            async with asyncio.timeout(PASS_SECONDS):
                again = await self._reconciler.reconcile(key)
        except LeaseLost:
            raise
        except (ApiError, TimeoutError) as error:
            log.warning("pass failed and is tried again: %s", error or type(error).__name__, extra=named)
            result = "error"
        except Exception:
            log.exception("pass failed by a bug and is tried again", extra=named)
            result = "error"
        else:
            result = "success" if again is None else "requeue_after"
            if again is not None:
                self._queue.add_after(key, again)
        metrics.RECONCILE_SECONDS.observe(time.monotonic() - started)
        metrics.RECONCILES.labels(metrics.CONTROLLER, result).inc()
        if result == "error":
            metrics.RECONCILE_ERRORS.inc()
            self._queue.retry(key)
        else:
            self._queue.succeeded(key)

    async def _discover(self) -> None:
        """Watches anew when an API that matters comes or goes, and passes over every service again."""
        while True:
            await asyncio.sleep(DISCOVERY_SECONDS)
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
            self._watches.start(kinds)
            for key in self._store.services():
                self._queue.add(key)

    async def _resync_often(self) -> None:
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            try:
                await self._resync()
            except ApiError as error:
                log.warning("the resync failed: %s", error)

    async def _resync(self) -> None:
        """Lists every kind, because a watch that starts anew does not tell what was deleted meanwhile."""
        for namespace in self._settings.watch_namespaces or (None,):
            for kind in (WHISPER_SERVICE, POD, *self._kinds):
                selector = "" if kind == WHISPER_SERVICE else OURS
                listed, version = await self._cluster.list(kind, namespace, selector)
                for key in self._store.replace(kind, namespace, listed, version):
                    self._queue.add(key)
        self._store.forget_deletions()


def main() -> None:
    """`python -m whisper_operator run`"""
    settings = Settings.from_env()
    logs.configure(settings.log_level)
    asyncio.run(_main(settings))


async def _main(settings: Settings) -> None:
    configuration = credentials()
    unguarded = Cluster(configuration)
    lease = Lease(unguarded, settings.namespace, settings.identity)
    cluster = Cluster(configuration, before_write=lease.check)
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
