"""Three hundred damaged files: each is refused with its reason, none reaches another file or the network."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import whisper

from tests.fakes.engine import FakeEngine
from tests.fakes.parts import fake_parts
from tests.support.damaged_media import damaged
from whisper_runtime.http.app import create_app
from whisper_runtime.media import decode

pytestmark = pytest.mark.slow

SECONDS = 10.0
"""The longest that a refusal may take."""
MEMORY_SLACK = 32 * 1024**2
REASONS = {
    "cut": {"not_audio"},
    "cut in the middle": {"damaged_file"},
    "flipped": {"not_audio"},
    "renamed": {"not_audio"},
    "zeros": {"not_audio", "empty_file"},
    "no audio track": {"no_audio_track"},
    "many tracks": {"too_many_streams"},
    "promises too much": {"audio_too_long"},
    "points elsewhere": {"not_audio", "damaged_file", "empty_file"},
}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


async def test_each_is_refused_and_nothing_is_left(
    recordings: Path, tmp_path: Path, scratch: Path, listener: socket.socket
) -> None:
    jfk, work = recordings / "jfk.wav", tmp_path / "work"
    work.mkdir()
    files = damaged(jfk, work, listener.getsockname()[1], jfk)
    assert len(files) >= 300
    engine = FakeEngine()
    parts = fake_parts(engine, decode.decode)
    transport = httpx.ASGITransport(app=create_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://whisper") as client:
        assert (await client.post("/transcribe", files={"file": jfk.read_bytes()})).status_code == 200
        memory, descriptors, answers = anonymous_memory(), open_files(), Counter[tuple[str, str]]()
        for file in files:
            started = time.monotonic()
            answer = await client.post("/transcribe", files={"file": (file.name, file.content)})
            code = answer.json().get("error", {}).get("code")
            assert 400 <= answer.status_code < 500, f"{file.kind} {file.name}: {answer.text}"
            assert code in REASONS[file.kind], f"{file.kind} {file.name}: {answer.text}"
            assert time.monotonic() - started < SECONDS
            assert not list(scratch.iterdir())
            answers[file.kind, code] += 1
        assert set(REASONS) == {kind for kind, _ in answers}
        assert (await client.post("/transcribe", files={"file": jfk.read_bytes()})).status_code == 200
    assert engine.num_samples == [len(whisper.load_audio(str(jfk)))] * 2
    assert (parts.admission.disk.used, open_files()) == (0, descriptors)
    assert anonymous_memory() - memory < MEMORY_SLACK
    with pytest.raises(BlockingIOError):
        listener.accept()


async def test_what_is_damaged_in_one_place_is_transcribed_as_far_as_it_can_be(
    recordings: Path, tmp_path: Path
) -> None:
    """A flipped byte in a long recording is no reason to refuse it."""
    content = bytearray((recordings / "jfk.wav").read_bytes())
    content[100_000] ^= 0xFF
    (tmp_path / "a.wav").write_bytes(content)
    with (tmp_path / "a.wav").open("rb") as media:
        samples = (await decode.decode(media, max_seconds=60, timeout=60, on_bytes=lambda _: None)).samples
    whole = whisper.load_audio(str(recordings / "jfk.wav"))
    assert len(samples) == len(whole)
    assert np.count_nonzero(samples != whole) == 1


def anonymous_memory() -> int:
    """Bytes of this process that are no file's pages."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
