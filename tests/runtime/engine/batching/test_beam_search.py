"""Beams are ranked as openai-whisper's BeamSearchDecoder ranks them."""

from __future__ import annotations

import pytest
import torch
from whisper.decoding import BeamSearchDecoder, Inference

from whisper_runtime.engine.batching.beam_search import Candidate, rank_beams

EOT = 9


def beam(token: int, sum_logprob: float) -> Candidate:
    return Candidate((1, token), (-0.1, -0.1), sum_logprob)


def test_the_likeliest_go_on_from_the_rows_that_they_come_from() -> None:
    continuations = [(beam(3, -3.0), 0), (beam(4, -1.0), 1), (beam(5, -2.0), 1)]
    going, sources, ended = rank_beams(continuations, 2, EOT)
    assert [one.tokens[-1] for one in going] == [4, 5]
    assert (sources, ended) == ([1, 1], [])


def test_only_ends_that_are_likelier_than_the_last_beam_count() -> None:
    continuations = [(beam(EOT, -1.0), 0), (beam(3, -2.0), 0), (beam(4, -3.0), 1), (beam(EOT, -4.0), 1)]
    going, _, ended = rank_beams(continuations, 2, EOT)
    assert [one.tokens[-1] for one in going] == [3, 4]
    assert [one.sum_logprob for one in ended] == [-1.0]


class NoCache(Inference):
    def __init__(self) -> None:
        self.sources: list[int] = []

    def rearrange_kv_cache(self, source_indices: list[int]) -> None:
        self.sources = source_indices


@pytest.mark.parametrize("seed", range(5))
def test_beams_are_those_of_upstream(seed: int) -> None:
    """Given three beams of one token each, and logits at random."""
    generator = torch.Generator().manual_seed(seed)
    logits, sums = torch.randn(3, 12, generator=generator), torch.randn(3, generator=generator)
    inference = NoCache()
    upstream = BeamSearchDecoder(beam_size=3, eot=EOT, inference=inference)
    wanted, _ = upstream.update(torch.tensor([[1], [2], [3]]), logits, sums.clone())
    logprobs = logits.log_softmax(-1)
    continuations = [
        (Candidate((row + 1, token), (), float(sums[row] + logprobs[row, token])), row)
        for row in range(3)
        for token in logprobs[row].topk(4).indices.tolist()
    ]
    going, sources, ended = rank_beams(continuations, 3, EOT)
    assert [list(one.tokens) for one in going] == wanted.tolist()
    assert sources == inference.sources
    (finished,) = upstream.finished_sequences
    assert {one.tokens: pytest.approx(one.sum_logprob, abs=1e-5) for one in ended} == finished
