"""The compiled functions give what openai-whisper's give, element by element."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from whisper.timing import dtw_cpu, median_filter

from whisper_runtime.engine.batching.time_warping import WIDTH, Matrix, cheapest_path, filter_medians

SHAPES = [(1, 1), (1, 9), (9, 1), (7, 40), (30, 200), (228, 1500)]


def noise(rows: int, columns: int, *, ties: bool = False) -> Matrix:
    values = np.random.default_rng(rows * columns).standard_normal((rows, columns)).astype(np.float32)
    if ties:
        values[::2] = np.round(values[::2])
    return values


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("ties", [False, True])
def test_the_path_is_that_of_upstream(rows: int, columns: int, ties: bool) -> None:
    costs = noise(rows, columns, ties=ties)
    assert np.array_equal(np.array(cheapest_path(costs)), dtw_cpu(costs.astype(np.float64)))


def test_sums_that_differ_in_the_ninth_digit_are_told_apart_as_upstream_does() -> None:
    """Given costs so large that sums of 32 bits lose the small ones."""
    costs = noise(40, 300)
    costs[:, ::7] += 1e6
    assert np.array_equal(np.array(cheapest_path(costs)), dtw_cpu(costs.astype(np.float64)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_path_around_what_is_no_number_is_that_of_upstream(value: float) -> None:
    costs = noise(30, 200)
    costs[3, 5], costs[:, 7] = value, value
    assert np.array_equal(np.array(cheapest_path(costs)), dtw_cpu(costs.astype(np.float64)))


@pytest.mark.parametrize("columns", [1, WIDTH // 2, WIDTH // 2 + 1, WIDTH, 40, 1500])
@pytest.mark.parametrize("broken", [None, np.nan, -np.nan, np.inf])
def test_the_medians_are_those_of_upstream(columns: int, broken: float | None) -> None:
    weights = noise(5, columns, ties=True)
    if broken is not None:
        weights[1, ::3], weights[3] = broken, broken
    medians = np.empty_like(weights)
    filter_medians(weights, medians)
    wanted = median_filter(torch.from_numpy(weights)[None], WIDTH)[0].numpy()
    assert np.array_equal(medians, wanted, equal_nan=True)
