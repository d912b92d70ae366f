"""A file has an id that nobody can guess, and that is seen to be one."""

from __future__ import annotations

import re

from whisper_runtime.service.batches.file import FILE_ID_PREFIX, new_file_id


def test_ids_are_random() -> None:
    ids = {new_file_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(f"{FILE_ID_PREFIX}[0-9a-f]{{32}}", one) for one in ids)
