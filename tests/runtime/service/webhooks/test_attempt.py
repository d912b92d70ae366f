"""One attempt is signed, goes to an allowed server alone, and its outcome is the status that comes back."""

from __future__ import annotations

from pathlib import Path

import httpx
import openai
import pytest

from tests.fakes.webhook_receiver import SECRET, answering_with, receiving
from tests.runtime.service.outbound.test_addresses import REFUSED
from tests.runtime.service.webhooks.conftest import TransportTo, delivery
from tests.support.counted_socket import counted_socket, was_connected_to
from whisper_runtime.service.outbound.post import Posted
from whisper_runtime.service.webhooks.attempt import DELIVERED, UNSIGNED, DeliveryAttempt, attempt, judged


async def test_an_event_is_posted_as_the_client_can_verify_it(transport_to: TransportTo, secrets_dir: Path) -> None:
    with receiving() as receiver:
        host = f"http://hooks.test:{httpx.URL(receiver.url).port}"
        tried = await attempt(transport_to(host), secrets_dir, delivery(url=f"{host}/a?token=b"))
        (got,) = receiver.received
    assert tried == DELIVERED
    assert (got.path, got.headers["content-type"]) == ("/a?token=b", "application/json")
    assert not {"authorization", "cookie", "referer"} & set(got.headers)
    with openai.OpenAI(api_key="none", webhook_secret=SECRET) as client:
        assert client.webhooks.unwrap(got.body, got.headers).id == got.headers["webhook-id"] == "evt_1"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    assert judged(Posted(status, None)) == DELIVERED


def test_410_wants_no_more() -> None:
    assert judged(Posted(410, None)).outcome == "gone"


@pytest.mark.parametrize("status", [100, 300, 301, 304, 308, 400, 401, 404, 408, 429, 500, 503, 599])
def test_any_other_status_may_be_another_one_the_next_time(status: int) -> None:
    tried = judged(Posted(status, None))
    assert tried.outcome == "failed"
    assert f"`webhook_url` answered {status}" in tried.failure


async def test_a_receiver_may_say_when_to_come_again(transport_to: TransportTo, secrets_dir: Path) -> None:
    with receiving(answering_with(429, **{"Retry-After": "120"})) as receiver:
        host = f"http://hooks.test:{httpx.URL(receiver.url).port}"
        tried = await attempt(transport_to(host), secrets_dir, delivery(url=host))
    assert tried == DeliveryAttempt("failed", "`webhook_url` answered 429.", retry_after=120.0)


async def test_a_redirect_is_not_followed(transport_to: TransportTo, secrets_dir: Path) -> None:
    with counted_socket() as other:
        target = f"http://hooks.test:{other.getsockname()[1]}/"
        with receiving(answering_with(307, Location=target)) as receiver:
            host = f"http://hooks.test:{httpx.URL(receiver.url).port}"
            tried = await attempt(transport_to(host, target.rstrip("/")), secrets_dir, delivery(url=host))
        assert (tried.outcome, was_connected_to(other)) == ("failed", False)
    assert "redirects are not followed: send its final address" in tried.failure


@pytest.mark.parametrize("address", REFUSED)
async def test_nothing_is_connected_to_at_an_address_that_is_not_public(
    transport_to: TransportTo, secrets_dir: Path, address: str
) -> None:
    """Though its name was allowed when the job was taken: what counts is where the name leads now."""
    with counted_socket("::") as listener:
        host = f"http://hooks.test:{listener.getsockname()[1]}"
        transport = transport_to(host, networks=(), hooks_test=[address])
        tried = await attempt(transport, secrets_dir, delivery(url=f"{host}/secret"))
        assert (tried.outcome, was_connected_to(listener)) == ("failed", False)
    assert tried.failure == "`webhook_url` is on hooks.test, at an address to which this server does not connect."


async def test_a_server_that_cannot_be_reached_is_named_without_its_address(
    transport_to: TransportTo, secrets_dir: Path
) -> None:
    with counted_socket() as closed:
        host = f"http://hooks.test:{closed.getsockname()[1]}"
    tried = await attempt(transport_to(host), secrets_dir, delivery(url=f"{host}/secret"))
    assert tried == DeliveryAttempt("failed", "`webhook_url` is on hooks.test, which cannot be reached.")


async def test_nothing_is_sent_unsigned(
    transport_to: TransportTo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with counted_socket() as listener:
        host = f"http://hooks.test:{listener.getsockname()[1]}"
        tried = await attempt(transport_to(host), tmp_path, delivery(url=host))
        assert not was_connected_to(listener)
    assert tried == UNSIGNED
    assert f"no event can be sent: there is no secret of webhooks in {tmp_path}" in caplog.text
