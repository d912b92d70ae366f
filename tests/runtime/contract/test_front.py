"""What the operator says to a front, and a front to the operator."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.front import DemandReport


@pytest.mark.parametrize("servers", ["speech-servers.team.svc:8000", "10.1.2.3:1", "a:65535", "a:8000,b-1.c:9000"])
def test_where_servers_are(servers: str) -> None:
    assert RuntimeConfig(servers=servers).servers == servers


@pytest.mark.parametrize(
    "servers",
    [
        "speech",
        ":8000",
        "http://speech:8000",
        "speech:0",
        "speech:70000",
        "speech:8000,",
        "-a:80",
        ",".join(["a:1"] * 17),
    ],
)
def test_what_says_of_no_server_where_it_is(servers: str) -> None:
    with pytest.raises(ValidationError, match=r"servers\n  Value error, .*: (write host:port|give them one name)"):
        RuntimeConfig(servers=servers)


def test_demand_is_written_as_the_operator_reads_it() -> None:
    written = DemandReport(held_requests=2, held_bytes=300, active_requests=1, idle_seconds=0.5).model_dump_json(
        by_alias=True
    )
    assert written == '{"heldRequests":2,"heldBytes":300,"activeRequests":1,"idleSeconds":0.5}'
    assert DemandReport.model_validate_json(written).held_requests == 2


def test_less_than_nothing_is_no_demand() -> None:
    with pytest.raises(ValidationError, match="heldRequests"):
        DemandReport.model_validate({"heldRequests": -1, "heldBytes": 0, "activeRequests": 0, "idleSeconds": 0})
