"""`python -m whisper_runtime verify`, as a Job runs it, against a real server with real weights."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from whisper_runtime.contract.files import TERMINATION_MESSAGE_LIMIT
from whisper_runtime.contract.reports import VerifyReport
from whisper_runtime.verify import functional, metrics_port, security

pytestmark = pytest.mark.slow


def test_a_real_server_passes(real: tuple[str, str], golden: Path) -> None:
    url, metrics_url = real
    arguments = ("verify", "--url", url, "--metrics-url", metrics_url, "--requests", "2", "--json")
    environment = {**os.environ, "WHISPER_GOLDEN_DIR": str(golden)}
    command = (sys.executable, "-m", "whisper_runtime", *arguments)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    report = VerifyReport.model_validate_json(done.stdout)
    assert (done.returncode, report.passed) == (0, True), done.stdout
    assert len(done.stdout.encode()) <= TERMINATION_MESSAGE_LIMIT
    groups = (*functional.ALONE, *functional.TOGETHER, *security.CHECKS, *metrics_port.CHECKS)
    tried = {name for name, _ in groups} | {"all-answered"}
    assert {check.name for check in report.checks} == tried
    assert report.performance is not None
    print(report.performance)
