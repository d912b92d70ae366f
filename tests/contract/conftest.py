from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.openai_clients import OpenAiClient, javascript, python
from tests.support.runtime_server import process

JFK = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"


@pytest.fixture(scope="session", params=["python", "node"])
def client(request: pytest.FixtureRequest) -> Iterator[OpenAiClient]:
    """Each of OpenAI's official clients."""
    if request.param == "python":
        yield python
        return
    with javascript() as client:
        yield client


@pytest.fixture(scope="session")
def golden(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a clip and its words, as the image has one."""
    directory = tmp_path_factory.mktemp("golden")
    shutil.copy(recordings / "jfk.wav", directory / "clip.wav")
    (directory / "clip.txt").write_text(JFK)
    return directory


@pytest.fixture(scope="session")
def real(weights: dict[str, Path], golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Addresses, for clients and for metrics, of a server process with tiny.en."""
    directory = tmp_path_factory.mktemp("server")
    model = directory / "tiny.en.pt"
    model.symlink_to(weights["tiny.en"])
    with process(directory, model=str(model), golden_dir=str(golden), drain_seconds=0) as addresses:
        yield addresses
