"""What waits in a place: an estimate while the upload comes, then its length, and nothing once it is its turn."""

from __future__ import annotations

import pytest

from whisper_runtime.service.place import BYTES_PER_SECOND, MOST_ESTIMATED, QueuePlace, estimated_seconds

MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("size", "seconds"),
    [(None, 0), (0, 0), (BYTES_PER_SECOND * 3, 3), (100 * MEGABYTE, MOST_ESTIMATED)],
)
def test_an_upload_counts_for_what_its_length_lets_expect_and_for_one_window_at_most(
    size: int | None, seconds: float
) -> None:
    assert estimated_seconds(size) == seconds


@pytest.mark.parametrize(
    ("received", "received_at", "now", "is_coming", "waiting"),
    [
        (0, 0, 0.1, False, 0),  # it is only announced
        (200, 0, 0.1, False, 0.1),  # the form's first lines
        (20_000, 0, 0.1, True, 10),  # an eighth of it, and the rest is coming
        (80_000, 4, 4.5, True, 10),  # as fast as it plays
        (80_000, 4, 5.5, False, 5),  # it has stopped
        (20_016, 298.5, 299, False, 1.251),  # a byte now and then
    ],
)
def test_an_upload_counts_for_what_is_on_its_way_and_for_what_has_come_where_it_stops(
    received: int, received_at: float, now: float, is_coming: bool, waiting: float
) -> None:
    place = QueuePlace("alice", since=0.0, declared_bytes=160_000)
    place.receive(received, received_at, is_last=False)
    assert (place.is_coming(now), place.waiting_seconds(now)) == (is_coming, pytest.approx(waiting))


def test_a_chunked_upload_has_no_length_and_counts_for_what_has_come_and_is_on_its_way() -> None:
    place = QueuePlace("alice", since=0.0, declared_bytes=None)
    place.receive(4_000, 0.0, is_last=False)
    assert (place.waiting_seconds(0.5), place.waiting_seconds(5.0)) == (2, 0.25)


def test_an_upload_that_is_here_waits_to_be_decoded_and_then_for_as_long_as_it_plays() -> None:
    place = QueuePlace("alice", since=0.0, declared_bytes=16_000)
    place.receive(16_000, 0.0, is_last=True)
    assert (place.is_coming(100.0), place.waiting_seconds(100.0)) == (True, 1)
    place.seconds = 600
    assert place.waiting_seconds(100.0) == 600
    place.begin()
    assert (place.is_coming(100.0), place.waiting_seconds(100.0)) == (False, 0)
