"""The operations that run on a GPU, with tensors that have a device, a shape and a precision, and no content.

No GPU is needed for that: torch's fake tensors refuse to mix devices or precisions, and to be read by the host, just as
CUDA does while a graph is captured. The values are not tested here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from tests.runtime.engine.conftest import DIMS, exhaust, hum
from whisper_runtime.engine.batching.sampling import Sampler, draw
from whisper_runtime.engine.model.checkpoint import read_checkpoint
from whisper_runtime.engine.model.cuda_graphs import GraphedStep, Launch
from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.encoder import Encoder
from whisper_runtime.engine.model.linear import packing
from whisper_runtime.engine.model.mmap_checkpoint import load_mapped
from whisper_runtime.engine.model.precision import Precision, activation_dtype
from whisper_runtime.engine.policy.logits_processor import LogitsProcessor, token_bounds
from whisper_runtime.engine.policy.mel import spectrogram
from whisper_runtime.engine.policy.queries import DecodingParams
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer

CUDA = torch.device("cuda", 0)
ROWS = 6


@pytest.fixture(params=get_args(Precision))
def precision(request: pytest.FixtureRequest) -> Precision:
    return request.param


@pytest.fixture
def on_cuda(checkpoint: Path, precision: Precision) -> Iterator[tuple[Encoder, Decoder]]:
    module = load_mapped(read_checkpoint(checkpoint))
    with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True):
        both, dtype = packing(CUDA, precision), activation_dtype(CUDA, precision)
        yield Encoder(module.encoder, both.many_rows, CUDA, dtype), Decoder(module.decoder, both, CUDA, dtype)


def test_a_window_is_encoded_and_its_prompt_read(on_cuda: tuple[Encoder, Decoder], precision: Precision) -> None:
    encoder, decoder = on_cuda
    features = encoder(torch.zeros(2, DIMS.n_mels, 3000, device=CUDA))
    assert (features.shape, features.dtype, features.device) == ((2, 1500, 16), getattr(torch, precision), CUDA)
    cache = decoder.new_cache(ROWS, 1500)
    decoder.cache_windows(features, cache, 3)
    logits = decoder.logits(decoder([[50, 51, 52]], [0], cache, 3)[0])
    assert (logits.shape, logits.dtype, logits.device) == ((3, DIMS.n_vocab), torch.float32, CUDA)
    hidden, inputs = decoder.attend([50, 51], cache, 3, [(0, 0), (1, 1)], 40)
    assert hidden.device == CUDA
    assert [(query.shape, keys.shape, keys.device.type) for query, keys in inputs] == [((2, 8), (40, 8), "cpu")] * 2
    cache.move(3, 0, 2)
    cache.reorder([1, 0], 2)


def test_a_step_is_captured_without_a_look_from_the_host(
    on_cuda: tuple[Encoder, Decoder], precision: Precision
) -> None:
    _, decoder = on_cuda
    captures: list[Launch] = []

    def capture(launch: Launch) -> Launch:
        captures.append(launch)
        return launch

    sampler = Sampler(ModelTokenizer(True, 99, DIMS.n_vocab, DIMS.n_text_ctx), CUDA)
    cache = decoder.new_cache(ROWS, 1500)
    step = GraphedStep(decoder, cache, sampler.choose, sampler.num_rules, capture, pinned=False)
    for rows in (1, 3, 6):
        found = step([(50, 7, *sampler.rules((), None, at_sot=True))] * rows)
        assert (found.logits.shape, found.logits.dtype, found.logits.device) == (
            (rows, DIMS.n_vocab),
            torch.float32,
            CUDA,
        )
        assert (found.found.shape, found.found.device) == ((rows, 5), CUDA)
    assert len(captures) == 8


def test_a_recording_becomes_a_spectrogram(on_cuda: tuple[Encoder, Decoder]) -> None:
    mel, _ = exhaust(spectrogram(hum(3), DIMS.n_mels, CUDA))
    assert (mel.shape, mel.dtype, mel.device) == ((DIMS.n_mels, 3300), torch.float32, CUDA)


def test_logits_are_masked_and_tokens_drawn(on_cuda: tuple[Encoder, Decoder]) -> None:
    tokenizer = ModelTokenizer(True, 99, DIMS.n_vocab, DIMS.n_text_ctx)
    rows = [token_bounds(sampled, False, tokenizer.vocabulary) for sampled in ([], [400])]
    logits = torch.zeros(2, DIMS.n_vocab, device=CUDA)
    LogitsProcessor(tokenizer.vocabulary, CUDA)(logits, torch.tensor(rows, device=CUDA))
    drawn = draw(logits, [DecodingParams((1, 2), 0, temperature=0.4)] * 2)
    assert (drawn.shape, drawn.device) == ((2,), CUDA)


def test_a_look_from_the_host_would_be_noticed(on_cuda: tuple[Encoder, Decoder]) -> None:
    with pytest.raises(DataDependentOutputException):
        bool(torch.zeros(3, device=CUDA).any())
