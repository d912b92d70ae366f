"""The front's door: what is refused before a body is read, and the disk that is given to those that are let in."""

from __future__ import annotations

import math

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.front.outlook import Outlook
from whisper_runtime.front.servers import RequestWork
from whisper_runtime.front.turnstile import front_leaves
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.disk_quota import DiskQuota
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.lifecycle import Lifecycle, Phase
from whisper_runtime.service.place import BYTES_PER_SECOND
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.upload_size import check_upload_size


class FrontDoor:
    """Is asked by AdmissionMiddleware. Rates are the servers' to judge, and audio whose seconds must be known."""

    def __init__(
        self, config: RuntimeConfig, lifecycle: Lifecycle, outlook: Outlook, *, takes_jobs: bool = False
    ) -> None:
        """`takes_jobs`: whether a job needs no server before it is accepted."""
        self._outlook = outlook
        self._takes_jobs = takes_jobs
        self._lifecycle = lifecycle
        self._shares = FairShare()
        self._no_rates = RateLimits(None, None)
        self.disk = DiskQuota(config.spool_bytes, outlook.seconds_until_room)
        self.max_upload_bytes = min(config.max_upload_bytes, config.spool_bytes)

    def at_the_door(self, client: str, body_bytes: int | None, *, is_deferred: bool = False) -> Admitted:
        """Admits a request of that client, with nothing but its disk.

        `body_bytes` is the length that the client declares; None: a chunked body. Raises HttpError: 503 while the front
        leaves, 413 for too large a body, 429 and 503 for one that would wait for a server in vain.
        """
        if self._lifecycle.phase is Phase.REFUSING:
            raise front_leaves()
        self.check_size(body_bytes)
        self._outlook.check(self._work(client, body_bytes or 0, is_deferred=is_deferred))
        place = self._shares.take(client, body_bytes, is_deferred=True)
        return Admitted(place, self._shares, self._no_rates, self.disk, self.max_upload_bytes)

    def _work(self, client: str, body_bytes: int, *, is_deferred: bool) -> RequestWork:
        if not is_deferred:
            return RequestWork(client, body_bytes / BYTES_PER_SECOND)
        return RequestWork(client, ends=math.inf if self._takes_jobs else None)

    def check_size(self, body_bytes: int | None) -> None:
        """Raises HttpError (413) where a body of the declared length is too large; None: a chunked one."""
        check_upload_size(body_bytes, self.max_upload_bytes)
