"""An event is tried for a day, at longer and longer waits, no two of which are alike."""

from __future__ import annotations

from itertools import pairwise

import pytest

from whisper_runtime.service.webhooks.schedule import JITTER, LONGEST_WAIT, WAITS, wait_after


def test_waits_grow_and_end_after_a_day() -> None:
    waits = [wait for attempt in range(1, len(WAITS) + 1) if (wait := wait_after(attempt, 0.0)) is not None]
    assert all(earlier <= later for earlier, later in pairwise(waits))
    assert len(waits) == len(WAITS)
    assert 23 * 3600 < sum(waits) < 24 * 3600
    assert wait_after(len(WAITS) + 1, 0.0) is None
    assert wait_after(len(WAITS) + 7, 0.0) is None


def test_chance_lengthens_a_wait() -> None:
    assert [wait_after(1, chance) for chance in (0.0, 0.5, 1.0)] == [WAITS[0] * (1 + JITTER * c) for c in (0, 0.5, 1)]


@pytest.mark.parametrize(
    ("retry_after", "wait"), [(None, WAITS[1]), (1.0, WAITS[1]), (120.0, 120.0), (10.0**9, LONGEST_WAIT)]
)
def test_a_receiver_can_ask_for_a_longer_wait_and_for_no_shorter_one(retry_after: float | None, wait: float) -> None:
    assert wait_after(2, 0.0, retry_after) == wait
    assert wait_after(len(WAITS) + 1, 0.0, retry_after) is None
