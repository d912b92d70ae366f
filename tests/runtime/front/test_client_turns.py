"""Clients are served the same audio."""

from __future__ import annotations

from whisper_runtime.front import client_turns
from whisper_runtime.front.client_turns import LEAST_SECONDS, ClientTurns


def served(turns: ClientTurns, count: int, **seconds: float) -> list[str]:
    """The clients of the next requests, where each client always has one more of so many seconds."""
    found: list[str] = []
    for _ in range(count):
        found.append(min(seconds, key=turns.due))
        turns.serve(found[-1], seconds[found[-1]])
    return found


def test_clients_whose_recordings_are_alike_take_turns() -> None:
    assert served(ClientTurns(), 6, a=30, b=30, c=30) == ["a", "b", "c"] * 2


def test_a_client_with_short_recordings_has_more_of_them_served_than_one_with_long_ones() -> None:
    order = served(ClientTurns(), 80, a=30, b=10)
    assert (order.count("a"), order.count("b")) == (20, 60)


def test_who_comes_late_is_next_and_has_saved_up_nothing() -> None:
    turns = ClientTurns()
    served(turns, 100, a=30)
    assert served(turns, 4, a=30, b=30) == ["b", "a", "b", "a"]


def test_a_recording_without_length_costs_a_turn() -> None:
    turns = ClientTurns()
    assert served(turns, 4, a=0, b=LEAST_SECONDS) == ["a", "b", "a", "b"]


def test_no_more_clients_are_remembered_than_are_told_apart(monkeypatch: object) -> None:
    turns = ClientTurns()
    for number in range(client_turns.MAX_CLIENTS + 1):
        turns.serve(f"client {number}", 1.0)
    turns.serve("client 1", 1.0)
    assert turns.due("client 1") > turns.due("client 0")
