"""kopf's wiring: every event goes to the store and the queue, and nothing else happens here.

Only `on.event` handlers, so kopf writes nothing on any object: no annotation, no finalizer, no patch.
kopf runs in a thread and an event loop of its own, because at its end it cancels every task that began after it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import kopf
from kopf._core.engines.peering import Identity
from kubernetes import client

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import LIST_CHUNK, authorization
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CHILD_KINDS, EVENT, INGRESS, POD, Kind

Sink = Callable[[Manifest, str | None], None]
"""Takes an object and what happened to it (ADDED, MODIFIED, DELETED; None: it was listed)."""

CLOSE_SECONDS: Final = 0.25
"""aiohttp's TLS connections close in the background: https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown"""
BEAT_SECONDS: Final = 1.0
WORKS_SECONDS: Final = 15.0
"""A kopf that has ended by then has not worked at all: after a failure at its start, its end takes six seconds."""
ORCHESTRATOR: Final = "multidimensional multitasker"
WATCHER: Final = "watcher for "
"""What kopf calls its tasks."""
WARNINGS: Final = "type=Warning"
OURS: Final = f"{names.LABEL_MANAGED_BY}={names.FIELD_MANAGER}"
log = logging.getLogger(__name__)


class Watches:
    """kopf, watching; started again where it ends by itself, and anew when the kinds change."""

    def __init__(self, sink: Sink, namespaces: tuple[str, ...], configuration: client.Configuration) -> None:
        self._configuration = configuration
        self._sink = sink
        self._namespaces = namespaces
        self._stop = threading.Event()
        self._flag = threading.Event()
        """Stops the kopf that runs now; each has its own."""
        self._watching = threading.Event()
        self._thread: threading.Thread | None = None
        self._beat = time.monotonic()

    @property
    def are_running(self) -> bool:
        return self._watching.is_set()

    def silent_seconds(self) -> float:
        """How long kopf's event loop has not turned or kept no watches, or kopf has ended as soon as it was started."""
        return time.monotonic() - self._beat

    def start(self, kinds: frozenset[Kind]) -> None:
        """Watches `kinds` from now on."""
        self._beat = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._stop, kinds, asyncio.get_running_loop()), name="kopf", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        self._stop.set()
        self._flag.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _run(self, stop: threading.Event, kinds: frozenset[Kind], loop: asyncio.AbstractEventLoop) -> None:
        def sink(event: dict[str, Any], **_: Any) -> None:
            loop.call_soon_threadsafe(self._sink, dict(event["object"]), event["type"])

        while True:
            flag = self._flag = threading.Event()
            if stop.is_set():
                return
            try:
                asyncio.run(
                    self._beating(
                        flag,
                        registry=registry(kinds, sink, self._configuration),
                        settings=settings(kinds),
                        standalone=True,
                        clusterwide=not self._namespaces,
                        namespaces=self._namespaces,
                        ready_flag=self._watching,
                        # kopf's own asks for the user's name, which a numeric user of a container has not.
                        identity=Identity(names.FIELD_MANAGER),
                    )
                )
            except Exception:
                # An error in a watch (kopf's WatchingError, exhausted retries) ends kopf; the lists at the next
                # start close the gap.
                log.exception("the watches ended and are started again")
            self._watching.clear()
            stop.wait(1)

    async def _beating(self, flag: threading.Event, **arguments: Any) -> None:
        """kopf, with a beat beside it: a loop that stands still is seen from outside."""
        beat = asyncio.create_task(self._keep_beating())
        orphans = asyncio.create_task(end_orphans())
        try:
            await kopf.operator(stop_flag=flag, **arguments)
        finally:
            # kopf waits for the flag in a thread of the loop's, without whose end the loop does not close.
            flag.set()
            beat.cancel()
            orphans.cancel()
            await asyncio.sleep(CLOSE_SECONDS)

    async def _keep_beating(self) -> None:
        await asyncio.sleep(WORKS_SECONDS)
        while True:
            if _keeps_watches():
                self._beat = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)


async def end_orphans() -> None:
    """Cancels watches that have outlived the task that started them, until kopf can end.

    Where one watch fails, kopf cancels all tasks at once, and with them what the other watches take for a pause: such a
    watch goes on, and kopf waits for it for good (kopf 1.45.2, _cogs/clients/api.py, `stream`).
    """
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        if not _keeps_watches():
            for task in asyncio.all_tasks():
                if task.get_name().startswith(WATCHER):
                    task.cancel()


def _keeps_watches() -> bool:
    """Whether the task is there that starts watches and waits for them; kopf has it from its start until it ends."""
    return any(task.get_name() == ORCHESTRATOR for task in asyncio.all_tasks())


def registry(
    kinds: frozenset[Kind], sink: Callable[..., None], configuration: client.Configuration
) -> kopf.OperatorRegistry:
    """One handler for each kind; all of them do the same."""
    found = kopf.OperatorRegistry()

    async def login(**_: Any) -> kopf.ConnectionInfo:
        return connection(configuration)

    async def on_event(**arguments: Any) -> None:
        sink(**arguments)

    kopf.on.login(registry=found)(login)
    for kind in kinds:
        kopf.on.event(group=kind.group, version=kind.version, plural=kind.plural, registry=found, id=kind.plural)(
            on_event
        )
    return found


def connection(configuration: client.Configuration) -> kopf.ConnectionInfo:
    """The same server and credentials as the operator's own requests; asked for anew whenever they are refused."""
    scheme, _, token = authorization(configuration).get("Authorization", "").partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        scheme=scheme or None,
        token=token or None,
    )


def settings(kinds: frozenset[Kind]) -> kopf.OperatorSettings:
    """Measured and explained in docs/adr/0001-events-only.md."""
    found = kopf.OperatorSettings()
    found.posting.enabled = False
    found.peering.standalone = True
    found.scanning.disabled = True
    # A worker holds its object's last version for as long as it idles.
    found.queueing.idle_timeout = 0.1
    found.watching.server_timeout = 240
    found.watching.connect_timeout = 10
    found.watching.reconnect_backoff = 1
    found.watching.chunk_size = LIST_CHUNK
    for kind in kinds:
        if selector := selector_of(kind):
            found.watching.label_selectors[kind.group, kind.plural] = selector
    found.watching.field_selectors[EVENT.group, EVENT.plural] = WARNINGS
    found.networking.request_timeout = 30
    found.networking.connect_timeout = 5
    found.networking.error_backoffs = Backoffs()
    found.persistence.progress_storage = NoProgress()
    found.persistence.diffbase_storage = NoDiffbase()
    return found


def selector_of(kind: Kind) -> str:
    """The label selector of a kind's lists and watches: of children ours alone, but all Ingresses, for their hosts."""
    is_child = kind in CHILD_KINDS or kind == POD
    return OURS if is_child and kind != INGRESS else ""


class Backoffs:
    """Seconds between attempts, without end: a watch outlives any outage of the API server."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((0.5, 1, 2, 4, 8), itertools.repeat(10))


class NoProgress(kopf.ProgressStorage):
    """Stores nothing, for there is no progress: no handler is ever retried by kopf."""

    def fetch(self, *, key: Any, body: Any) -> None:
        return None

    def store(self, *, key: Any, record: Any, body: Any, patch: Any) -> None: ...

    def purge(self, *, key: Any, body: Any, patch: Any) -> None: ...

    def touch(self, *, body: Any, patch: Any, value: Any) -> None: ...

    def clear(self, *, essence: Any) -> Any:
        return essence


class NoDiffbase(kopf.DiffBaseStorage):
    """Stores nothing, for nothing is diffed: a pass compares what is wanted with what is there."""

    def build(self, *, body: Any, extra_fields: Any = None, ignored_fields: Any = None) -> Any:
        return {}

    def fetch(self, *, body: Any) -> None:
        return None

    def store(self, *, body: Any, patch: Any, essence: Any) -> None: ...
