from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import runtime_process
from tests.support.openai_clients import OpenAiClient, javascript, python
from tests.support.runtime_server import AS_A_PODS_USER


@pytest.fixture(scope="session", params=["python", "node"])
def client(request: pytest.FixtureRequest) -> Iterator[OpenAiClient]:
    """Each of OpenAI's official clients."""
    if request.param == "python":
        yield python
        return
    with javascript() as client:
        yield client


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """The path of what a fake engine takes for 2.5 seconds of speech."""
    path = tmp_path / "clip.wav"
    path.write_text("speech 2.5")
    return str(path)


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a clip and its words, as the image has one."""
    return runtime_process.golden_clip(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def real(weights: dict[str, Path], golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Addresses, for clients and for metrics, of a server process with tiny.en."""
    directory = tmp_path_factory.mktemp("server")
    model = directory / "tiny.en.pt"
    model.symlink_to(weights["tiny.en"])
    with runtime_process.running(directory, prefix=AS_A_PODS_USER, model=str(model), golden_dir=str(golden)) as runtime:
        yield runtime.url, runtime.metrics_url


@pytest.fixture(scope="session")
def multilingual(weights: dict[str, Path], golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server process with base, in a file that is called by no name of Whisper's."""
    directory = tmp_path_factory.mktemp("multilingual")
    (directory / "mine.en.pt").symlink_to(weights["base"])
    model = str(directory / "mine.en.pt")
    with runtime_process.running(directory, prefix=AS_A_PODS_USER, model=model, golden_dir=str(golden)) as runtime:
        yield runtime.url
