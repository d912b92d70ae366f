"""What the front refuses before a body, and of a body that its disk has no room for."""

from __future__ import annotations

import pytest

from tests.fakes.front_servers import load_report
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.front import WakeForecast
from whisper_runtime.errors import HttpError
from whisper_runtime.front.demand import DemandCounter
from whisper_runtime.front.door import FrontDoor
from whisper_runtime.front.outlook import Outlook
from whisper_runtime.front.servers import ServerAddress
from whisper_runtime.front.turnstile import Turnstile
from whisper_runtime.service.lifecycle import Lifecycle, Phase


def door(phase: Phase = Phase.SERVING, config: dict[str, int] | None = None) -> FrontDoor:
    lifecycle = Lifecycle()
    lifecycle.phase = phase
    return FrontDoor(RuntimeConfig.model_validate(config or {}), lifecycle, outlook())


def outlook() -> Outlook:
    return Outlook(Turnstile(), DemandCounter(), wait_seconds=300)


def test_what_would_wait_in_vain_is_refused_before_its_body() -> None:
    known = outlook()
    known.note(WakeForecast(expected_seconds=301))
    front = FrontDoor(RuntimeConfig(), Lifecycle(), known)
    with pytest.raises(HttpError) as refused:
        front.at_the_door("a", 5)
    assert refused.value.body["code"] == "no_server_in_time"


def test_a_job_that_needs_no_server_is_taken_however_long_that_takes_to_come() -> None:
    """Where none can come at all, the client learns so; a queue that nobody will empty is no answer."""
    known = outlook()
    known.note(WakeForecast(expected_seconds=3000))
    front, without = (FrontDoor(RuntimeConfig(), Lifecycle(), known, takes_jobs=takes) for takes in (True, False))
    with front.at_the_door("a", 5, is_deferred=True):
        pass
    for other in (lambda: front.at_the_door("a", 5), lambda: without.at_the_door("a", 5, is_deferred=True)):
        with pytest.raises(HttpError) as refused:
            other()
        assert refused.value.body["code"] == "no_server_in_time"
    known.note(WakeForecast(cannot_come="No node has a free GPU."))
    with pytest.raises(HttpError) as refused:
        front.at_the_door("a", 5, is_deferred=True)
    assert refused.value.body["code"] == "no_server_can_come"


async def test_what_is_to_become_a_job_waits_for_no_row() -> None:
    turnstile = Turnstile()
    turnstile.note_load(ServerAddress("a", 1), load_report(free_rows=0, queued_audio_seconds=9_000), asked=0.0)
    front = FrontDoor(RuntimeConfig(), Lifecycle(), Outlook(turnstile, DemandCounter(), wait_seconds=300))
    with pytest.raises(HttpError) as refused:
        front.at_the_door("a", 5)
    assert (refused.value.status_code, refused.value.body["code"]) == (429, "queue_full")
    with front.at_the_door("a", 5, is_deferred=True):
        pass


def test_it_takes_nothing_new_when_it_ends_and_takes_it_until_then() -> None:
    for phase in (Phase.SERVING, Phase.LEAVING):
        with door(phase).at_the_door("a", 5):
            pass
    with pytest.raises(HttpError) as refused:
        door(Phase.REFUSING).at_the_door("a", 5)
    assert (refused.value.status_code, refused.value.body["code"]) == (503, "shutting_down")


@pytest.mark.parametrize("config", [{"max_upload_bytes": 100}, {"spool_bytes": 100}])
def test_what_can_never_be_kept_is_refused_at_once(config: dict[str, int]) -> None:
    with pytest.raises(HttpError) as refused:
        door(config=config).at_the_door("a", 101)
    assert refused.value.status_code == 413


def test_a_full_spool_refuses_for_now_and_a_client_that_fills_it_by_itself() -> None:
    front = door(config={"spool_bytes": 1000})
    with (
        front.at_the_door("a", 800) as first,
        front.at_the_door("a", 800) as second,
        front.at_the_door("b", 800) as other,
    ):
        first.receive(800, is_last=True)
        for request, status in ((second, 429), (other, 503)):
            with pytest.raises(HttpError) as refused:
                request.receive(201 if status == 503 else 150, is_last=True)
            assert refused.value.status_code == status
            assert (refused.value.headers or {})["Retry-After"]
    assert front.disk.used == 0


async def test_rates_are_the_servers_to_count() -> None:
    with door(config={"requests_per_minute": 1}).at_the_door("a", 5) as admitted:
        for _ in range(3):
            await admitted.charge_request()
        assert admitted.headers == {}
