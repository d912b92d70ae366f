"""The decoder computes what openai-whisper's does, in whichever pieces the tokens come."""

from __future__ import annotations

from pathlib import Path

import torch
import whisper

from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.load import WhisperModel


def test_the_decoder_is_upstreams_with_all_at_once_and_token_by_token(checkpoint: Path) -> None:
    """Given two rows at different positions."""
    theirs, mine = whisper.load_model(str(checkpoint), device="cpu"), load.load(checkpoint, "cpu", "float32")
    features, tokens = torch.randn(1, 1500, 16), list(range(50, 60))
    with torch.inference_mode():
        wanted = theirs.logits(torch.tensor([tokens]), features)[0]
        cache = mine.decoder.new_cache(2, 1500)
        for row in range(2):
            mine.decoder.cache_windows(features, cache, row)
        all_at_once = mine.decoder.logits(mine.decoder([tokens], [0], cache, 0))[0]
        mine.decoder([tokens[:4]], [0], cache, 1)
        mine.decoder([tokens[:8]], [0], cache, 0)
        both = mine.decoder.logits(mine.decoder([[tokens[8]], [tokens[4]]], [8, 4], cache))[:, 0]
    assert torch.allclose(all_at_once, wanted, atol=1e-4)
    assert torch.allclose(both, wanted[[8, 4]], atol=1e-4)


def test_rows_that_share_a_window_read_it_once_and_compute_the_same(smallest: WhisperModel) -> None:
    features, tokens = torch.randn(1, 1500, 16), [[50, 51], [60, 61], [70, 71]]
    with torch.inference_mode():
        shared, own = smallest.decoder.new_cache(3, 1500, shared=True), smallest.decoder.new_cache(3, 1500)
        smallest.decoder.cache_windows(features, shared, 0)
        for row in range(3):
            smallest.decoder.cache_windows(features, own, row)
        assert torch.allclose(
            smallest.decoder(tokens, [0] * 3, shared), smallest.decoder(tokens, [0] * 3, own), atol=1e-5
        )
    assert shared.windows.numel() * 3 == own.windows.numel()
