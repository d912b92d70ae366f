"""The namespaces that are watched, where some alone are to be: one may be deleted, and the Role in it with it.

A watch that is refused ends all watches, and so would keep the operator from the services of the other namespaces.
"""

from __future__ import annotations

import logging
from typing import Final

from whisper_operator.kube.client import METADATA_ALONE, Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import WHISPER_SERVICE

FORBIDDEN: Final = 403
log = logging.getLogger(__name__)


class WatchedNamespaces:
    def __init__(self, cluster: Cluster, named: tuple[str, ...]) -> None:
        """`named`: by the installation's settings; empty: all that there are."""
        self._cluster = cluster
        self._named = named
        self.open = named
        """Those of `named` in which the operator has rights, as far as is known; empty: all that there are."""

    async def look(self) -> bool:
        """Looks where the operator has rights; returns whether elsewhere than before.

        Where it has them nowhere, all are open: it goes on trying, and is not ready.
        """
        found = tuple([name for name in self._named if await self._may_read(name)]) or self._named
        closed, before = set(self._named) - set(found), set(self._named) - set(self.open)
        for name in sorted(closed - before):
            log.warning("namespace %s is not watched: it does not exist, or holds no Role for the operator", name)
        for name in sorted(before - closed):
            log.info("namespace %s is watched again", name)
        self.open = found
        return closed != before

    async def _may_read(self, namespace: str) -> bool:
        """Whether WhisperServices may be listed there; as it was, where the API server does not say."""
        try:
            async for _ in self._cluster.pages(WHISPER_SERVICE, namespace, accept=METADATA_ALONE):
                break
        except ApiError as error:
            return error.status != FORBIDDEN and namespace in self.open
        return True
