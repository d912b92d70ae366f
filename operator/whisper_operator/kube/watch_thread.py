"""The thread in which kopf watches, and how the rest of the process sees that it does.

kopf has a thread and an event loop of its own, because at its end it cancels every task that began after it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Final, Protocol

from kubernetes import client

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube import watches
from whisper_operator.kube.client import list_path
from whisper_operator.kube.list_pages import Page, Targets
from whisper_operator.objects.kinds import Kind

BEAT_SECONDS: Final = 1.0
RESTART_SECONDS: Final = 1.0
"""Between the end of kopf and its next start."""
PROVEN_SECONDS: Final = 15.0
"""A kopf that has ended by then has not worked at all: after a failure at its start, its end takes six seconds."""
log = logging.getLogger(__name__)


class WatchHandler(Protocol):
    """Takes in what lists and watches show, in the event loop that has started the watches."""

    def on_page(self, page: Page) -> None:
        """A list begins when kopf starts, and again where the API server no longer knows the version watched from."""
        ...

    def on_event(self, body: Manifest, event: str) -> None:
        """`event`: ADDED, MODIFIED or DELETED."""
        ...


class WatchThread:
    """kopf, watching; started again where it ends by itself, and anew when the kinds change."""

    def __init__(
        self,
        handler: WatchHandler,
        service_class: str,
        configuration: client.Configuration,
    ) -> None:
        """`service_class`: of WhisperServices; empty: those without one."""
        self._handler = handler
        self._service_class = service_class
        self._configuration = configuration
        self._stop = threading.Event()
        self._kopf_stop = threading.Event()
        """Stops the kopf that runs now; each has its own."""
        self._watching = threading.Event()
        self._thread: threading.Thread | None = None
        self._beat = time.monotonic()
        self._unwatched = frozenset[Kind]()
        self._unlisted: set[tuple[Kind, str | None]] = set()
        self._all_listed = asyncio.Event()
        self._listed_anew = asyncio.Event()

    @property
    def is_watching(self) -> bool:
        return self._watching.is_set()

    @property
    def unlisted(self) -> list[str]:
        """The kinds that have not been listed completely since the start."""
        return sorted({kind.kind for kind, _ in self._unlisted})

    @property
    def unwatched(self) -> frozenset[Kind]:
        """Kinds that were not served when kopf began, which it will not watch before it begins anew."""
        return self._unwatched

    async def wait_until_listed(self) -> None:
        """Returns once everything has been listed completely."""
        await self._all_listed.wait()

    async def have_listed_within(self, seconds: float) -> bool:
        """Whether a list has ended in that time, or since the last call, when all others had: returns as soon as so."""
        try:
            async with asyncio.timeout(seconds):
                await self._listed_anew.wait()
        except TimeoutError:
            return False
        self._listed_anew.clear()
        return True

    def silent_seconds(self) -> float:
        """How long kopf's event loop has not turned or kept no watches, or kopf has ended as soon as it was started.

        0 before the start.
        """
        return time.monotonic() - self._beat if self._thread else 0.0

    def start(self, kinds: frozenset[Kind], namespaces: tuple[str, ...] = ()) -> None:
        """Lists and watches `kinds` from now on; what they show goes to the running event loop.

        `namespaces`: those to watch; empty: all.
        """
        targets = {list_path(kind, where): (kind, where) for kind in kinds for where in namespaces or (None,)}
        self._unlisted = set(targets.values())
        self._all_listed.clear()
        self._beat = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._stop, targets, asyncio.get_running_loop()), name="kopf", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """Returns once the thread has ended."""
        self._stop.set()
        self._kopf_stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _run(self, stop: threading.Event, targets: Targets, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            kopf_stop = self._kopf_stop = threading.Event()
            if stop.is_set():
                return
            try:
                asyncio.run(self._watch(kopf_stop, targets, loop))
            except Exception:
                # An error in a watch (kopf's WatchingError, exhausted retries) ends kopf; the lists at the next
                # start close the gap.
                log.exception("the watches ended and are started again")
            self._watching.clear()
            stop.wait(RESTART_SECONDS)

    async def _watch(self, stop: threading.Event, targets: Targets, loop: asyncio.AbstractEventLoop) -> None:
        """kopf, with a beat beside it: a loop that stands still is seen from outside."""

        def on_event(body: Manifest, event: str) -> None:
            loop.call_soon_threadsafe(self._handler.on_event, body, event)

        async def take(page: Page) -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._on_page(page), loop))

        self._unwatched = frozenset[Kind]()
        beat = asyncio.create_task(self._keep_beating(targets))
        try:
            await watches.watch(
                targets,
                self._configuration,
                self._service_class,
                on_event=on_event,
                take=take,
                stop=stop,
                started=self._watching,
            )
        finally:
            beat.cancel()

    async def _on_page(self, page: Page) -> None:
        self._handler.on_page(page)
        if page.is_last:
            self._unlisted.discard((page.kind, page.namespace))
        if page.is_last and not self._unlisted:
            self._all_listed.set()
            self._listed_anew.set()

    async def _keep_beating(self, targets: Targets) -> None:
        await asyncio.sleep(PROVEN_SECONDS)
        while True:
            if watches.keeps_watches():
                self._beat = time.monotonic()
                self._unwatched = watches.unwatched(targets)
            await asyncio.sleep(BEAT_SECONDS)
