"""What an admitted request holds comes back: disk and place always, rates where it was refused or failed."""

from __future__ import annotations

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.disk_quota import STEP, DiskQuota
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.rate_limits import RateLimits

CLIENT = "key alice"
REQUESTS = "x-ratelimit-remaining-requests"
AUDIO = "x-ratelimit-remaining-audio-seconds"


@pytest.fixture
def disk() -> DiskQuota:
    return DiskQuota(10 * STEP)


@pytest.fixture
def shares() -> FairShare:
    return FairShare(clock=lambda: 0.0)


@pytest.fixture
async def admitted(shares: FairShare, disk: DiskQuota) -> Admitted:
    """A request of 4 MiB, whose client may send three in a minute and an hour of audio, and is charged for it."""
    rates = RateLimits(3, 60, clock=lambda: 0.0)
    request = Admitted(shares.take(CLIENT, 4 * STEP), shares, rates, disk, 5 * STEP)
    await request.charge_request()
    return request


@pytest.mark.parametrize(
    ("status", "requests", "audio"),
    [
        (200, "2", "3570"),
        (400, "2", "3570"),
        (413, "2", "3570"),
        (429, "3", "3600"),
        (500, "3", "3600"),
        (503, "3", "3600"),
    ],
)
def test_what_was_refused_or_failed_costs_nothing(admitted: Admitted, status: int, requests: str, audio: str) -> None:
    with admitted:
        admitted.charge_audio(30)
        admitted.answer(status)
        admitted.answer(status)
    assert (admitted.headers[REQUESTS], admitted.headers[AUDIO]) == (requests, audio)


@pytest.mark.parametrize(("status", "requests", "audio"), [(200, "2", "3570"), (502, "2", "3600"), (503, "2", "3600")])
def test_a_download_counts_as_a_request_whatever_becomes_of_it(
    admitted: Admitted, status: int, requests: str, audio: str
) -> None:
    """Another server had work with it."""
    with admitted:
        admitted.begin_download()
        admitted.charge_audio(30)
        admitted.answer(status)
    assert (admitted.headers[REQUESTS], admitted.headers[AUDIO]) == (requests, audio)


def test_a_download_takes_the_place_of_the_body(admitted: Admitted, disk: DiskQuota) -> None:
    with admitted:
        admitted.receive(10, is_last=True)
        admitted.begin_download()
        assert (admitted.place.received_bytes, admitted.place.is_received) == (0, False)
        admitted.receive(3 * STEP, is_last=True)
        assert (disk.used, admitted.place.received_bytes, admitted.place.is_received) == (3 * STEP, 3 * STEP, True)
    assert disk.used == 0


def test_a_request_that_fails_by_a_bug_costs_nothing(admitted: Admitted) -> None:
    with pytest.raises(ValueError, match="a bug"), admitted:
        raise ValueError("a bug")
    assert admitted.headers[REQUESTS] == "3"


def test_the_disk_follows_the_body_and_is_given_back(admitted: Admitted, disk: DiskQuota) -> None:
    with admitted:
        assert disk.used == 0
        admitted.receive(10, is_last=False)
        assert disk.used == STEP
        admitted.receive(4 * STEP - 10, is_last=True)
        assert disk.used == 4 * STEP
    assert disk.used == 0


def test_a_body_for_which_the_disk_has_no_room_is_refused_for_now(admitted: Admitted, disk: DiskQuota) -> None:
    with disk.reservation("key bob") as other, admitted:
        other.set(10 * STEP)
        with pytest.raises(HttpError) as error:
            admitted.receive(1, is_last=False)
    assert (error.value.status_code, error.value.body["code"]) == (503, "scratch_full")
    assert disk.used == 0


def test_its_place_ends_with_it(admitted: Admitted, shares: FairShare) -> None:
    with admitted:
        admitted.receive(4 * STEP, is_last=True)
        assert shares.coming()[0] == 1
    assert shares.coming() == (0, 0.0)


def test_a_place_may_outlast_the_request(admitted: Admitted, shares: FairShare) -> None:
    """As where others wait for its transcription."""
    with admitted:
        place = admitted.lasting_place()
        place.__enter__()
        admitted.place.seconds = 30.0
    assert shares.coming()[1] == 30
    place.__exit__(None, None, None)
    assert shares.coming() == (0, 0)


def test_what_a_cache_had_is_in_the_headers(admitted: Admitted) -> None:
    admitted.cache_headers = {"Cache-Status": "whisper; hit"}
    assert admitted.headers["Cache-Status"] == "whisper; hit"
    assert REQUESTS in admitted.headers
