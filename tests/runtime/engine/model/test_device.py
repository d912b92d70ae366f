"""Only a GPU is asked whether it still computes."""

from __future__ import annotations

import pytest
import torch

from whisper_runtime.engine.model import device


@pytest.mark.parametrize(("kind", "asked"), [("cpu", 0), ("cuda", 1)])
def test_only_a_gpu_is_asked_whether_it_still_computes(monkeypatch: pytest.MonkeyPatch, kind: str, asked: int) -> None:
    asks: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "synchronize", asks.append)
    device.raise_if_lost(torch.device(kind))
    assert asks == [torch.device(kind)] * asked
