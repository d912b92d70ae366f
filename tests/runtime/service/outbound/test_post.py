"""A small body is posted within a bounded time; of the answer only its status and Retry-After are read."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.webhook_receiver import ReceiverRequest, answering_with, receiving
from tests.runtime.service.outbound.conftest import TransportOf
from whisper_runtime.service.outbound.errors import OutboundError
from whisper_runtime.service.outbound.post import Posted, post, retry_after_seconds


async def test_the_status_is_returned(transport_of: TransportOf) -> None:
    with receiving(answering_with(418)) as receiver:
        host = f"http://files.test:{httpx.URL(receiver.url).port}"
        assert await post(transport_of(host), f"{host}/a", b"{}", {"webhook-id": "evt_1"}) == Posted(418, None)
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
        assert await post(transport_of(host), host, b"{}", {}) == Posted(200, None)
    assert broken_off == [True]


async def test_who_does_not_answer_is_left(transport_of: TransportOf) -> None:
    def silent(request: ReceiverRequest) -> None:
        request.receiver.over.wait()

    with receiving(silent) as receiver:
        host = f"http://files.test:{httpx.URL(receiver.url).port}"
        with pytest.raises(OutboundError, match=r"did not answer within 0\.1 s") as refused:
            await post(transport_of(host), host, b"{}", {}, seconds=0.1)
    assert refused.value.reason == "TooSlow"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Thu, 01 Jan 1970 00:17:40 GMT", 60.0),
        ("Thu, 01 Jan 1970 00:17:40 -0000", 60.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("9" * 400, 999_999_999_999.0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("\u0664\u0662", None),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, now=1000.0) == seconds
