"""Who looks after a cache reads at a pod's own port what it holds; clients cannot."""

from __future__ import annotations

from pathlib import Path

from tests.runtime.conftest import Start
from whisper_runtime.contract.network import CACHE_PATH
from whisper_runtime.contract.reports import MAX_CACHE_FILES, CacheReport


async def test_checkpoints_with_their_sizes_largest_first(start: Start, tmp_path: Path) -> None:
    (tmp_path / "base-0123.pt").write_bytes(b"x" * 10)
    (tmp_path / "large-v3-4567.pt").write_bytes(b"x" * 30)
    (tmp_path / ".base-0123.pt.partial").write_bytes(b"x" * 5)
    (tmp_path / "notes.txt").write_bytes(b"x")
    answer = await start(probes=True, model_dir=str(tmp_path)).get(CACHE_PATH)
    found = CacheReport.model_validate_json(answer.content)
    assert list(found.files.items()) == [("large-v3-4567.pt", 30), ("base-0123.pt", 10)]
    assert 0 < found.free_bytes < found.total_bytes


async def test_as_many_as_a_report_names(start: Start, tmp_path: Path) -> None:
    for number in range(MAX_CACHE_FILES + 1):
        (tmp_path / f"model-{number}.pt").touch()
    answer = await start(probes=True, model_dir=str(tmp_path)).get(CACHE_PATH)
    assert len(answer.json()["files"]) == MAX_CACHE_FILES


async def test_a_directory_that_cannot_be_read_is_named(start: Start, tmp_path: Path) -> None:
    answer = await start(probes=True, model_dir=str(tmp_path / "none")).get(CACHE_PATH)
    assert answer.status_code == 503
    assert f"{tmp_path}/none cannot be read: No such file" in answer.json()["error"]["message"]


async def test_clients_have_no_such_route(start: Start, tmp_path: Path) -> None:
    client = start(model_dir=str(tmp_path), probes_on_http=True)
    assert (await client.get(CACHE_PATH)).status_code == 404
