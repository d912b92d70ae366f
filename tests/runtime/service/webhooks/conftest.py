"""Events, and what they are sent with: loopback is listed, and a secret is mounted."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.resolver import FakeResolver
from tests.fakes.webhook_receiver import SECRET
from whisper_runtime.contract.outbound import AllowedHost
from whisper_runtime.service.jobs.outbox import Delivery
from whisper_runtime.service.outbound.transport import GuardedTransport, OutboundPolicy

TransportTo = Callable[..., GuardedTransport]


def delivery(**fields: Any) -> Delivery:
    return Delivery(
        **{
            "event_id": "evt_1",
            "job_id": "tr_1",
            "client": "key ann",
            "type": "transcription.completed",
            "url": "http://hooks.test/",
            "created": 7.0,
            "state": "pending",
            "attempt": 1,
            "due": 0.0,
            "failure": None,
            **fields,
        }
    )


@pytest.fixture
def secrets_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    (directory / "a").write_text(SECRET)
    return directory


@pytest.fixture
async def transport_to() -> AsyncIterator[TransportTo]:
    """A transport to hosts such as `http://hooks.test:8080`, a name of loopback unless the test has another one."""
    opened: list[GuardedTransport] = []

    def to(*hosts: str, networks: tuple[str, ...] = ("127.0.0.0/8",), **names: list[str]) -> GuardedTransport:
        policy = OutboundPolicy(tuple(map(AllowedHost.parse, hosts)), tuple(map(ip_network, networks)))
        resolver = FakeResolver(**({"hooks_test": ["127.0.0.1"]} | names))
        opened.append(GuardedTransport(policy, resolver, ssl.create_default_context()))
        return opened[-1]

    yield to
    for transport in opened:
        await transport.aclose()
