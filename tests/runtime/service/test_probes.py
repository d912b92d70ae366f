"""Each of the kubelet's probes asks its own question."""

from __future__ import annotations

import pytest

from tests.fakes.engine import FakeEngine
from whisper_runtime.engine.interface import State
from whisper_runtime.service.lifecycle import STALE_SECONDS, Lifecycle, Phase
from whisper_runtime.service.probes import Probes


@pytest.mark.parametrize(
    ("state", "phase", "unhealthy", "started", "unready"),
    [
        (State.LOADING, Phase.SERVING, None, False, "loading"),
        (State.READY, Phase.SERVING, None, True, None),
        (State.READY, Phase.LEAVING, None, True, "draining"),
        (State.READY, Phase.REFUSING, None, True, "draining"),
        (State.FAILED, Phase.SERVING, "no such file", True, "failed"),
        (State.STOPPED, Phase.SERVING, None, True, "stopped"),
    ],
)
def test_answers_by_state_and_phase(
    state: State, phase: Phase, unhealthy: str | None, started: bool, unready: str | None
) -> None:
    engine, lifecycle = FakeEngine(state), Lifecycle()
    engine.error, lifecycle.phase = "no such file", phase
    probes = Probes(engine, lifecycle)
    assert (probes.unhealthy, probes.started, probes.unready) == (unhealthy, started, unready)


def test_a_stuck_main_loop_is_unhealthy() -> None:
    now = 0.0
    lifecycle = Lifecycle(clock=lambda: now)
    probes = Probes(FakeEngine(), lifecycle)
    now = STALE_SECONDS + 1
    assert probes.unhealthy == "the server's event loop does not run"
    lifecycle.beat()
    assert probes.unhealthy is None


def test_a_model_whose_thread_hangs_is_unhealthy() -> None:
    engine = FakeEngine()
    probes = Probes(engine, Lifecycle())
    engine.is_stuck = True
    assert probes.unhealthy == "the model's thread hangs"
