from __future__ import annotations

import numpy as np
import pytest
from whisper.timing import dtw_cpu

from whisper_runtime.engine.batching.alignment import dtw


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 9), (9, 1), (7, 40), (30, 200)])
def test_the_path_is_that_of_upstream(rows: int, columns: int) -> None:
    costs = np.random.default_rng(rows * columns).standard_normal((rows, columns))
    costs[::2] = np.round(costs[::2])  # ties
    assert np.array_equal(np.array(dtw(costs)), dtw_cpu(costs))
