"""Asks Admission at the door, before the request's body is read."""

from __future__ import annotations

from typing import Final, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.errors import HttpError
from whisper_runtime.http.early_response import refuse
from whisper_runtime.http.middleware.base import HttpMiddleware
from whisper_runtime.http.prefer import JOB_PATHS, async_preference
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.admitted import Admitted

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""They read, and are always admitted (RFC 9110, section 9.2.1)."""
CANCELLATION: Final = "/cancel"
"""The end of a path by which a job is cancelled: it makes room."""


STORED_PATHS: Final = frozenset({"/v1/files", "/v1/batches"})
"""What is posted there is kept, and waits for no row of the model."""


class Door(Protocol):
    """Where requests for work are let in, or refused."""

    @property
    def max_upload_bytes(self) -> int:
        """The most bytes that a body may have."""
        ...

    def at_the_door(self, client: str, body_bytes: int | None, *, is_deferred: bool = False) -> Admitted:
        """Admits a request of that client, before its body is read.

        `body_bytes` is the length that the client declares; None: a chunked body. `is_deferred`: it is to become a job.
        Raises HttpError.
        """
        ...

    def check_size(self, body_bytes: int | None) -> None:
        """Raises HttpError (413) where a body of the declared length is too large; None: a chunked one."""
        ...


class AdmissionMiddleware(HttpMiddleware):
    """Refuses work that cannot be taken, and holds what was given to an admitted request until its response is over.

    Work comes by POST. Any other body is only held to its bounds, for no route takes it.
    """

    def __init__(self, app: ASGIApp, admission: Door, *, takes_jobs: bool = False) -> None:
        super().__init__(app)
        self.admission = admission
        self.takes_jobs = takes_jobs

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in SAFE_METHODS:
            return await self.app(scope, receive, send)
        state, size = state_of(scope), declared_bytes(scope)
        try:
            if scope["method"] != "POST" or scope["path"].endswith(CANCELLATION):
                self.admission.check_size(size)
                return await self.app(scope, receive, send)
            if self.takes_jobs and scope["path"] in JOB_PATHS:
                state.preference = async_preference(Headers(scope=scope))
            is_deferred = state.preference is not None or scope["path"] in STORED_PATHS
            entered = self.admission.at_the_door(state.client, size, is_deferred=is_deferred)
        except HttpError as error:
            return await refuse(error, scope, receive, send, self.admission.max_upload_bytes)
        with entered as admitted:
            try:
                await admitted.charge_request()
            except HttpError as error:
                return await refuse(error, scope, receive, send, self.admission.max_upload_bytes)
            state.admitted = admitted
            await self.app(scope, receive, _with_rates(send, admitted))
            if state.stream_error:
                admitted.answer(state.stream_error.status_code)


def declared_bytes(scope: Scope) -> int | None:
    """The length of the body that the client declares; None: a chunked body."""
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isdecimal() else None


def _with_rates(send: Send, admitted: Admitted) -> Send:
    """Adds the client's limits to the response, once what it did not get is taken back."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            admitted.answer(message["status"])
            await admitted.settle()
            MutableHeaders(scope=message).update(admitted.headers)
        await send(message)

    return sending
