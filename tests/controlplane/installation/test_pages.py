"""The `kubectl` commands of the tutorial and the how-tos, typed as they stand, on a real API server without a node."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.pages import TYPED, typed_lines
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]
MINIMAL = ROOT / "examples/minimal.yaml"
PAGES = [
    page
    for page in (ROOT / "docs/tutorial.md", *sorted(ROOT.glob("docs/how-to/*.md")))
    if re.search(f"^    {TYPED.pattern}", page.read_text(), re.M)
]


def commands(page: str) -> list[str]:
    return [line for line in typed_lines(page) if TYPED.match(line)]


def save_manifests(page: str, folder: Path) -> None:
    """Saves each whole manifest of the page under the name that the page gives it."""
    for block in re.findall(r"^```yaml\n(.*?)^```", page, re.S | re.M):
        if "kind" in (body := yaml.safe_load(block)):
            (folder / f"{body['metadata']['name']}.yaml").write_text(block)


class Shell:
    """bash in a folder, whose `kubectl` is on the namespace of the test."""

    def __init__(self, kubectl: Kubectl, folder: Path) -> None:
        script = folder / "kubectl"
        script.write_text(f'#!/bin/sh\nexec {" ".join(kubectl.command)} "$@"\n')
        script.chmod(0o755)
        self._folder = folder
        self._env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "TOKEN": "a-token"}

    def type(self, command: str) -> None:
        done = self.run(command)
        assert done.returncode == 0, f"{command}\n{done.stderr}"

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        line = ("bash", "-euo", "pipefail", "-c", command)
        return subprocess.run(line, cwd=self._folder, env=self._env, capture_output=True, text=True, check=False)


@pytest.fixture
def shell(namespace: Kubectl, tmp_path: Path) -> Shell:
    (tmp_path / "ca.crt").write_text("a certificate")
    return Shell(namespace, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_says_can_be_typed(
    running: OperatorProcess, namespace: Kubectl, shell: Shell, tmp_path: Path, page: Path
) -> None:
    """Given the service of examples/minimal.yaml, each command of the page succeeds, one after the other."""
    namespace("apply", "-f", str(MINIMAL))
    save_manifests(page.read_text(), tmp_path)
    for command in commands(page.read_text()):
        if command.startswith("kubectl get"):  # a child that the operator makes of the command before
            eventually(command, lambda command=command: shell.run(command).returncode == 0)
        else:
            shell.type(command)


def test_a_backup_can_be_applied_again(namespace: Kubectl, shell: Shell) -> None:
    namespace("apply", "-f", str(MINIMAL))
    shell.type("kubectl get wsvc -o yaml > whisperservices.yaml")
    namespace("delete", "wsvc", "meetings")
    shell.type("kubectl apply -f whisperservices.yaml")
    assert namespace.get("wsvc", "meetings") is not None
