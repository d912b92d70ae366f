"""The encoder computes what openai-whisper's does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import whisper
from whisper.audio import N_FRAMES

from tests.support.processor import PRECISIONS
from whisper_runtime.contract.config_types import ComputeType
from whisper_runtime.engine.model import load

RELATIVE_ERROR = {"float32": 1e-4, "bfloat16": 0.05}


@pytest.mark.parametrize("compute_type", PRECISIONS)
def test_the_encoder_is_upstreams_within_the_precision(compute_type: ComputeType, checkpoint: Path) -> None:
    mel = torch.randn(2, 80, N_FRAMES)
    with torch.inference_mode():
        wanted = whisper.load_model(str(checkpoint), device="cpu").encoder(mel)
        found = load.load(checkpoint, "cpu", compute_type).encoder(mel)
    assert (found - wanted).norm() / wanted.norm() < RELATIVE_ERROR[compute_type]
