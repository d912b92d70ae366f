"""The kit of the run on a card: weights in eight bits, and a random model that decodes as speech is decoded."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.gpu import eight_bits, random_model
from benchmarks.gpu.kit import PACKAGES, PURE, version
from benchmarks.parity import run
from tests.runtime.engine.conftest import hum
from whisper_runtime.engine.batching.scheduler import Scheduler, build_runner
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.interface import NullObserver
from whisper_runtime.engine.model import load
from whisper_runtime.engine.transcription import Options


def test_weights_in_eight_bits_are_half_as_large_and_nearly_the_same() -> None:
    matrix, bias = torch.randn(30, 40, 3).half(), torch.randn(7)
    checkpoint = {"dims": {"n_mels": 80}, "model_state_dict": {"conv.weight": matrix, "conv.bias": bias}}
    kept = eight_bits.packed(checkpoint)
    found = eight_bits.unpacked(kept)
    assert found["dims"] == {"n_mels": 80}
    state = found["model_state_dict"]
    assert torch.allclose(state["conv.weight"].float(), matrix.float(), atol=0.03)
    assert torch.equal(state["conv.bias"], bias.half())
    levels, scale = kept["model_state_dict"]["conv.weight"]
    assert levels.nbytes + scale.nbytes < 0.55 * matrix.nbytes
    again = eight_bits.unpacked(eight_bits.packed(found))["model_state_dict"]["conv.weight"]
    assert torch.allclose(again.float(), state["conv.weight"].float(), atol=1e-3)


@pytest.mark.parametrize("package", [*PACKAGES, PURE])
def test_each_package_of_the_kit_is_pinned(package: str) -> None:
    assert version(package)[0].isdigit()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", None])
def test_a_random_model_decodes_the_tokens_that_it_may_and_one_window(tmp_path: Path, language: str | None) -> None:
    path = tmp_path / "random.pt"
    random_model.write(path, random_model.dimensions(2, 128), torch.device("cpu"))
    model = load.load(path, "cpu", "float32")
    engine = Scheduler(build_runner(model, NullObserver(), max_new_tokens=9), NullObserver(), ThroughputMeter())
    found = run.transcribe(engine, hum(4.7), Options(language=language, temperatures=(0.0,)))
    assert found.language == "en"
    assert [len(segment.tokens) for segment in found.segments] == [9]
