"""Leader election by a coordination.k8s.io Lease: one replica writes, the others keep their caches warm.

Timings and semantics are client-go's: https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.errors import ApiError, LeaseLost
from whisper_operator.objects.kinds import Kind
from whisper_operator.telemetry import metrics

LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases")
DURATION_SECONDS: Final = 15
RENEW_DEADLINE_SECONDS: Final = 10
RETRY_SECONDS: Final = 2
log = logging.getLogger(__name__)


class Leases(Protocol):
    """The requests that this needs of a Cluster; each raises ApiError."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None: ...
    async def create(self, kind: Kind, manifest: Manifest) -> Manifest: ...
    async def replace(self, kind: Kind, manifest: Manifest) -> Manifest: ...


class Leadership(Protocol):
    """Whether this replica may write."""

    def check(self) -> None:
        """Raises LeaseLost where it may not; called before each write."""
        ...

    async def acquire(self) -> None:
        """Returns once it may."""
        ...

    async def renew(self) -> None:
        """Never returns; raises LeaseLost as soon as it may no longer."""
        ...

    async def release(self) -> None:
        """Gives way to another replica at once."""
        ...


class AlwaysHeld:
    """In the place of a Lease where nothing is written, so that no replica has to give way."""

    def check(self) -> None: ...

    async def acquire(self) -> None: ...

    async def renew(self) -> None:
        await asyncio.Event().wait()

    async def release(self) -> None: ...


class Lease:
    """Whether this replica leads. No foreign clock is trusted: only how long the Lease stood unchanged by our own."""

    def __init__(
        self, leases: Leases, namespace: str, name: str, identity: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`namespace`, `name`: the Lease's; `identity`: this replica's name; `clock`: seconds, from any beginning."""
        self._leases = leases
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clock = clock
        self._held_until = 0.0
        self._observed: tuple[str, float] = ("", 0.0)
        """The Lease's version, and when this replica first read it."""

    @property
    def is_held(self) -> bool:
        return self._clock() < self._held_until

    def check(self) -> None:
        """Raises LeaseLost unless this replica leads; called before each write."""
        if not self.is_held:
            raise LeaseLost(f"{self._identity} no longer holds Lease {self._namespace}/{self._name}")

    async def acquire(self) -> None:
        """Returns once this replica leads."""
        metrics.LEADER.labels(self._name).set(0)
        while not await self._try_acquire_or_renew():
            await asyncio.sleep(RETRY_SECONDS)
        metrics.LEADER.labels(self._name).set(1)

    async def renew(self) -> None:
        """Renews for ever; raises LeaseLost as soon as the deadline passes without a renewal."""
        while True:
            await asyncio.sleep(min(RETRY_SECONDS, self._seconds_left()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_left()):
                    await self._try_acquire_or_renew()
            self.check()

    async def release(self) -> None:
        """Lets another replica take over at once; where this fails, the other does so once the Lease has expired."""
        if not self.is_held:
            return
        seconds_left, self._held_until = self._seconds_left(), 0.0
        try:
            async with asyncio.timeout(seconds_left):
                live = await self._leases.get(LEASE, self._namespace, self._name)
                if live and live["spec"].get("holderIdentity") == self._identity:
                    await self._leases.replace(LEASE, {**live, "spec": {**live["spec"], "holderIdentity": ""}})
        except (ApiError, TimeoutError) as error:
            log.warning("the Lease was not released, and expires by itself: %s", error)

    def _seconds_left(self) -> float:
        """Seconds for which the Lease is still held."""
        return max(0.0, self._held_until - self._clock())

    async def _try_acquire_or_renew(self) -> bool:
        """Whether the Lease is held now; False where another replica holds it or the API server does not answer."""
        started = self._clock()
        try:
            async with asyncio.timeout(RENEW_DEADLINE_SECONDS / 2):
                is_written = await self._write(started)
        except (ApiError, TimeoutError):
            return False
        if is_written:
            self._held_until = started + RENEW_DEADLINE_SECONDS
        return is_written

    async def _write(self, now: float) -> bool:
        """Creates or replaces the Lease; False where another replica holds it. Raises ApiError."""
        live = await self._leases.get(LEASE, self._namespace, self._name)
        if live is None:
            metadata = {"name": self._name, "namespace": self._namespace}
            manifest = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata}
            await self._leases.create(LEASE, {**manifest, "spec": self._spec({})})
            return True
        if not self._is_free(live, now):
            return False
        await self._leases.replace(LEASE, {**live, "spec": self._spec(live["spec"])})
        return True

    def _is_free(self, live: Manifest, now: float) -> bool:
        """Whether no other replica holds it, or one that has not renewed it for the whole duration."""
        version = live["metadata"]["resourceVersion"]
        if version != self._observed[0]:
            self._observed = (version, now)
        holder = live["spec"].get("holderIdentity")
        return holder in (None, "", self._identity) or now - self._observed[1] >= DURATION_SECONDS

    def _spec(self, before: dict[str, Any]) -> dict[str, Any]:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        took_over = before.get("holderIdentity") != self._identity
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": DURATION_SECONDS,
            "acquireTime": now if took_over else before.get("acquireTime", now),
            "renewTime": now,
            "leaseTransitions": before.get("leaseTransitions", 0) + (1 if took_over and before else 0),
        }
