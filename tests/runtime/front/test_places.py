"""No client keeps another out, however many requests it has."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.front.places import Places


def status(places: Places, client: str) -> int:
    """Of a request that comes now; 200: it has a place."""
    try:
        with places.take(client):
            return 200
    except HttpError as error:
        return error.status_code if int((error.headers or {})["Retry-After"]) else 0


def test_a_client_has_no_more_places_than_it_leaves_to_others() -> None:
    places = Places(10)
    with ExitStack() as held:
        for _ in range(5):
            held.enter_context(places.take("many"))
        assert (status(places, "many"), status(places, "other")) == (429, 200)
    assert status(places, "many") == 200


def test_where_none_is_free_nobody_gets_one() -> None:
    places = Places(3)
    with ExitStack() as held:
        for client in "abc":
            held.enter_context(places.take(client))
        assert status(places, "d") == 503


def test_a_request_that_fails_gives_its_place_back() -> None:
    places = Places(1)
    with pytest.raises(ZeroDivisionError), places.take("a"):
        raise ZeroDivisionError
    assert status(places, "b") == 200
