"""What is asked of a GPU and not of a CPU: whether it still computes, how it attends, when its work has ended."""

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


@pytest.mark.parametrize(("kind", "chosen"), [("cpu", []), ("cuda", [False])])
def test_a_gpu_attends_by_no_kernel_that_is_planned_for_each_length(
    monkeypatch: pytest.MonkeyPatch, kind: str, chosen: list[bool]
) -> None:
    enabled: list[bool] = []
    monkeypatch.setattr(torch.backends.cuda, "enable_cudnn_sdp", enabled.append)
    device.choose_attention(torch.device(kind))
    assert enabled == chosen


class FakeEvent:
    """An event of CUDA: it has come once the GPU has done what it was given before; `now` is the GPU's clock, in ms."""

    now = 0.0

    def __init__(self, *, enable_timing: bool) -> None:
        self.at = float("inf") if enable_timing else None

    def record(self) -> None:
        self.at = FakeEvent.now

    def query(self) -> bool:
        return self.at is not None and self.at < FakeEvent.now

    def elapsed_time(self, end: FakeEvent) -> float:
        assert self.at is not None
        assert end.at is not None
        return end.at - self.at


def test_work_of_a_gpu_is_timed_by_its_own_clock_and_reported_when_it_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    reported: list[tuple[str, float]] = []
    timer = device.DeviceTimer(torch.device("cuda"), lambda stage, seconds: reported.append((stage, seconds)))
    FakeEvent.now = 10.0
    with timer.timed("encode"):
        FakeEvent.now = 15.0
    timer.report_ended()
    assert reported == []
    FakeEvent.now = 16.0
    timer.report_ended()
    timer.report_ended()
    assert reported == [("encode", 0.005)]


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_work_that_raises_is_not_reported(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    reported: list[str] = []
    timer = device.DeviceTimer(torch.device(kind), lambda stage, _: reported.append(stage))
    with pytest.raises(torch.OutOfMemoryError), timer.timed("encode"):
        raise torch.OutOfMemoryError
    with timer.timed("again"):
        pass
    FakeEvent.now += 1
    timer.report_ended()
    assert reported == ["again"]
