"""A client keeps files, reads them again byte for byte, and nobody else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.http.routes.conftest import FILES, ServeBatches, SteppedClock, create, line, upload
from whisper_runtime.service.batches import runner


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_file_from_its_upload_to_its_end(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client, content = serve_batches(engine), bytes(range(256)) * 3000
    form = {"purpose": "user_data", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    answer = await client.post(FILES, files={"file": ("a \u00e9.wav", content)}, data=form)
    file = answer.json()
    assert file == {
        "id": file["id"],
        "object": "file",
        "bytes": len(content),
        "created_at": 1_800_000_000,
        "expires_at": 1_800_003_600,
        "filename": "a \u00e9.wav",
        "purpose": "user_data",
        "status": "processed",
    }
    assert (await client.get(f"{FILES}/{file['id']}")).json() == file
    read = await client.get(f"{FILES}/{file['id']}/content")
    assert (read.content, read.headers["content-type"]) == (content, "application/octet-stream")
    assert read.headers["content-length"] == str(len(content))
    deleted = await client.delete(f"{FILES}/{file['id']}")
    assert deleted.json() == {"id": file["id"], "object": "file", "deleted": True}
    for method, suffix in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        answer = await client.request(method, f"{FILES}/{file['id']}{suffix}")
        assert code(answer) == (404, "file_not_found")  # OpenAI's clients raise NotFoundError for it


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "missing_required_parameter"),
        ({"purpose": "fine-tune"}, "invalid_value"),
        ({"purpose": "batch", "expires_after[anchor]": "created_at"}, "invalid_value"),
        ({"purpose": "batch", "expires_after[seconds]": "3600"}, "invalid_value"),
        (
            {"purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3599"},
            "invalid_value",
        ),
    ],
)
async def test_a_form_that_is_wrong_is_refused(
    serve_batches: ServeBatches, engine: FakeEngine, form: dict[str, Any], says: str
) -> None:
    client = serve_batches(engine)
    assert code(await client.post(FILES, files={"file": ("a", b"content")}, data=form)) == (400, says)


async def test_a_file_has_content_and_a_short_name(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client, form = serve_batches(engine), {"purpose": "batch"}
    assert code(await client.post(FILES, data=form, files={"other": b""}))[0] == 400
    assert code(await client.post(FILES, data=form, files={"file": ("a", b"")})) == (400, "empty_file")
    assert code(await client.post(FILES, data=form, files={"file": ("a" * 256, b"b")})) == (400, "invalid_value")


async def test_files_are_listed(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine)
    ids = [await upload(client, b"a", "user_data" if n % 2 else "batch") for n in range(4)]

    async def listed(**asked: Any) -> tuple[list[str], bool]:
        page = (await client.get(FILES, params=asked)).json()
        found = [one["id"] for one in page["data"]]
        assert (page["first_id"], page["last_id"]) == ((found[0], found[-1]) if found else (None, None))
        return found, page["has_more"]

    assert await listed() == (ids[::-1], False)
    assert await listed(order="asc", limit=3) == (ids[:3], True)
    assert await listed(order="asc", after=ids[2]) == (ids[3:], False)
    assert await listed(purpose="batch") == ([ids[2], ids[0]], False)
    assert await listed(purpose="batch_output") == ([], False)
    assert code(await client.get(FILES, params={"limit": 0})) == (400, "invalid_value")
    assert code(await client.get(FILES, params={"after": "file-1"})) == (404, "file_not_found")


async def test_a_client_has_its_own_files_alone(
    serve_batches: ServeBatches, engine: FakeEngine, keys_of_ann_and_bob: str
) -> None:
    client = serve_batches(engine, api_keys_dir=keys_of_ann_and_bob)
    client.headers["x-api-key"] = "key of ann"
    file_id, bob = await upload(client, b"a"), {"x-api-key": "key of bob"}
    for method, suffix in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        answer = await client.request(method, f"{FILES}/{file_id}{suffix}", headers=bob)
        assert code(answer) == (404, "file_not_found")
    assert (await client.get(FILES, headers=bob)).json()["data"] == []
    assert (await client.get(FILES, headers={"x-api-key": "eve"})).status_code == 401


async def test_the_file_of_a_batch_that_runs_stays(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve_batches(engine)
    batch = await create(client, line("a", file_id=await upload(client, b"speech")))
    assert code(await client.delete(f"{FILES}/{batch['input_file_id']}")) == (409, "file_in_use")


async def test_files_expire(
    serve_batches: ServeBatches, engine: FakeEngine, batch_clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "TIDY_SECONDS", 0.01)
    client = serve_batches(engine)
    file_id = await upload(client, b"a")
    batch_clock.now += 30 * 24 * 3600
    while (await client.get(f"{FILES}/{file_id}")).status_code != 404:
        pass


async def test_uploads_are_bounded(serve_batches: ServeBatches, engine: FakeEngine, tmp_path: Path) -> None:
    """By the body's size, and by the room in the store, of which a refused one takes nothing."""
    client = serve_batches(engine, max_upload_bytes=100_000, jobs_max_bytes=50_000)
    form = {"purpose": "user_data"}
    large = await client.post(FILES, data=form, files={"file": ("a", b"x" * 100_000)})
    assert code(large) == (413, "upload_too_large")
    full = await client.post(FILES, data=form, files={"file": ("a", b"x" * 60_000)})
    assert code(full) == (507, "job_store_full")
    assert list((tmp_path / "jobs" / "batches" / "files").iterdir()) == []


async def test_an_upload_waits_for_no_row(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    engine.queued_audio_seconds = 1e9
    await upload(serve_batches(engine), b"x" * 1_000_000)


async def test_without_jobs_there_are_no_files(start: Any) -> None:
    for path in (FILES, "/v1/batches"):
        assert code(await start().get(path)) == (404, "unknown_url")
