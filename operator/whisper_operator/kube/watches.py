"""kopf, which keeps the watches open; no other module imports it.

Only `on.event` handlers, so kopf writes nothing on any object: no annotation, no finalizer, no patch. Why kopf, what it
earns here and what it costs: docs/adr/0001-events-only.md and docs/adr/0009-what-kopf-earns.md.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import kopf
from kopf._core.engines.peering import Identity
from kubernetes import client

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import LIST_CHUNK
from whisper_operator.kube.list_pages import TakePage, Targets, session
from whisper_operator.objects import names
from whisper_operator.objects.kinds import EVENT, WATCHED_BY_LABEL, WHISPER_SERVICE, Kind

OnEvent = Callable[[Manifest, str], None]
"""Takes an object and what happened to it: ADDED, MODIFIED or DELETED."""

CLOSE_SECONDS: Final = 0.25
"""aiohttp's TLS connections close in the background: https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown"""
ORPHANS_SECONDS: Final = 1.0
"""Between two searches for watches that nobody waits for."""
ORCHESTRATOR: Final = "multidimensional multitasker"
WATCHER: Final = "watcher for "
"""kopf's names of its tasks."""
WARNINGS: Final = "type=Warning"
OURS: Final = names.LABEL_SERVICE
"""The label of our own domain alone: policies and packagers (Helm, Kustomize) overwrite `managed-by`."""
STRAYS: Final = f"!{names.LABEL_SERVICE}"


async def watch(
    targets: Targets,
    configuration: client.Configuration,
    service_class: str,
    *,
    on_event: OnEvent,
    take: TakePage,
    stop: threading.Event,
    started: threading.Event,
) -> None:
    """Lists and watches `targets` until `stop` is set; raises what ends kopf before.

    `service_class`: of the WhisperServices, as selector_of takes it. `on_event` gets every change, `take` every page of
    every list; `started` is set once kopf has.
    """
    kinds = {kind for kind, _ in targets.values()}
    namespaces = {namespace for _, namespace in targets.values() if namespace}
    orphans = asyncio.create_task(end_orphans())
    try:
        await kopf.operator(
            registry=registry(kinds, on_event, configuration, targets, take),
            settings=settings(kinds, service_class),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop,
            ready_flag=started,
            # kopf's own asks for the user's name, which a numeric user of a container has not.
            identity=Identity(names.FIELD_MANAGER),
        )
    finally:
        # kopf waits for the flag in a thread of the loop's, without whose end the loop does not close.
        stop.set()
        orphans.cancel()
        await asyncio.sleep(CLOSE_SECONDS)


def keeps_watches() -> bool:
    """Whether the task is there that starts watches and waits for them; kopf has it from its start until it ends."""
    return any(task.get_name() == ORCHESTRATOR for task in asyncio.all_tasks())


def unwatched(targets: Targets) -> frozenset[Kind]:
    """The kinds of `targets` that kopf does not watch: it looks once, at its start, which ones are served.

    It has a task for each watch, whose name begins with the resource's (kopf 1.45.2, _core/reactor/orchestration.py,
    `spawn_missing_watchers`).
    """
    names_of_tasks = (task.get_name() for task in asyncio.all_tasks())
    watched = {name.removeprefix(WATCHER).partition("@")[0] for name in names_of_tasks if name.startswith(WATCHER)}
    kinds = (kind for kind, _ in targets.values())
    return frozenset(kind for kind in kinds if f"{kind.plural}.{kind.version}.{kind.group}".strip(".") not in watched)


async def end_orphans(pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Cancels watches that have outlived the task that started them, until kopf can end.

    Where one watch fails, kopf cancels all tasks at once, and with them what the other watches take for a pause: such a
    watch goes on, and kopf waits for it for good (kopf 1.45.2, _cogs/clients/api.py, `stream`).
    """
    while True:
        await pause(ORPHANS_SECONDS)
        if not keeps_watches():
            for task in asyncio.all_tasks():
                if task.get_name().startswith(WATCHER):
                    task.cancel()


def registry(
    kinds: set[Kind], on_event: OnEvent, configuration: client.Configuration, targets: Targets, take: TakePage
) -> kopf.OperatorRegistry:
    """One handler for each kind; all of them do the same."""
    found = kopf.OperatorRegistry()

    async def login(**_: Any) -> kopf.AiohttpSession:
        """Asked for anew whenever the credentials are refused."""
        return kopf.AiohttpSession(server=configuration.host, aiohttp_session=session(configuration, targets, take))

    async def handle(event: kopf.RawEvent, **_: Any) -> None:
        if kind := event["type"]:  # None is what kopf has listed itself: nothing, for it gets its lists without objects
            on_event(dict(event["object"]), kind)

    kopf.on.login(registry=found)(login)
    for kind in kinds:
        kopf.on.event(group=kind.group, version=kind.version, plural=kind.plural, registry=found, id=kind.plural)(
            handle
        )
    return found


def settings(kinds: set[Kind], service_class: str) -> kopf.OperatorSettings:
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
        if selector := selector_of(kind, service_class):
            found.watching.label_selectors[kind.group, kind.plural] = selector
    found.watching.field_selectors[EVENT.group, EVENT.plural] = WARNINGS
    found.networking.request_timeout = 30
    found.networking.connect_timeout = 5
    found.networking.error_backoffs = Backoffs()
    found.persistence.progress_storage = NoProgress()
    found.persistence.diffbase_storage = NoDiffbase()
    return found


def selector_of(kind: Kind, service_class: str) -> str:
    """The label selector of a kind's lists and watches: of children ours alone, but all Ingresses, for their hosts.

    Of WhisperServices those of the class; empty: those without one, so that no two classes share a service.
    """
    if kind == WHISPER_SERVICE:
        return f"{names.LABEL_CLASS}={service_class}" if service_class else f"!{names.LABEL_CLASS}"
    return OURS if kind in WATCHED_BY_LABEL else ""


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
