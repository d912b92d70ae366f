"""The image without CUDA takes torch from another index: the Dockerfile's commands, with an index on this machine."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from testbed.paths import REPOSITORY

UV: Final = Path(sys.executable).with_name("uv")
LOCK: Final = REPOSITORY / "hack/requirements/runtime.txt"
PINNED: Final = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def wheel(index: Path, name: str, version: str, *requires: str) -> None:
    """A package of that name with nothing in it, as a simple index has it (PEP 503)."""
    folder, info = index / name, f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    file = f"{name}-{version}-py3-none-any.whl"
    metadata = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in requires)]
    with zipfile.ZipFile(folder / file, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{info}/METADATA", "\n".join(["Metadata-Version: 2.1", *metadata, ""]))
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    (folder / "index.html").write_text(f'<a href="{file.replace("+", "%2B")}">{file}</a>')


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """URL of an index with a build of torch for CPUs, and what that build needs."""
    pinned = dict(PINNED.findall(LOCK.read_text()))
    wheel(tmp_path / "index", "torch", f"{pinned['torch']}+cpu", "filelock")
    wheel(tmp_path / "index", "filelock", pinned["filelock"])
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def commands(tmp_path: Path) -> list[str]:
    """What the build runs where TORCH_INDEX_URL is given, with `tmp_path` in the place of /tmp."""
    found = re.search(r"else \\\n(.*?); \\\n *fi", (REPOSITORY / "Dockerfile.runtime").read_text(), re.DOTALL)
    assert found
    (tmp_path / "runtime.txt").write_text(LOCK.read_text())
    text = found[1].replace("/tmp/uv/bin/uv", str(UV)).replace("/tmp/", f"{tmp_path}/")
    return text.replace("\\\n", "").split(" && ")


def test_torch_comes_from_the_index_and_none_of_cudas_packages_from_anywhere(
    index: str, commands: list[str], tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv")
    environment = {"VIRTUAL_ENV": str(tmp_path / "venv"), "TORCH_INDEX_URL": index, "UV_NO_CACHE": "1", "PATH": "/bin"}
    *with_torch, the_rest = commands
    subprocess.run(("sh", "-euc", " && ".join(with_torch)), env=environment, check=True)
    installed = subprocess.run((UV, "pip", "freeze"), env=environment, check=True, capture_output=True, text=True)
    assert {line for line in installed.stdout.splitlines() if line.startswith("torch")} == {"torch==2.15.0+cpu"}
    assert the_rest.endswith(f"--require-hashes -r {tmp_path}/rest.txt")
    locked, rest = (set(PINNED.findall(file.read_text())) for file in (LOCK, tmp_path / "rest.txt"))
    left_out = {name for name, _ in locked - rest}
    assert {"torch", "nvidia-cublas", "cuda-bindings"} <= left_out
    assert not [name for name in left_out if not name.startswith(("torch", "triton", "nvidia-", "cuda-"))]
