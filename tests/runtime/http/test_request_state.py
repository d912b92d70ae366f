"""All layers of a request share one state."""

from __future__ import annotations

from starlette.types import Scope

from whisper_runtime.http.request_state import state_of


def test_the_state_is_the_same_for_each_layer_and_begins_with_the_address() -> None:
    scope: Scope = {"type": "http", "client": ("192.0.2.7", 1)}
    state = state_of(scope)
    assert (state.client, state.stream_error) == ("address 192.0.2.7", None)
    state.client = "key alice"
    assert state_of({**scope, "path": "/"}).client == "key alice"


def test_a_socket_without_an_address_is_a_client_too() -> None:
    assert state_of({"type": "http", "client": None}).client == "address "
