"""What runs on a GPU, with tensors that have a device, a shape and a precision, and no content.

No GPU is needed for that: torch's fake tensors refuse to mix devices or precisions, and to be read by the host, just as
CUDA does while a graph is recorded. What is computed is not tested here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from tests.runtime.engine.conftest import DIMS, hum
from whisper_runtime.engine.batching.sampling import _draw  # pyright: ignore[reportPrivateUsage]
from whisper_runtime.engine.model.cuda_graphs import Recorded, Step
from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.encoder import Encoder
from whisper_runtime.engine.model.linear import Precision, activations, packs
from whisper_runtime.engine.model.mmap_checkpoint import mapped
from whisper_runtime.engine.policy.logit_filters import Filters, bounds
from whisper_runtime.engine.policy.mel import spectrogram
from whisper_runtime.engine.policy.queries import Script
from whisper_runtime.engine.policy.tokens import Tokens

CUDA = torch.device("cuda", 0)
ROWS = 6


@pytest.fixture(params=get_args(Precision))
def precision(request: pytest.FixtureRequest) -> Precision:
    return request.param


@pytest.fixture
def on_cuda(checkpoint: Path, precision: Precision) -> Iterator[tuple[Encoder, Decoder]]:
    module = mapped(checkpoint)
    with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True):
        both, dtype = packs(CUDA, precision), activations(CUDA, precision)
        yield Encoder(module.encoder, both.many, CUDA, dtype), Decoder(module.decoder, both, CUDA, dtype)


def test_a_window_is_encoded_and_its_prompt_read(on_cuda: tuple[Encoder, Decoder], precision: Precision) -> None:
    encoder, decoder = on_cuda
    features = encoder(torch.zeros(2, DIMS.n_mels, 3000, device=CUDA))
    assert (features.shape, features.dtype, features.device) == ((2, 1500, 16), getattr(torch, precision), CUDA)
    cache = decoder.cache(ROWS, 1500)
    decoder.listen(features[:1], cache, 3)
    logits = decoder.logits(decoder([[50, 51, 52]], [0], cache, 3)[0])
    assert (logits.shape, logits.dtype, logits.device) == ((3, DIMS.n_vocab), torch.float32, CUDA)
    hidden, scores = decoder.attention([50, 51], cache, 3, [(0, 0), (1, 1)])
    assert (hidden.device, scores.shape, scores.dtype) == (CUDA, (2, 2, 1500), torch.float32)
    cache.move(3, 0, 2)
    cache.reorder([1, 0], 2)


def test_a_step_is_recorded_without_a_look_from_the_host(
    on_cuda: tuple[Encoder, Decoder], precision: Precision
) -> None:
    _, decoder = on_cuda
    operations: list[str] = []

    def record(step: Step) -> Step:
        operations.append("recorded")
        return step

    steps = Recorded(decoder, decoder.cache(ROWS, 1500), record)
    for rows in (1, 3, 6):
        logits = steps([50] * rows, [7] * rows)
        assert (logits.shape, logits.dtype, logits.device) == ((rows, DIMS.n_vocab), torch.float32, CUDA)
    assert operations == ["recorded"] * 3


def test_a_recording_becomes_a_spectrogram(on_cuda: tuple[Encoder, Decoder]) -> None:
    with pytest.raises(StopIteration) as end:
        next(spectrogram(hum(3), DIMS.n_mels, CUDA))
    mel = end.value.value
    assert (mel.shape, mel.dtype, mel.device) == ((DIMS.n_mels, 3300), torch.float32, CUDA)


def test_what_may_come_next_is_filtered_and_drawn(on_cuda: tuple[Encoder, Decoder]) -> None:
    tokens = Tokens(True, 99, DIMS.n_vocab, DIMS.n_text_ctx)
    rows = [bounds(said, False, tokens.vocabulary) for said in ([], [400])]
    logits = torch.zeros(2, DIMS.n_vocab, device=CUDA)
    Filters(tokens.vocabulary, CUDA)(logits, rows)
    drawn = _draw(logits, [Script((1, 2), 0, temperature=0.4)] * 2)
    assert (drawn.shape, drawn.device) == ((2,), CUDA)


def test_a_look_from_the_host_would_be_noticed(on_cuda: tuple[Encoder, Decoder]) -> None:
    with pytest.raises(DataDependentOutputException):
        bool(torch.zeros(3, device=CUDA).any())
