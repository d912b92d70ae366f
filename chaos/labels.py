"""Strips labels from children at random, as a controller that means well or a careless `kubectl label` does."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from typing import Final, Self

from chaos.prerequisites import NAMESPACE
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import CHILD_KINDS, JOB, Kind
from whisper_operator.objects.manifest import is_being_deleted, labels_of
from whisper_operator.objects.names import FIELD_MANAGER, LABEL_MANAGED_BY, LABEL_SERVICE, OF_EVERY_CHILD

EVERY_SECONDS: Final = 0.25
STRIPPED: Final[tuple[Mapping[str, str | None], ...]] = (
    {LABEL_SERVICE: None},
    {LABEL_MANAGED_BY: None},
    {LABEL_MANAGED_BY: "Helm"},
    {LABEL_SERVICE: "another", LABEL_MANAGED_BY: "Helm"},
    dict.fromkeys(OF_EVERY_CHILD),
)
"""Changes of a child's labels; None takes one away."""
OF_A_JOB: Final = STRIPPED[:1]
"""A Job that has ended is not applied again: what it is watched by is put back, and the rest is as it was."""


class LabelStripper:
    """Strips one child after another while `inject` runs; `seed` decides which, and of what."""

    def __init__(self, admin: Cluster, seed: int) -> None:
        self.injected = 0
        self._admin, self._random = admin, random.Random(seed)

    async def inject(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            await asyncio.sleep(EVERY_SECONDS)
            found = [one async for one in _children(self._admin)]
            if found:
                await self._strip(*self._random.choice(found))

    async def wrong(self, admin: Cluster) -> frozenset[str]:
        """The children, as Kind/name, by whose labels nobody would find them."""
        found = {
            f"{kind.kind}/{body['metadata']['name']}"
            async for kind, body in _children(admin)
            if not _is_labelled(body) and not is_being_deleted(body)
        }
        return frozenset(found)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    async def _strip(self, kind: Kind, child: Manifest) -> None:
        changed = {**labels_of(child), **self._random.choice(OF_A_JOB if kind == JOB else STRIPPED)}
        labels = {name: value for name, value in changed.items() if value is not None}
        try:
            await self._admin.replace(kind, {**child, "metadata": {**child["metadata"], "labels": labels}})
        except ApiError as error:
            # It has changed since it was listed, or has gone.
            if error.status not in (404, 409):
                raise
        else:
            self.injected += 1


async def _children(admin: Cluster) -> AsyncIterator[tuple[Kind, Manifest]]:
    """Everything of the kinds that can be children, less what Kubernetes makes in each namespace."""
    for kind in CHILD_KINDS:
        for body in await admin.list(kind, NAMESPACE):
            if (kind.kind, body["metadata"]["name"]) != ("ServiceAccount", "default"):
                yield kind, body


def _is_labelled(child: Manifest) -> bool:
    manager, service = (labels_of(child).get(name, "nobody's") for name in (LABEL_MANAGED_BY, LABEL_SERVICE))
    return manager == FIELD_MANAGER and child["metadata"]["name"].startswith(service)
