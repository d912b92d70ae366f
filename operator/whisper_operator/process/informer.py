"""Takes what lists and watches show into the cache, and adds the services that it concerns to the queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import METADATA_ALONE, Cluster
from whisper_operator.kube.list_pages import Page
from whisper_operator.kube.watches import STRAYS, selector_of
from whisper_operator.objects.kinds import CHILD_KINDS, EVENT, WHISPER_SERVICE, Kind
from whisper_operator.objects.manifest import controller_of
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.indexes import FACTS
from whisper_operator.observe.listing import Listing
from whisper_operator.observe.records import Key, ObjectId
from whisper_operator.reconcile.queue import Queue


class Informer:
    """A WatchHandler that feeds one cache and one queue, as client-go's informers do."""

    def __init__(self, cache: ObjectCache, queue: Queue, service_class: str) -> None:
        """`service_class`: of the WhisperServices that a resync lists; empty: those without one."""
        self._cache = cache
        self._service_class = service_class
        self._queue = queue
        self._listings: dict[tuple[Kind, str | None], Listing] = {}
        """The lists whose pages are coming in."""

    def on_event(self, body: Manifest, event: str) -> None:
        self._queue.add_all(self._cache.observe(body, event))

    def on_page(self, page: Page) -> None:
        at = (page.kind, page.namespace)
        if page.is_first:
            self._listings[at] = Listing(self._cache, page.kind, page.namespace)
        self._queue.add_low_priority(self._listings[at].observe(page.objects, page.version))
        if page.is_last:
            self._queue.add_low_priority(self._listings.pop(at).end(page.version))

    async def resync(self, cluster: Cluster, kinds: Collection[Kind], namespaces: Iterable[str | None]) -> int:
        """Lists every kind, for whatever no watch has shown; of how many services it has found something new.

        `namespaces`: each is listed, None stands for all of them together. Raises ApiError.
        """
        missed, versions = 0, list[int]()
        for namespace in namespaces:
            for kind in services_first(set(kinds) - {EVENT}):
                concerned, version = await self._list(cluster, kind, namespace)
                missed += len(concerned)
                versions.append(version)
        self._cache.forget_tombstones(min(versions))
        return missed

    async def find_strays(self, cluster: Cluster, kinds: Collection[Kind], namespaces: Iterable[str | None]) -> None:
        """Looks for children that lost the label by which they are watched, while nobody saw it; raises ApiError.

        One that is wanted is found by its apply; one that is not would be there for as long as its service.
        """
        watched_by_label = [kind for kind in CHILD_KINDS if kind in kinds and selector_of(kind, self._service_class)]
        for namespace in namespaces:
            for kind in watched_by_label:
                async for page, _ in cluster.pages(kind, namespace, STRAYS, METADATA_ALONE):
                    self._queue.add_low_priority({key for body in page if (key := self._lose(kind, body))})

    def _lose(self, kind: Kind, body: Manifest) -> Key | None:
        """The service that owns that object, which is out of sight; None where no service of the cache does."""
        owner, metadata = controller_of(body), body["metadata"]
        if owner is None or owner["kind"] != WHISPER_SERVICE.kind:
            return None
        key = (metadata["namespace"], owner["name"])
        service = self._cache.service(key)
        if service is None or service["metadata"]["uid"] != owner["uid"]:
            return None
        self._cache.lose(key, ObjectId(kind.kind, metadata["namespace"], metadata["name"]))
        return key

    async def _list(self, cluster: Cluster, kind: Kind, namespace: str | None) -> tuple[set[Key], int]:
        """The services for which a list of `kind` holds something new, and the list's version.

        No services where it holds facts about the cluster.
        Each page is queued as it is taken in: if the next one fails, nothing else reports what this one held.
        """
        listing, concerned, version = Listing(self._cache, kind, namespace), set[Key](), 0
        async for page, listed_at in cluster.pages(kind, namespace, selector_of(kind, self._service_class)):
            version, found = listed_at, listing.observe(page, listed_at)
            self._queue.add_low_priority(found)
            concerned |= found
        gone = listing.end(version)
        self._queue.add_low_priority(gone)
        return concerned | gone if kind.kind not in FACTS else set(), version


def services_first(kinds: Collection[Kind]) -> list[Kind]:
    """In the order in which a resync lists them.

    If a service and its children went unseen, its children's absence must not be found first: they would be made again,
    and a claim that is retained has no owner with which it would go.
    """
    return sorted(kinds, key=lambda kind: (kind != WHISPER_SERVICE, kind.kind))
