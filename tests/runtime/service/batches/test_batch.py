"""A batch needs its file until it has ended, and has an id that nobody can guess."""

from __future__ import annotations

import re
from typing import get_args

from whisper_runtime.service.batches.batch import BatchState, StoredBatch, new_batch_id


def test_a_batch_lives_until_it_has_ended() -> None:
    live = {state for state in get_args(BatchState) if StoredBatch("", "", "", "", 0, 0, state=state).is_live}
    assert live == {"validating", "in_progress", "finalizing", "cancelling"}


def test_ids_are_random() -> None:
    ids = {new_batch_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("batch_[0-9a-f]{32}", one) for one in ids)
