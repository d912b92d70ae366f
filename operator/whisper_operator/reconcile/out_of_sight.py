"""Reads the children that no watch shows, because something takes the label away by which they are watched.

A policy may do so at every write. A pass reads each of them, and comes again after a while, so that the service goes on
a little slower: docs/adr/0080-a-child-that-no-watch-shows.md.
"""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import by_name
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.reconcile.child_writer import label
from whisper_operator.reconcile.plan import is_ours
from whisper_operator.reconcile.troubles import Troubles


async def look_at_unseen(cluster: Cluster, cache: ObjectCache, service: WhisperService, troubles: Troubles) -> None:
    """Takes the newest version of each such child of the service into the cache; `troubles`: takes what goes wrong."""
    key = (service.metadata.namespace, service.metadata.name)
    for child in cache.out_of_sight(key):
        metadata = child["metadata"]
        try:
            found = await cluster.get(by_name(child["kind"]), metadata["namespace"], metadata["name"])
        except ApiError as error:
            troubles.miss(label(child), error)
            continue
        if found is not None and is_ours(service, found):
            cache.observe_answer(key, found)
        else:
            cache.delete(key, child)
