"""A step as this device is served, as a CUDA graph on a card, computes what launching each operation does."""

from __future__ import annotations

import copy

import pytest
import torch

from whisper_runtime.engine.batching.runner import tokenizer_of
from whisper_runtime.engine.batching.sampling import TOKEN, Sampler
from whisper_runtime.engine.model.cuda_graphs import SHORT_CONTEXT, EagerStep, decode_step
from whisper_runtime.engine.model.kv_cache import KVCache
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.model.precision import Precision
from whisper_runtime.engine.policy.queries import DecodingParams

pytestmark = pytest.mark.slow

ROWS = 20
TOLERANCE: dict[Precision, float] = {"float32": 1e-3, "float16": 0.1, "bfloat16": 0.5}
"""Of a logit: other shapes are computed by other kernels, which add in another order."""


@pytest.fixture
def cache(model: WhisperModel, device: torch.device) -> KVCache:
    """Each row attends to another window, and has tokens up to the last position."""
    generator = torch.Generator(device).manual_seed(2)
    with torch.inference_mode():
        cache = model.decoder.new_cache(ROWS, 1500)
        mels = torch.randn(ROWS, model.dims.n_mels, 3000, generator=generator, device=device)
        model.decoder.cache_windows(model.encoder(mels), cache, 0)
        cache.self_attention.normal_(std=0.1)
    return cache


def test_steps_of_any_rows_at_any_positions(
    model: WhisperModel, cache: KVCache, device: torch.device, precision: Precision
) -> None:
    last = cache.positions - 1
    tokenizer = tokenizer_of(model)
    sampler = Sampler(tokenizer, device)
    first = sampler.rules((), DecodingParams((1,), 0), at_sot=True)
    with torch.inference_mode():
        served = decode_step(model.decoder, cache, sampler.choose, sampler.num_rules)
        assert served.is_recorded == (device.type == "cuda")
        eager = EagerStep(model.decoder, copy.deepcopy(cache), sampler.choose, sampler.num_rules)
        for starts in ([4], [9], [4, 5, 6], [60, 7, 8], [SHORT_CONTEXT], [last], [3] * 7 + [last], [*range(ROWS)]):
            rows = [(500 + start, start, *first) for start in starts]
            wanted, found = eager(rows), served(rows)
            assert found.is_replayed == served.is_recorded
            allowed = wanted.logits.isfinite()
            assert torch.equal(allowed, found.logits.isfinite())
            difference = float((wanted.logits - found.logits)[allowed].abs().max())
            assert difference <= TOLERANCE[precision], (starts, difference)
            assert torch.equal(wanted.found[:, TOKEN], found.found[:, TOKEN])
