"""The examples of docs/how-to/batches.md, as they are written, against a server with real weights."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import nodejs, runtime_process
from testbed.paths import REPOSITORY
from tests.support.openai_clients import NODE

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs/how-to/batches.md").read_text()
EXAMPLES = re.findall(r"^```(python|js|sh)\n(.*?)^```", PAGE, re.S | re.M)
INTERPRETERS = {"python": (sys.executable, "-W", "ignore", "-c"), "js": ("node", "-e"), "sh": ("sh", "-euc")}


@pytest.fixture(scope="module")
def server(weights: dict[str, Path], golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("batches")
    model, jobs = str(weights["tiny.en"]), str(directory / "jobs")
    with runtime_process.running(directory, model=model, golden_dir=str(golden), jobs_dir=jobs) as runtime:
        yield runtime.url


@pytest.fixture
def folder(recordings: Path, tmp_path: Path) -> Path:
    """With the recording that the page names."""
    ffmpeg = ("ffmpeg", "-loglevel", "error", "-i", str(recordings / "jfk.wav"), str(tmp_path / "speech.mp3"))
    subprocess.run(ffmpeg, check=True)
    return tmp_path


@pytest.mark.parametrize(("language", "code"), EXAMPLES, ids=[kind for kind, _ in EXAMPLES])
def test_each_example_of_the_page_runs_as_it_is_written(server: str, folder: Path, language: str, code: str) -> None:
    environment = {"PATH": os.environ["PATH"], "OPENAI_BASE_URL": f"{server}/v1", "OPENAI_API_KEY": "none"}
    if language == "js":
        prelude = 'globalThis.File ??= require("node:buffer").File;'  # Node 18, which Debian 12 has, keeps it there
        environment, code = environment | {"NODE_PATH": str(nodejs.ensure(NODE))}, prelude + code
    command = (*INTERPRETERS[language], code)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    (answer,) = map(json.loads, done.stdout.split("\n")[:1])
    assert "ask what you can do for your country" in answer["response"]["body"]["text"].lower()


def test_the_page_has_an_example_for_each_reader() -> None:
    assert {language for language, _ in EXAMPLES} == INTERPRETERS.keys()
