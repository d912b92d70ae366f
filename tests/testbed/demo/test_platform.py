"""The order of the platform's steps: what waits for what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from testbed.demo import platform
from testbed.demo.steps import DemoStep


def test_words_do_not_wait_for_what_the_cluster_needs_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def run(step: DemoStep) -> str:
        done.append(step.name)
        return ""

    def together(*chains: Sequence[DemoStep]) -> None:
        done.extend(" > ".join(step.name for step in chain) for chain in chains)

    def command(*_: str) -> tuple[str, ...]:
        return ("true",)

    monkeypatch.setattr(platform, "run", run)
    monkeypatch.setattr(platform, "together", together)
    monkeypatch.setattr(platform, "setup", lambda: None)
    monkeypatch.setattr(platform, "mirror_file", lambda: Path("mirror.yaml"))
    for name in ("kubectl", "helm_upgrade"):
        monkeypatch.setattr(platform, name, command)
    platform.start(DemoStep("words", ("true",), ""))
    assert done == [
        "cluster",
        "cluster's add-ons",
        "images into the cluster > model mirror > operator > mirror ready > words",
    ]
