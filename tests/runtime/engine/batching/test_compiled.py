"""What word times need is compiled when the image is built, and only read when it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.paths import REPOSITORY

MODULE = "whisper_runtime.engine.batching.time_warping"


def numba_variables() -> dict[str, str]:
    """As Dockerfile.runtime sets them."""
    return dict(re.findall(r"\b(NUMBA_\w+)=(\S+)", (REPOSITORY / "Dockerfile.runtime").read_text()))


def imported(**variables: str) -> str:
    """What numba tells of its cache while the module is imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    command = (sys.executable, "-c", f"import {MODULE}")
    return subprocess.run(
        command, env={**environment, **variables, "NUMBA_DEBUG_CACHE": "1"}, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.slow
def test_the_image_loads_what_its_build_compiled_and_writes_nothing(tmp_path: Path) -> None:
    """Given the folder as the image has it, for a processor of whatever name."""
    set_by_image = {**numba_variables(), "NUMBA_CACHE_DIR": str(tmp_path / "compiled")}
    when_built = {name: value for name, value in set_by_image.items() if name != "NUMBA_CACHE_LOCATOR_CLASSES"}
    compiled = imported(**when_built).count("data saved")
    started = imported(**set_by_image, HOME=str(tmp_path / "home"))
    assert (started.count("data loaded"), started.count("saved")) == (compiled, 0)
    assert not (tmp_path / "home").exists()
    assert f"import {MODULE}" in (REPOSITORY / "Dockerfile.runtime").read_text()


@pytest.mark.slow
def test_an_image_without_the_folder_compiles_for_itself(tmp_path: Path) -> None:
    home = tmp_path / "home"
    told = imported(**{**numba_variables(), "NUMBA_CACHE_DIR": str(tmp_path / "missing")}, HOME=str(home))
    assert "data saved" in told
    assert any(home.rglob("*.nbc"))
