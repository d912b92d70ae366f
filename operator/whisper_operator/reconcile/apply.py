"""One child, applied: made only where nothing of its name is there, changed only where it is the one that was seen.

docs/adr/0002-server-side-apply.md tells which requests this takes, and why.
"""

from __future__ import annotations

import logging
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import Judgement
from whisper_operator.api.passthrough import open_parts
from whisper_operator.api.v1alpha1 import KIND, Manifest, WhisperService
from whisper_operator.build.deployment import as_born, handover, handover_replicas
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects import names
from whisper_operator.objects.diff import changes
from whisper_operator.objects.kinds import DEPLOYMENT, Kind, by_name
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.reconcile.plan import is_ours

NEW: Final = {"resourceVersion": "1"}
"""No object has that version, so an apply that names it makes one, or is refused with 409 where one is there."""


log = logging.getLogger(__name__)


class Applier:
    def __init__(self, cluster: Cluster, cache: ObjectCache) -> None:
        self._cluster = cluster
        self._cache = cache

    async def apply(self, service: WhisperService, manifest: Manifest) -> Judgement | None:
        """Applies one child; the judgement where it may not be touched, or the API server refuses it for good."""
        kind, seen = by_name(manifest["kind"]), self._cache.newest(manifest)
        live = seen if seen and is_ours(service, seen) else None
        try:
            await self._apply_with_handover(service, kind, manifest, live)
        except ApiError as error:
            if error.status == 409 and live is None:
                return await self._taken(service, kind, manifest)
            if error.is_rejection:
                parts = open_parts(service.spec) if error.names_no_field else []
                where = f" (in {' or '.join(parts)})" if parts else ""
                return Judgement(c.STALLED, "True", c.REJECTED, f"{label(manifest)}: {error.message}{where}")
            raise
        return None

    async def _taken(self, service: WhisperService, kind: Kind, manifest: Manifest) -> Judgement | None:
        """Something of that name is there: ours, and not seen yet; a predecessor's, on its way out; or another's."""
        found = await self._cluster.get(kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        if found is None:
            raise ApiError(f"apply {label(manifest)}", 409, "Conflict", "it was there and is gone again")
        if is_ours(service, found):
            self._cache.observe(found)
            raise ApiError(f"apply {label(manifest)}", 409, "Conflict", "it was there and had not been seen yet")
        if _is_predecessors(service, found):
            # Its deletion is an event, and that event a pass.
            return None
        message = (
            f"{label(manifest)} is there and is not this WhisperService's: "
            "delete or rename it, or name the WhisperService otherwise"
        )
        return Judgement(c.STALLED, "True", c.NOT_OWNED, message)

    async def _apply_with_handover(
        self, service: WhisperService, kind: Kind, manifest: Manifest, live: Manifest | None
    ) -> None:
        if kind == DEPLOYMENT and live is None:
            manifest = as_born(service, manifest)
        elif kind == DEPLOYMENT and live and (count := handover_replicas(service, live)) is not None:
            self._see(await self._cluster.apply(DEPLOYMENT, handover(service, count), manager=names.HANDOVER_MANAGER))
        await self._apply_over_drift(kind, manifest, live)

    async def _apply_over_drift(self, kind: Kind, manifest: Manifest, live: Manifest | None) -> None:
        """Applies; where somebody has edited the key of a list's item (a Service's port), puts the lists back first.

        An apply would add our item beside the edited one, which stays its editor's, and the API server refuses two
        items of one name.
        """
        exact = _with_metadata(manifest, NEW if live is None else {"uid": live["metadata"]["uid"]})
        try:
            self._see(await self._cluster.apply(kind, exact))
        except ApiError as error:
            if error.status != 422 or live is None:
                raise
            await self._cluster.merge(kind, exact)
            self._see(await self._cluster.apply(kind, exact))

    def _see(self, body: Manifest) -> None:
        if self._cluster.is_dry:
            live = self._cache.newest(body) or {}
            log.info("would apply %s: %s", label(body), "; ".join(changes(live, body)) or "nothing changes")
        else:
            self._cache.observe(body)


def label(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def _with_metadata(manifest: Manifest, more: dict[str, str]) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **more}}


def _is_predecessors(service: WhisperService, found: Manifest) -> bool:
    """Whether a deleted WhisperService of the same name owned it: the garbage collector will take it."""
    return any(
        ref.get("controller") and ref["kind"] == KIND and ref["name"] == service.metadata.name
        for ref in found["metadata"].get("ownerReferences", ())
    )
