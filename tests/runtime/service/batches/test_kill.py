"""Whatever write the server dies at, each batch that it has taken in ends once, each line with its right answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chaos.jobs import single
from chaos.jobs.batches import SECONDS, AcceptedBatches, begin_round, check, clear, end_round
from tests.support.killed_servers import KilledServers, killed_servers
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

MOST_WRITES = 150
"""A round has fewer."""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[KilledServers]:
    with killed_servers(tmp_path) as servers:
        yield servers


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.long), 7], ids=["every write", "some writes"])
def test_a_server_that_dies_at_any_write_loses_no_line(servers: KilledServers, tmp_path: Path, step: int) -> None:
    for number in range(1, MOST_WRITES, step):
        accepted = AcceptedBatches(servers.receiver.url.replace("127.0.0.1", "localhost"))
        servers.start(number)
        try:
            eventually("the server is up, or dead", lambda: servers.is_up() or not servers.is_alive, SECONDS)
            begin_round(servers.client, accepted)
            end_round(servers.client, accepted)
        except httpx.TransportError:
            pass
        if servers.end() == 0:
            break
        servers.start(0)
        eventually("the server is up again", servers.is_up, SECONDS)
        check(servers.client, accepted, servers.receiver, number)
        clear(servers.client)
        single.clear(servers.client)
        for folder in ("files", "batches/files"):
            assert list((tmp_path / "jobs" / folder).iterdir()) == [], number
        assert servers.end() == 0
    assert len(servers.ended) > 60 / step  # up to the last write of the round
    assert servers.ended[-1] == 0
