"""A real API server accepts what the chart renders."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from testbed.cluster import binaries
from tests.support.kubectl import Kubectl

CHART = Path(__file__).resolve().parents[2] / "charts/whisper-operator"


@pytest.mark.parametrize("settings", [(), ("--set", "watchNamespaces={default}")])
def test_the_rendered_chart_is_accepted(kubectl: Kubectl, namespace: Kubectl, settings: tuple[str, ...]) -> None:
    helm = str(binaries.ensure("helm") / "helm")
    command = (helm, "template", "release", str(CHART), "--namespace", namespace.namespace, *settings)
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "deployment.apps/release created" in kubectl("apply", "--dry-run=server", "-f", "-", stdin=rendered)
