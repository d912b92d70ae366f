"""One request that was let in, and all that it holds until its response is over: place, disk, its client's rates."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Self

from whisper_runtime.errors import HttpError
from whisper_runtime.media.track_taken import HEADER as TRACK_HEADER
from whisper_runtime.media.track_taken import TrackTaken
from whisper_runtime.service.disk_quota import DiskQuota
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.place import QueuePlace
from whisper_runtime.service.rate_limits import ClientRates


class Admitted:
    """Made by Admission at the door; its `with` block gives everything back. In the event loop's thread."""

    def __init__(
        self, place: QueuePlace, shares: FairShare, rates: ClientRates, disk: DiskQuota, max_upload_bytes: int
    ) -> None:
        """The request, whose body may have `max_upload_bytes`, is not charged yet."""
        self.place = place
        self._shares = shares
        self._rates = rates
        self._upload = disk.reservation(place.client)
        self.samples = disk.reservation(place.client, beside=self._upload)
        """The disk for the decoded recording; who decodes it ends it."""
        self.track: TrackTaken | None = None
        """The track of the file that was decoded; None: none was yet, or it is not known."""
        self.cache_headers: Mapping[str, str] = {}
        """Of the response: what the cache of results had for the request; empty where there is none."""
        self._max_upload_bytes = max_upload_bytes
        self._is_charged, self._is_refundable = False, True
        self._audio_charged = 0.0
        self._leaves_place = True

    @property
    def client(self) -> str:
        """The name under which limits count the sender."""
        return self.place.client

    @property
    def headers(self) -> dict[str, str]:
        """The client's limits and what is left of them, the track that was decoded, and what the cache had."""
        track = {TRACK_HEADER: self.track.header} if self.track else {}
        return {**self._rates.headers(self.client), **track, **self.cache_headers}

    async def charge_request(self) -> None:
        """Counts the request among its client's; raises HttpError (429), with their limits, where it has to wait."""
        try:
            await self._rates.charge_request(self.client)
        except HttpError as error:
            raise error.with_headers(self._rates.headers(self.client)) from None
        self._is_charged = True

    async def charge_to(self, rates: ClientRates) -> None:
        """The same by these rates, which are the request's from now on: until now nobody's were."""
        self._rates = rates
        await self.charge_request()

    def begin_download(self) -> None:
        """Takes a file that another server sends for the body from now on.

        The request counts whatever becomes of it: the other server has work with it.
        """
        self._is_refundable = False
        self._shares.restart(self.place)

    def receive(self, size: int, *, is_last: bool) -> None:
        """Notes `size` more bytes of the body; raises HttpError (429, 503) where the disk has no room for them."""
        received = self.place.received_bytes + size
        most = self._max_upload_bytes if self.place.declared_bytes is None else self.place.declared_bytes
        self._upload.cover(received, most)
        self._shares.receive(self.place, size, is_last=is_last)

    def charge_audio(self, seconds: float) -> None:
        """Counts the request's `seconds` of audio."""
        self._rates.charge_audio(self.client, seconds)
        self._audio_charged = seconds

    @contextmanager
    def lasting_place(self) -> Generator[None, None, None]:
        """Holds the place in the queue until the end of the block, which may outlast the request."""
        self._leaves_place = False
        try:
            yield
        finally:
            self._shares.leave(self.place)

    def answer(self, status: int) -> None:
        """Notes the status of the response: what was refused or failed here waits no more, and costs nothing but the
        request of a download."""
        if self.place.seconds is None:
            self.place.is_waiting = False
        if status == 429 or status >= 500:
            if self._is_charged and self._is_refundable:
                self._rates.return_request(self.client)
            self._is_charged = False
            self.return_audio()

    def return_audio(self) -> None:
        """Gives the charged audio back: it is not transcribed for this request."""
        self._rates.return_audio(self.client, self._audio_charged)
        self._audio_charged = 0.0

    async def settle(self) -> None:
        """Waits until what this request costs counts wherever its client sends the next one."""
        await self._rates.settle(self.client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if error is not None:
            self.answer(500)  # a bug: no layer above knows who sent the request
        if self._leaves_place:
            self._shares.leave(self.place)
        self._upload.set(0)
