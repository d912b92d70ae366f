"""The examples of docs/how-to/long-recordings.md, as they are written, against a server with real weights."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import runtime_process
from testbed.paths import REPOSITORY
from tests.support import plain_http

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs/how-to/long-recordings.md").read_text()
EXAMPLES = re.findall(r"^```(python|sh)\n(.*?)^```", PAGE, re.S | re.M)
INTERPRETERS = {"python": (sys.executable, "-c"), "sh": ("sh", "-euc")}
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")


@pytest.fixture(scope="module")
def server(weights: dict[str, Path], golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("jobs")
    model, jobs = str(weights["tiny.en"]), str(directory / "jobs")
    with runtime_process.running(directory, model=model, golden_dir=str(golden), jobs_dir=jobs) as runtime:
        yield runtime.url


@pytest.fixture(scope="module")
def folder(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the recording that the page names."""
    folder = tmp_path_factory.mktemp("recordings")
    ffmpeg = ("ffmpeg", "-loglevel", "error", "-i", str(recordings / "jfk.wav"), str(folder / "speech.mp3"))
    subprocess.run(ffmpeg, check=True)
    return folder


@pytest.mark.parametrize(("language", "code"), EXAMPLES, ids=[kind for kind, _ in EXAMPLES])
def test_each_example_of_the_page_runs_as_it_is_written(server: str, folder: Path, language: str, code: str) -> None:
    environment = {"PATH": os.environ["PATH"], "OPENAI_BASE_URL": f"{server}/v1", "OPENAI_API_KEY": "none"}
    command = (*INTERPRETERS[language], code)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ask what you can do for your country" in " ".join(done.stdout.lower().split())


@pytest.mark.parametrize("response_format", FORMATS)
def test_a_real_models_content_is_byte_for_byte_its_answer_without_a_job(
    server: str, folder: Path, response_format: str
) -> None:
    url = f"{server}/v1/audio/transcriptions"
    fields = {"model": "whisper-1", "response_format": response_format}
    audio = (folder / "speech.mp3").read_bytes()
    plain = plain_http.post(url, files={"file": audio}, data=fields, timeout=120)
    headers = {"Prefer": "respond-async, wait=60"}
    job = plain_http.post(url, files={"file": audio}, data=fields, headers=headers, timeout=120)
    assert (job.status_code, job.content) == (200, plain.content)
    assert len(plain.content) > 80
