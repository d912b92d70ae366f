"""The alignment heads of a model are those that openai-whisper publishes, or the upper half of its layers."""

from __future__ import annotations

import pytest
import torch
import whisper
from whisper.model import ModelDimensions

from whisper_runtime.engine.model.alignment_heads import alignment_heads
from whisper_runtime.engine.model.load import WhisperModel


def dimensions(mels: int, vocabulary: int, layers: int, heads: int) -> ModelDimensions:
    return ModelDimensions(mels, 1500, 64, heads, 1, vocabulary, 448, 64, heads, layers)


TINY_EN = dimensions(80, 51864, 4, 6)
BASE = dimensions(80, 51865, 6, 8)
LARGE_V2 = dimensions(80, 51865, 32, 20)
LARGE_V3 = dimensions(128, 51866, 32, 20)
TURBO = dimensions(128, 51866, 4, 20)


@pytest.mark.parametrize(
    ("name", "known", "dims"),
    [
        ("tiny.en", "tiny.en", TINY_EN),
        ("base-4a31734c7179", "base", BASE),
        ("large-v2", "large-v2", LARGE_V2),
        ("large-v3-e5b1a55b89c1", "large-v3", LARGE_V3),
        ("large", "large-v3", LARGE_V3),
        ("large-medical", "large-v3", LARGE_V3),
        ("large-v3-turbo", "large-v3-turbo", TURBO),
        ("turbo", "large-v3-turbo", TURBO),
    ],
)
def test_alignment_heads_are_those_of_the_models_name(name: str, known: str, dims: ModelDimensions) -> None:
    reference = torch.nn.Module()
    reference.dims = dims
    whisper.model.Whisper.set_alignment_heads(reference, whisper._ALIGNMENT_HEADS[known])  # type: ignore[arg-type]
    wanted = [tuple(pair) for pair in reference.alignment_heads.indices().T.tolist()]  # type: ignore[operator]
    assert list(alignment_heads(name, dims)) == wanted


@pytest.mark.parametrize(
    ("name", "dims"),
    [
        ("large-medical", LARGE_V2),
        ("large-v3-from-v2", LARGE_V2),
        ("large-v2", LARGE_V3),
        ("large-v3", TURBO),
        ("base.en", BASE),
        ("tiny", TINY_EN),
        ("medical", BASE),
    ],
)
def test_a_name_that_the_dimensions_belie_counts_for_nothing(name: str, dims: ModelDimensions) -> None:
    layers = range(dims.n_text_layer // 2, dims.n_text_layer)
    assert alignment_heads(name, dims) == tuple((layer, head) for layer in layers for head in range(dims.n_text_head))


def test_a_model_of_no_known_name_aligns_by_the_upper_half_of_its_layers(smallest: WhisperModel) -> None:
    assert smallest.alignment_heads == ((1, 0), (1, 1))
