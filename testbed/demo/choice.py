"""Which cluster the demo uses: one of its own, or the one that the user's kubeconfig leads to. It asks, or is told."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

OWN, KUBECONFIG = "own", "kubeconfig"
"""Values of the variable CLUSTER."""
SECONDS: Final = 10


class NoSuchCluster(Exception):
    """What the variable CLUSTER asks for cannot be; the message says why, and what to do."""


@dataclass(frozen=True)
class UserContext:
    """The current context of the user's kubeconfig.

    Every command names it: whoever switches to another meanwhile changes nothing.
    """

    name: str
    server: str
    """URL of the API server."""
    kubectl: str
    """Path of the user's kubectl."""

    def command(self, *arguments: str) -> tuple[str, ...]:
        return (self.kubectl, "--context", self.name, *arguments)


def current_context(kubectl: str | None = None) -> UserContext | None:
    """None where the machine has no kubectl (default: that of the PATH), or its kubeconfig no current context."""
    kubectl = kubectl or shutil.which("kubectl")
    if kubectl is None or not (name := _output(kubectl, "config", "current-context")):
        return None
    server = _output(kubectl, "--context", name, "config", "view", "--minify", "-o", "jsonpath={..server}")
    return UserContext(name, server, kubectl) if server else None


def chosen(
    asked: str, context: UserContext | None, own_server: str | None, ask: Callable[[str], str] | None
) -> UserContext | None:
    """The user's cluster; None: one of the demo's own. Raises NoSuchCluster.

    `asked`: the variable CLUSTER, empty where it is not set. `own_server`: URL of the demo's own cluster, where one is
    up; a kubeconfig that leads there is no other. `ask`: asks on the terminal, where there is one.
    """
    if asked not in ("", OWN, KUBECONFIG):
        raise NoSuchCluster(f"CLUSTER={asked}: it is {KUBECONFIG} for the cluster of your kubeconfig, or {OWN}")
    if asked == KUBECONFIG and context is None:
        raise NoSuchCluster(
            f"CLUSTER={KUBECONFIG}: no kubectl on the PATH has a current context; `kubectl config get-contexts` lists "
            "them, `kubectl config use-context NAME` chooses one"
        )
    if asked or context is None or context.server == own_server:
        return context if asked == KUBECONFIG else None
    question = (
        f"Your kubeconfig leads to {context.name} ({context.server}).\n"
        "Run the demo there, instead of on a cluster of its own on this machine? [y/N] "
    )
    return context if ask and ask(question).strip().lower() in ("y", "yes") else None


def _output(*command: str) -> str:
    """Empty where the command fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
