"""Processes that name the same store have the same jobs, whether their contents are beside those or on a volume."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.runtime.service.jobs.conftest import Servers, audio, draft
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.service.jobs.open_shared import open_shared
from whisper_runtime.service.jobs.shared_store import SharedJobStore
from whisper_runtime.service.jobs.store import CannotKeepJobs

OF_STORE: Final = RuntimeConfig(jobs_store="redis")


def opened(url_file: Path, directory: Path | None) -> SharedJobStore:
    config = OF_STORE.model_copy(update={"redis_url_file": str(url_file)})
    return open_shared(str(directory) if directory else None, config, lambda _: None)


@pytest.mark.parametrize("has_volume", [False, True], ids=["beside", "volume"])
async def test_what_one_has_kept_another_has(store_servers: Servers, tmp_path: Path, has_volume: bool) -> None:
    (tmp_path / "url").write_text(store_servers("valkey").url)
    one, other = (opened(tmp_path / "url", tmp_path / "jobs" if has_volume else None) for _ in range(2))
    job = await one.put(draft(), audio())
    assert await other.get("key ann", job.id) == job
    claimed = await other.claim()
    assert claimed is not None
    with await other.audio(claimed.lease) as kept:
        assert kept.read() == audio().read()
    for store in (one, other):
        await store.close()


def test_a_directory_that_pods_share_has_to_be_writable(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("")
    with pytest.raises(CannotKeepJobs, match="mount a volume there that all pods can write"):
        opened(tmp_path / "url", tmp_path / "jobs")
