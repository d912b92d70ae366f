"""What the operator says to a front, and a front to the operator."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.front import DemandReport, LoadReport, WakeForecast


@pytest.mark.parametrize(
    "servers", ["speech-servers.team.svc:8000", "10.1.2.3:1", "a:65535", "a:8000,b-1.c:9000", "a:8000:9000"]
)
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
        "a:80:",
        "a:80:0",
        "a:80:70000",
        "a:80:90:100",
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
    assert written == (
        '{"heldRequests":2,"heldBytes":300,"activeRequests":1,"refusedRequests":0,'
        '"heldAudioSeconds":0.0,"heldWaitSeconds":0.0,"idleSeconds":0.5,"wantedRequests":3}'
    )
    assert DemandReport.model_validate_json(written).held_requests == 2


def test_a_load_is_written_as_the_front_reads_it() -> None:
    load = LoadReport(is_ready=True, queued_audio_seconds=1.5, free_rows=0, queue_limit_seconds=1800, speed=20)
    written = load.model_dump_json(by_alias=True)
    assert written == ('{"isReady":true,"queuedAudioSeconds":1.5,"freeRows":0,"queueLimitSeconds":1800.0,"speed":20.0}')
    assert LoadReport.model_validate_json(written) == load


def test_a_forecast_is_written_by_the_operator_as_the_front_reads_it() -> None:
    forecast = WakeForecast(expected_seconds=14.5, audio_speed=20, cannot_come=None)
    written = forecast.model_dump_json(by_alias=True)
    assert written == '{"expectedSeconds":14.5,"audioSpeed":20.0,"cannotCome":null}'
    assert WakeForecast.model_validate_json(written) == forecast
    assert WakeForecast.model_validate_json("{}") == WakeForecast()


@pytest.mark.parametrize(
    "forecast", [{"expectedSeconds": -1}, {"audioSpeed": 0}, {"cannotCome": ""}, {"cannotCome": "x" * 501}]
)
def test_what_cannot_be_is_no_forecast(forecast: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WakeForecast.model_validate(forecast)


def test_less_than_nothing_is_no_demand() -> None:
    with pytest.raises(ValidationError, match="heldRequests"):
        DemandReport.model_validate({"heldRequests": -1, "heldBytes": 0, "activeRequests": 0, "idleSeconds": 0})
