"""A checkpoint of any size whose weights are random, and which nevertheless decodes as speech is decoded.

A window's first token is a timestamp, the others are text, <|endoftext|> never comes, and the language is English: so
each request decodes as many tokens as it may, and one window after the other.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from torch import nn
from whisper.model import AudioEncoder, ModelDimensions, TextDecoder
from whisper.tokenizer import get_tokenizer

HEAD_WIDTH: Final = 64
SPREAD: Final = 0.02
"""Standard deviation of the weights, with which activations stay within float16's range."""
TEXT_SPREAD: Final = 6.0
"""Standard deviation of the text tokens' logits: the likeliest is likelier than all 1,501 timestamps together."""
BIAS, ENGLISH = 4.0, 2.5
"""The language token's logit is about their product: certain among languages, and below the likeliest text."""


def dimensions(layers: int, width: int) -> ModelDimensions:
    """large-v3's but for the number of layers and their width."""
    heads = width // HEAD_WIDTH
    return ModelDimensions(128, 1500, width, heads, layers, 51866, 448, width, heads, layers)


def write(path: Path, dims: ModelDimensions, device: torch.device) -> None:
    """The weights are drawn on `device`, where that is fastest, and stored in float16."""
    generator = torch.Generator(device).manual_seed(1)
    state = {name: _drawn(name, shape, generator).to("cpu", torch.float16) for name, shape in _shapes(dims).items()}
    width = dims.n_text_state
    embedding = state["decoder.token_embedding.weight"]
    tokenizer = get_tokenizer(True, num_languages=dims.n_vocab - 51766, language="en", task="transcribe")
    embedding.mul_(TEXT_SPREAD / SPREAD / width**0.5)
    embedding[tokenizer.eot :] = 0
    embedding[tokenizer.language_token] = ENGLISH / width**0.5
    state["decoder.ln.bias"].fill_(BIAS / width**0.5)
    torch.save({"dims": asdict(dims), "model_state_dict": state}, path)


def _shapes(dims: ModelDimensions) -> dict[str, torch.Size]:
    with torch.device("meta"):
        parts: dict[str, nn.Module] = {
            "encoder": AudioEncoder(
                dims.n_mels, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer
            ),
            "decoder": TextDecoder(
                dims.n_vocab, dims.n_text_ctx, dims.n_text_state, dims.n_text_head, dims.n_text_layer
            ),
        }
    return {
        f"{part}.{name}": value.shape for part, module in parts.items() for name, value in module.state_dict().items()
    }


def _drawn(name: str, shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    """A norm's weight is one, a bias is zero, and everything else is random."""
    if len(shape) == 1:
        return torch.full(shape, 1.0 if name.endswith("weight") else 0.0)
    return SPREAD * torch.randn(shape, generator=generator, device=generator.device)
