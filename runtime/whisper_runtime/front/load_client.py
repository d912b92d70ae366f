"""Asks a server what it has left."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx
from pydantic import ValidationError

from whisper_runtime.contract.front import LoadReport
from whisper_runtime.contract.network import LOAD_PATH
from whisper_runtime.front.servers import ServerAddress

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 2.0
LONGEST_REPORT: Final = 4096
"""Bytes; what answers with more is no server of ours."""


class NoServer(Exception):
    """What is at the address takes no requests: nothing is there, or no server of ours."""


class LoadClient:
    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def ask(self, address: ServerAddress) -> LoadReport:
        """The server's report. Raises NoServer, and TimeoutError where nothing can be said of it yet."""
        asked = httpx.Request(
            "GET",
            f"http://{address.cluster_authority}{LOAD_PATH}",
            extensions={"timeout": {"connect": CONNECT_SECONDS, "read": ANSWER_SECONDS, "write": ANSWER_SECONDS}},
        )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._report(asked)
        except httpx.TimeoutException as error:
            raise TimeoutError(str(error)) from None
        except httpx.TransportError as error:
            raise NoServer(str(error) or type(error).__name__) from None

    async def _report(self, asked: httpx.Request) -> LoadReport:
        response = await self._transport.handle_async_request(asked)
        body = b""
        try:
            assert isinstance(response.stream, httpx.AsyncByteStream)
            async for part in response.stream:
                if len(body := body + part) > LONGEST_REPORT:
                    raise NoServer(f"it answers {LOAD_PATH} with more than {LONGEST_REPORT} bytes")
        finally:
            await response.aclose()
        try:
            return LoadReport.model_validate_json(body)
        except ValidationError:
            raise NoServer(f"it answers {LOAD_PATH} with {response.status_code} and no report of its load") from None
