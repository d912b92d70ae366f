"""The table of files: an upload takes its content of the store, and some more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.runtime.service.batches.conftest import ANN, file_draft
from whisper_runtime.service.batches.file import NoSuchFile
from whisper_runtime.service.batches.file_table import FILE_BYTES, FileTable
from whisper_runtime.service.batches.statements import SCHEMA
from whisper_runtime.service.jobs.connection import make_tables
from whisper_runtime.service.jobs.database import JobDatabase
from whisper_runtime.service.jobs.job import JobStoreFull
from whisper_runtime.service.jobs.room import used_bytes


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[JobDatabase]:
    with closing(JobDatabase(tmp_path / "jobs.sqlite3", 3600.0, lambda: 1000.0)) as database:
        make_tables(database.connection, SCHEMA)
        yield database


def test_a_file_counts_until_it_is_deleted(jobs: JobDatabase) -> None:
    table = FileTable(jobs.connection, 50_000, lambda: 1000.0)
    table.insert(file_draft(), "file-1", 20_000)
    assert used_bytes(jobs.connection) == FILE_BYTES + 20_000
    assert table.ids() == {"file-1"}
    with pytest.raises(JobStoreFull):
        table.insert(file_draft(), "file-2", 30_000)
    table.forget("file-1")
    assert (used_bytes(jobs.connection), table.ids()) == (0, set())
    with pytest.raises(NoSuchFile):
        table.get(ANN, "file-1")
    assert jobs.statistics().jobs == {}
