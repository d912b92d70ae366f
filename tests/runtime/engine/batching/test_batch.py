"""Slots stay next to each other in the batch, whichever is freed."""

from __future__ import annotations

import pytest
import torch

from tests.fakes.runner import MAX_NEW_TOKENS, FaultyRunner
from whisper_runtime.engine.batching.batch import Batch, BatchSlot
from whisper_runtime.engine.policy.queries import DecodingParams, Window

PARAMS = DecodingParams((50258, 50259, 50359), 0)


@pytest.fixture
def batch(runner: FaultyRunner) -> Batch:
    return runner.batch


def started(batch: Batch, seed: int) -> BatchSlot:
    features = torch.randn(1, 1500, 16, generator=torch.Generator().manual_seed(seed))
    (slot,) = batch.allocate([Window(torch.zeros(80, 3000), 30.0)], features)
    batch.prefill(slot, PARAMS)
    return slot


@torch.inference_mode()
def test_the_last_slot_moves_into_one_that_is_freed_and_its_tokens_stay_the_same(batch: Batch) -> None:
    alone = started(batch, 3)
    batch.decode(0, 1)
    batch.decode(0, 1)
    batch.free(alone)
    first, second, third = (started(batch, seed) for seed in (1, 2, 3))
    batch.decode(0, 3)
    batch.free(first)
    assert (batch.slots, [slot.row for slot in batch.slots]) == ([third, second], [0, 1])
    batch.decode(0, 2)
    assert third.tokens == alone.tokens
    assert batch.num_free == batch.capacity - 2


@torch.inference_mode()
def test_a_window_has_a_result_once_it_is_full(batch: Batch) -> None:
    slot = started(batch, 1)
    for _ in range(MAX_NEW_TOKENS - 1):
        assert slot.result is None
        batch.decode(0, 1)
    assert slot.result is not None
    assert slot.result.tokens == tuple(slot.tokens)
    assert slot.result.sum_logprob == pytest.approx(sum(slot.logprobs))
    assert slot.written == len(PARAMS.prompt) + MAX_NEW_TOKENS - 1


@torch.inference_mode()
def test_a_part_of_the_batch_may_be_decoded(batch: Batch) -> None:
    slots = [started(batch, seed) for seed in (1, 2, 3)]
    batch.decode(1, 2)
    assert [len(slot.tokens) for slot in slots] == [1, 2, 2]
