"""The chart's manifests, as helm renders them."""

from __future__ import annotations

import subprocess
from typing import Any

import yaml

from testbed.cluster import binaries
from testbed.paths import REPOSITORY

CHART = REPOSITORY / "charts/whisper-operator"


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = str(binaries.ensure("helm") / "helm")
    return subprocess.run((program, *arguments), capture_output=True, text=True, check=False)


def template(*settings: str) -> list[dict[str, Any]]:
    done = helm("template", "whisper-operator", str(CHART), "--namespace", "whisper-system", *settings)
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def documents(text: str) -> list[dict[str, Any]]:
    """The YAML documents in `text`, by libyaml: PyYAML's own parser takes three times as long as helm's rendering."""
    return [body for body in yaml.load_all(text, yaml.CSafeLoader) if body]


def of_kind(bodies: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [body for body in bodies if body["kind"] == kind]
