"""With its model in the cache, a server starts, proves itself and answers where no packet leads out."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runtime_server import AS_A_PODS_USER
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import checkpoint_path
from whisper_runtime.contract.network import READY_PATH

pytestmark = pytest.mark.slow

WAIT = f"""
import time, urllib.request
for _ in range(600):
    try:
        urllib.request.urlopen("http://127.0.0.1:9000{READY_PATH}", timeout=5)
        break
    except OSError:
        time.sleep(0.2)
else:
    raise SystemExit("the server is not ready after two minutes")
"""
WITHIN = """
ip link set lo up
! ip route get 1.1.1.1 2>/dev/null
"$0" -m whisper_runtime serve &
trap "kill $!; wait" EXIT
"$0" -c "$1"
"$0" -m whisper_runtime verify --requests 1 --url http://127.0.0.1:8000 --metrics-url http://127.0.0.1:9000
"""
"""In a network of its own, whose only interface is the loopback."""


def test_a_server_whose_model_is_cached_needs_no_way_out(
    weights: dict[str, Path], golden: Path, tmp_path: Path
) -> None:
    sha256 = hashlib.sha256(weights["tiny.en"].read_bytes()).hexdigest()
    Path(checkpoint_path(str(tmp_path), "mine", sha256)).symlink_to(weights["tiny.en"])
    config = RuntimeConfig(
        model="mine", model_sha256=sha256, model_dir=str(tmp_path), golden_dir=str(golden), drain_seconds=0
    )
    done = subprocess.run(
        (*AS_A_PODS_USER, "--keep-caps", "--net", "sh", "-ec", WITHIN, sys.executable, WAIT),
        env={**os.environ, **config.to_env()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-2000:]}"
    assert "checks passed" in done.stdout
