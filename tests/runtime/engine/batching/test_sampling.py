"""Which token comes next: the likeliest, or one drawn by the row's own generator."""

from __future__ import annotations

import pytest
import torch

from tests.fakes.results import MODEL
from whisper_runtime.engine.batching.sampling import Sampler, draw, sample
from whisper_runtime.engine.policy.queries import DecodingParams

CPU = torch.device("cpu")
GREEDY = DecodingParams((1, 2), 0)


def seeded(seed: int, temperature: float = 1.0) -> DecodingParams:
    return DecodingParams((1, 2), 0, temperature=temperature, generator=torch.Generator().manual_seed(seed))


def test_the_likeliest_is_taken_at_temperature_0_with_its_log_probability() -> None:
    logits = torch.tensor([[0.0, 3.0, 1.0], [2.0, -torch.inf, 0.0]])
    tokens, logprobs = sample(logits, [GREEDY, GREEDY])
    assert tokens == [1, 0]
    assert logprobs == pytest.approx([logits[0].log_softmax(-1)[1].item(), logits[1].log_softmax(-1)[0].item()])


def test_each_row_is_drawn_by_its_own_generator() -> None:
    logits = torch.randn(3, 1000, generator=torch.Generator().manual_seed(0))
    together, _ = sample(logits, [seeded(1), GREEDY, seeded(2)])
    alone, _ = sample(logits[2:], [seeded(2)])
    assert together[1] == int(logits[1].argmax())
    assert together[2:] == alone


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    """Given a masked token, and a temperature that makes the others' logits half as far apart."""
    logits, params = torch.tensor([[0.0, 2.0, -torch.inf, 1.0]]), seeded(0, temperature=2.0)
    counts = torch.zeros(4)
    for _ in range(4000):
        counts[draw(logits, [params])[0]] += 1
    assert counts[2] == 0
    assert torch.allclose(counts / 4000, (logits[0] / 2).softmax(-1), atol=0.03)


@pytest.mark.parametrize(("prompt", "sampled", "full"), [(4, 223, False), (4, 224, True), (300, 149, True)])
def test_a_row_is_full_after_half_of_the_context_or_all_of_it(prompt: int, sampled: int, full: bool) -> None:
    sampler = Sampler(MODEL, CPU)
    assert sampler.is_full(DecodingParams((1,) * prompt, 0), sampled) == full
