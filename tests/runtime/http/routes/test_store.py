"""The operator reads at a pod's own port what the pod makes of the store; clients cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.conftest import PartsOf, Start
from whisper_runtime.contract.network import STORE_PATH
from whisper_runtime.contract.shared_store import SharedStoreReport
from whisper_runtime.service.shared.shared_store import SharedStore


async def test_each_answer_is_the_report_of_that_moment(
    start: Start, parts_of: PartsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(redis_url_file=str(tmp_path / "url"))
    assert parts.store is not None
    client = start(parts, probes=True)
    for report in (parts.store.report, SharedStoreReport(reason="StoreFull", message="raise its maxmemory")):
        monkeypatch.setattr(SharedStore, "report", report)
        answer = await client.get(STORE_PATH)
        assert answer.status_code == 200
        assert SharedStoreReport.model_validate_json(answer.content) == report


async def test_a_process_that_shares_no_store_says_so(start: Start) -> None:
    answer = await start(probes=True).get(STORE_PATH)
    assert (answer.status_code, answer.json()) == (404, {"reason": "NoStore"})


async def test_clients_have_no_such_route(start: Start, tmp_path: Path) -> None:
    client = start(redis_url_file=str(tmp_path / "url"), probes_on_http=True)
    assert (await client.get(STORE_PATH)).status_code == 404
