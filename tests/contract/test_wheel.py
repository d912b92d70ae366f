"""The wheel alone: `python -m whisper_runtime serve` needs nothing of an image, and kubectl finds its plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from testbed import runtime_process
from testbed.paths import CACHE, REPOSITORY
from tests.support import plain_http

pytestmark = pytest.mark.slow


def uv(*arguments: str) -> None:
    program = Path(sys.executable).parent / "uv"
    subprocess.run((str(program), *arguments, "--cache-dir", str(CACHE / "uv")), check=True)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder in which the wheel's packages are installed."""
    uv("build", "--quiet", "--wheel", "--out-dir", str(tmp_path / "dist"), str(REPOSITORY))
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    uv("pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path / "runtime"), str(wheel))
    return tmp_path


def test_an_installed_wheel_proves_its_model_and_serves(installed: Path, recordings: Path) -> None:
    """Given no golden clip but its own."""
    with runtime_process.running(installed / "run", checkout=installed, golden_dir=None) as runtime:
        files = {"file": (recordings / "jfk.wav").read_bytes()}
        answer = plain_http.post(
            f"{runtime.url}/v1/audio/transcriptions", files=files, data={"model": "whisper-1"}, timeout=300
        )
    assert "ask not what your country can do for you" in answer.json()["text"]


def test_an_installed_wheel_has_the_plugin_of_kubectl(installed: Path) -> None:
    script = installed / "runtime" / "bin" / "kubectl-whisper"
    done = subprocess.run(
        (sys.executable, str(script), "explain", "ScaledToZero"),
        env={"PYTHONPATH": str(installed / "runtime")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("ScaledToZero\n")
