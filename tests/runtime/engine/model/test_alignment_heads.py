"""The alignment heads of a model are those that openai-whisper publishes, or the upper half of its layers."""

from __future__ import annotations

import pytest
import torch
import whisper

from whisper_runtime.engine.model.alignment_heads import alignment_heads
from whisper_runtime.engine.model.load import WhisperModel


@pytest.mark.parametrize("name", ["base-4a31734c7179", "large-v3-turbo", "large-v3-e5b1a55b89c1", "tiny.en"])
def test_alignment_heads_are_those_of_the_models_name(name: str) -> None:
    known = max((one for one in whisper._ALIGNMENT_HEADS if name.startswith(one)), key=len)
    reference = torch.nn.Module()
    layers, heads = {"base": (6, 8), "large-v3-turbo": (4, 20), "large-v3": (32, 20), "tiny.en": (4, 6)}[known]
    dims = whisper.model.ModelDimensions(80, 1500, 64, heads, 1, 51865, 448, 64, heads, layers)
    reference.dims = dims
    whisper.model.Whisper.set_alignment_heads(reference, whisper._ALIGNMENT_HEADS[known])  # type: ignore[arg-type]
    wanted = [tuple(pair) for pair in reference.alignment_heads.indices().T.tolist()]  # type: ignore[operator]
    assert list(alignment_heads(name, dims)) == wanted


def test_a_model_of_no_known_name_aligns_by_the_upper_half_of_its_layers(smallest: WhisperModel) -> None:
    assert smallest.alignment_heads == ((1, 0), (1, 1))
