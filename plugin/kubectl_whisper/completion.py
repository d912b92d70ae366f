"""`kubectl_complete-whisper`: kubectl runs it for what may follow on a command line that begins with `kubectl whisper`.

It prints a choice a line, a tab before its description, and last a directive of cobra's.
Source: pkg/cmd/plugin/plugin_completion.go of k8s.io/kubectl.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

import typer
from kubernetes.config import ConfigException, list_kube_config_contexts  # pyright: ignore[reportUnknownVariableType]

from kubectl_whisper.kube_api import Failure, KubeApi, path_of

FILES, NO_FILES = ":0", ":4"
"""ShellCompDirectiveDefault and ShellCompDirectiveNoFileComp.

Source: https://github.com/spf13/cobra/blob/main/completions.go
"""
PROGRAM: Final = "kubectl-whisper"
SECONDS: Final = 3.0
"""That the API server may take: somebody has a finger on the key."""


def service_names(context: typer.Context, incomplete: str) -> list[str]:
    """Names of the namespace's services that begin so; none where the API server does not answer."""
    return _names(context, incomplete, KubeApi.whisper_services)


def namespace_names(context: typer.Context, incomplete: str) -> list[str]:
    """Names of namespaces that begin so; none where the user may not list them."""
    return _names(context, incomplete, lambda api: api.listed(path_of("v1", "namespaces", None)))


def context_names(incomplete: str) -> list[str]:
    """Names of the kubeconfig's contexts that begin so."""
    try:
        found, _ = cast(Any, list_kube_config_contexts())
    except ConfigException:
        return []
    return [one["name"] for one in found if one["name"].startswith(incomplete)]


def reason_names(incomplete: str) -> list[str]:
    """Names of conditions and of their reasons that begin so."""
    from kubectl_whisper.explain import names  # imports the whole API

    return [name for name in names() if name.startswith(incomplete)]


def _names(context: typer.Context, incomplete: str, listed: Callable[[KubeApi], Iterable[Any]]) -> list[str]:
    try:
        api = KubeApi(context.params.get("context"), context.params.get("namespace"))
        api.http.timeout = SECONDS
        names = [one["metadata"]["name"] for one in listed(api)]
    except Failure:
        return []
    return [name for name in names if name.startswith(incomplete)]


def choices(words: Sequence[str]) -> list[str]:
    """What may stand in the place of the last of `words`, as lines; empty: a file, or nothing that is known."""
    from kubectl_whisper.cli import app

    *before, incomplete = words or [""]
    # Typer answers to variables; what it says to fish is what cobra expects: a tab before each description.
    os.environ["_KUBECTL_WHISPER_COMPLETE"] = "complete_fish"
    os.environ["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    os.environ["_TYPER_COMPLETE_ARGS"] = (
        f"{shlex.join([PROGRAM, *before])} {shlex.quote(incomplete) if incomplete else ''}"
    )
    output = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(output):
        app(prog_name=PROGRAM)
    # In the place of a file Typer repeats what was typed.
    return [line for line in output.getvalue().splitlines() if line and line != incomplete]


def main() -> None:
    found = choices(sys.argv[1:])
    print("\n".join([*found, NO_FILES if found else FILES]))
