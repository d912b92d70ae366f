"""When a request goes on to another server."""

from __future__ import annotations

import pytest

from whisper_runtime.front.retries import MOST_LOST, TriedServers, goes_to_another, no_server


def test_a_request_outlives_servers_but_not_all_of_them() -> None:
    tried = TriedServers()
    assert [tried.lose(is_repeatable=True) for _ in range(MOST_LOST - 1)] == [None] * (MOST_LOST - 1)
    last = tried.lose(is_repeatable=True)
    assert last
    assert (last.status_code, last.body["code"]) == (502, "servers_lost")


def test_what_may_have_been_done_is_not_done_again_and_its_client_is_told() -> None:
    error = TriedServers().lose(is_repeatable=False)
    assert error
    assert (error.status_code, error.body["code"]) == (502, "server_lost")
    assert "Idempotency-Key" in str(error.body["message"])


@pytest.mark.parametrize(
    ("code", "is_repeatable", "has_others", "goes"),
    [
        ("shutting_down", True, False, True),
        ("shutting_down", False, False, True),
        ("model_not_ready", True, False, True),
        ("scratch_full", True, True, True),
        ("scratch_full", True, False, False),
        ("scratch_full", False, True, False),
        ("", True, True, True),
        ("", True, False, False),
    ],
)
def test_which_refusals_are_not_the_answer(code: str, is_repeatable: bool, has_others: bool, goes: bool) -> None:
    assert goes_to_another(code, is_repeatable=is_repeatable, has_others=has_others) is goes


def test_who_has_waited_in_vain_learns_for_how_long_and_when_to_try_again() -> None:
    error = no_server(300)
    assert error.headers == {"Retry-After": "30"}
    assert "within 300 s" in str(error.body["message"])
