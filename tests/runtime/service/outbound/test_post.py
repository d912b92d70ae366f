"""A small body is posted within a bounded time; of the answer nothing but its status is read."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.webhook_receiver import ReceiverRequest, answering_with, receiving
from tests.runtime.service.outbound.conftest import TransportOf
from whisper_runtime.service.outbound.errors import OutboundError
from whisper_runtime.service.outbound.post import post


async def test_the_status_is_returned(transport_of: TransportOf) -> None:
    with receiving(answering_with(418)) as receiver:
        host = f"http://files.test:{httpx.URL(receiver.url).port}"
        assert await post(transport_of(host), f"{host}/a", b"{}", {"webhook-id": "evt_1"}) == 418
        (got,) = receiver.received
    assert (got.body, got.headers["webhook-id"], got.headers["connection"]) == (b"{}", "evt_1", "close")


async def test_a_body_without_end_is_not_read(transport_of: TransportOf) -> None:
    broken_off: list[bool] = []

    def endless(request: ReceiverRequest) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(10**12))
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"a" * 65536)
        except OSError:
            broken_off.append(True)
        request.close_connection = True

    with receiving(endless) as receiver:
        host = f"http://files.test:{httpx.URL(receiver.url).port}"
        assert await post(transport_of(host), host, b"{}", {}) == 200
    assert broken_off == [True]


async def test_who_does_not_answer_is_left(transport_of: TransportOf) -> None:
    def silent(request: ReceiverRequest) -> None:
        request.receiver.over.wait()

    with receiving(silent) as receiver:
        host = f"http://files.test:{httpx.URL(receiver.url).port}"
        with pytest.raises(OutboundError, match=r"did not answer within 0\.1 s") as refused:
            await post(transport_of(host), host, b"{}", {}, seconds=0.1)
    assert refused.value.reason == "TooSlow"
