"""The demo on a cluster that somebody else runs: in a namespace of its own, an operator left as it is found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from testbed.cluster import binaries
from testbed.demo.choice import UserContext
from testbed.demo.delivery import ImageDelivery, NoDelivery, delivery
from testbed.demo.steps import BOARD, DemoStep, DemoStepFailed, run
from testbed.paths import REPOSITORY
from whisper_runtime.contract.version import VERSION

NAMESPACE: Final = "whisper-demo"
OPERATOR_NAMESPACE, RELEASE = "whisper-system", "whisper-operator"
CRD: Final = "whisperservices.whisper-operator.io"
SERVICE_FILE: Final = "examples/tiny.yaml"
RECORDING: Final = REPOSITORY / "runtime/whisper_runtime/media/golden/clip.wav"
READY_SECONDS: Final = 900
"""A node that has no image yet pulls gigabytes."""
FORWARDING: Final = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")
LABELLED: Final = "pod-security.kubernetes.io/enforce=restricted"


def prepare(context: UserContext, registry: str) -> bool:
    """The operator in the cluster, and the demo's namespace; whether it was the demo that installed the operator.

    Raises DemoStepFailed.
    """
    run(DemoStep("cluster answers", context.command("get", "--raw", "/readyz"), "`kubectl cluster-info` says more"))
    is_there = has_operator(context)
    if is_there:
        BOARD.line(f"             {context.name} has an operator already: it is used as it is")
    else:
        _install(context, registry)
    if _fails(context.command("get", "namespace", NAMESPACE)):
        run(DemoStep("namespace", context.command("create", "namespace", NAMESPACE), "may you create namespaces?"))
        run(DemoStep("its pods restricted", context.command("label", "namespace", NAMESPACE, LABELLED), "may you?"))
    return not is_there


def has_operator(context: UserContext) -> bool:
    """Whether the cluster knows our API: whoever installed it looks after it, not the demo."""
    return not _fails(context.command("get", "crd", CRD))


def helm_install(context: UserContext, given: ImageDelivery, helm: str) -> tuple[str, ...]:
    values = {
        f"{'image' if one == 'operator' else 'runtimeImage'}.repository": given.images[one] for one in given.images
    }
    values |= {"image.tag": given.tag, "runtimeImage.tag": given.tag}
    settings = [word for key, value in values.items() for word in ("--set-string", f"{key}={value}")]
    where = ("--kube-context", context.name, "--namespace", OPERATOR_NAMESPACE, "--create-namespace")
    return (helm, "install", RELEASE, "charts/whisper-operator", *where, "--wait", "--timeout", "5m", *settings)


@contextmanager
def forwarded(context: UserContext, service: str) -> Generator[str]:
    """The address on this machine that leads to the service, while the block runs; raises DemoStepFailed."""
    command = context.command("-n", NAMESPACE, "port-forward", f"service/{service}", ":80")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            if not (found := FORWARDING.search(running.stdout.readline())):
                raise DemoStepFailed(f"{' '.join(command)} gave no port: try it by hand")
            yield f"http://127.0.0.1:{found[1]}"
        finally:
            running.terminate()


def farewell(context: UserContext, *, installed: bool) -> str:
    """How to remove what the demo has left in the cluster."""
    operator = f"  {_uninstall(context)}\n" if installed else ""
    return f"It stays. To remove it:\n  kubectl --context {context.name} delete namespace {NAMESPACE}\n{operator}"


def service_file() -> Path:
    """The service to ask for: the smallest, or that of the variable SERVICE, as where no pod reaches the internet."""
    return REPOSITORY / os.environ.get("SERVICE", SERVICE_FILE)


def _install(context: UserContext, registry: str) -> None:
    try:
        given = delivery(context.name, registry, VERSION, shutil.which)
    except NoDelivery as error:
        raise DemoStepFailed(str(error)) from None
    for step in given.steps:
        run(step)
    helm = shutil.which("helm") or str(binaries.ensure("helm") / "helm")
    events = context.command("-n", OPERATOR_NAMESPACE, "get", "events", "--sort-by=.lastTimestamp")
    # Else the next demo takes what is left of this one for somebody's operator.
    remedy = f"do its nodes reach the images? Before the next try remove what is there:\n  {_uninstall(context)}"
    run(DemoStep("operator", helm_install(context, given, helm), remedy, evidence=(events,)))


def _uninstall(context: UserContext) -> str:
    kubectl = f"kubectl --context {context.name}"
    return (
        f"helm --kube-context {context.name} -n {OPERATOR_NAMESPACE} uninstall {RELEASE} && "
        f"{kubectl} delete namespace {OPERATOR_NAMESPACE} && {kubectl} delete crd {CRD}"
    )


def _fails(command: tuple[str, ...]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0
