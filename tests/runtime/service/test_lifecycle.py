"""A main loop that has not run for a while is stuck."""

from __future__ import annotations

from whisper_runtime.service.lifecycle import STALE_SECONDS, Lifecycle


def test_a_heartbeat_is_stale_after_a_while_and_until_the_next() -> None:
    now = 100.0
    lifecycle = Lifecycle(clock=lambda: now)
    now += STALE_SECONDS
    assert not lifecycle.stale
    now += 1
    assert lifecycle.stale
    lifecycle.beat()
    assert not lifecycle.stale
