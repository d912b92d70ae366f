"""The examples of docs/how-to/result-cache.md, as they are written, and kept results of real weights."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from testbed import runtime_process
from testbed.paths import REPOSITORY
from tests.support import plain_http
from tests.support.media_files import speech_as

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs/how-to/result-cache.md").read_text()
EXAMPLES = re.findall(r"^```(python|sh)\n(.*?)^```", PAGE, re.S | re.M)
INTERPRETERS = {"python": (sys.executable, "-c"), "sh": ("sh", "-euc")}
SILENCES = itertools.count(100, 100)
"""Milliseconds behind the recording, for each test."""
ANSWERS = (
    {"response_format": "json"},
    {"response_format": "srt"},
    {"response_format": "verbose_json"},
    {"stream": "true"},
)


@pytest.fixture(scope="module")
def server(weights: dict[str, Path], golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory, model, room = tmp_path_factory.mktemp("kept"), str(weights["tiny.en"]), 1024**2
    with runtime_process.running(
        directory, model=model, golden_dir=str(golden), result_cache_max_bytes=room
    ) as runtime:
        yield runtime.url


@pytest.fixture
def folder(recordings: Path, tmp_path: Path) -> Path:
    """With the recording that the page names: of a length of its own, so that no other test has had it kept."""
    speech_as(recordings / "jfk.wav", tmp_path / "speech.mp3", "-af", f"apad=pad_dur={next(SILENCES)}ms")
    return tmp_path


def post(server: str, audio: bytes, fields: dict[str, str], **headers: str) -> httpx.Response:
    url = f"{server}/v1/audio/transcriptions"
    data = {"model": "whisper-1"} | fields
    return plain_http.post(url, files={"file": audio}, data=data, headers=headers, timeout=120)


@pytest.mark.parametrize(("language", "code"), EXAMPLES, ids=[kind for kind, _ in EXAMPLES])
def test_each_example_of_the_page_runs_as_it_is_written(server: str, folder: Path, language: str, code: str) -> None:
    post(server, (folder / "speech.mp3").read_bytes(), {}, **{"Cache-Control": "no-store"})  # the digest is known then
    environment = {"PATH": os.environ["PATH"], "OPENAI_BASE_URL": f"{server}/v1", "OPENAI_API_KEY": "none"}
    command = (*INTERPRETERS[language], code)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    first, *others = done.stdout.splitlines()
    assert first == "whisper; fwd=miss; stored"
    assert [re.sub(r"\d+", "N", line) for line in others] == ["whisper; hit; ttl=N"] * 2


def test_a_real_models_kept_result_is_byte_for_byte_its_own(server: str, folder: Path) -> None:
    audio = (folder / "speech.mp3").read_bytes()
    fresh = [post(server, audio, fields, **{"Cache-Control": "no-store"}) for fields in ANSWERS]
    post(server, audio, {})
    kept = [post(server, audio, fields) for fields in ANSWERS]
    assert all(one.headers["cache-status"].startswith("whisper; hit") for one in kept)
    assert [one.content for one in kept] == [one.content for one in fresh]
    assert "ask what you can do for your country" in kept[0].text
