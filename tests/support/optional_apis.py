"""Installs and removes the CustomResourceDefinitions of projects that a cluster may lack."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.support.kubectl import Kubectl


def install(kubectl: Kubectl, files: Iterable[Path]) -> None:
    """Returns when the API server serves them."""
    named = _arguments(files)
    kubectl("apply", "--server-side", *named)
    kubectl("wait", "--for=condition=Established", *named, "--timeout=30s")


def remove(kubectl: Kubectl, files: Iterable[Path]) -> None:
    kubectl("delete", *_arguments(files))


def _arguments(files: Iterable[Path]) -> list[str]:
    return [argument for file in files for argument in ("-f", str(file))]
