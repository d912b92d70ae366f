"""python3 -m testbed.demo setup | platform | up

`up` makes a cluster of its own on this machine, or uses the one that the kubeconfig leads to: it asks on a terminal,
and CLUSTER=kubeconfig or CLUSTER=own tells it. V=1 shows what the steps log.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

from testbed.cluster import binaries
from testbed.demo import choice, platform, preconditions, user_cluster
from testbed.demo.choice import NoSuchCluster, UserContext
from testbed.demo.service import PLAN, DemoService, name_in, show, steps
from testbed.demo.steps import BOARD, CACHE, DemoStep, DemoStepFailed, fail, run

NAMESPACE = "demo"
SERVICE = "quickstart"
NAMESPACE_MANIFEST = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m testbed.demo", description=__doc__)
    parser.add_argument("action", choices=("setup", "platform", "up"))
    action = parser.parse_args().action
    started = time.monotonic()
    try:
        context = _users_cluster() if action == "up" else None
        if context is None:
            check_machine()
            {"setup": platform.setup, "platform": platform.start, "up": demo}[action]()
        else:
            demo_on(context)
    except (DemoStepFailed, NoSuchCluster) as error:
        fail(error)
    BOARD.line(f"  {time.monotonic() - started:7.1f} s  in all")


def check_machine() -> None:
    warm = (CACHE / "weights").is_dir()
    if lacking := preconditions.missing(CACHE, warm=warm):
        raise SystemExit("This machine lacks:\n" + "\n".join(f"  - {sentence}" for sentence in lacking))


def demo() -> None:
    """The main job, end to end, on a cluster of its own; leaves it up."""
    BOARD.plan([*platform.PLAN, "namespace", *PLAN])
    manifest = CACHE / "demo-namespace.json"
    manifest.write_text(json.dumps(NAMESPACE_MANIFEST))
    namespace = platform.kubectl("apply", "-f", str(manifest))
    service = _own_service()
    platform.start(DemoStep("namespace", namespace, "is the cluster up? `make cluster`"), *steps(service))
    show(service)
    BOARD.line(
        "Try next:\n"
        f"  export KUBECONFIG=$(make -s kubeconfig) PATH={binaries.ensure('kubectl')}:$PATH\n"
        f"  kubectl -n {NAMESPACE} scale wsvc {SERVICE} --replicas=2 && kubectl -n {NAMESPACE} get wsvc -w\n"
        f"  kubectl -n {NAMESPACE} delete deployment {SERVICE}    # and see it come back\n"
        f"  kubectl explain wsvc.spec.model\n"
        "The cluster stays up; `make demo-down` removes it.\n"
    )


def demo_on(context: UserContext) -> None:
    """The same on the cluster that the user's kubeconfig leads to."""
    BOARD.plan(PLAN)
    installed = user_cluster.prepare(context, os.environ.get("REGISTRY", ""))
    in_demo = partial(context.command, "-n", user_cluster.NAMESPACE)
    file = user_cluster.service_file()
    described = run(
        DemoStep(
            f"{file.name} admitted",
            in_demo("create", "--dry-run=server", "-o", "json", "-f", str(file)),
            "the message above names what the cluster refuses",
        )
    )
    name = name_in(described)
    service = DemoService(
        kubectl=in_demo,
        file=file,
        name=name,
        ready_seconds=user_cluster.READY_SECONDS,
        address=partial(user_cluster.forwarded, context, name),
        recording=user_cluster.RECORDING,
        operator_log=in_demo("get", "events", "--sort-by=.lastTimestamp"),
    )
    for step in steps(service):
        run(step)
    show(service)
    BOARD.line(user_cluster.farewell(context, installed=installed))


def _users_cluster() -> UserContext | None:
    """None: the demo makes its own. Raises NoSuchCluster."""
    ask = input if sys.stdin.isatty() and sys.stdout.isatty() else None
    own = json.loads(platform.KUBECONFIG.read_text()) if platform.KUBECONFIG.exists() else None
    own_server = own["clusters"][0]["cluster"]["server"] if own else None
    return choice.chosen(os.environ.get("CLUSTER", ""), choice.current_context(), own_server, ask)


def _own_service() -> DemoService:
    in_demo = partial(platform.kubectl, "--namespace", NAMESPACE)
    return DemoService(
        kubectl=in_demo,
        file=platform.REPOSITORY / "examples/quickstart.yaml",
        name=SERVICE,
        ready_seconds=300,
        address=_address,
        recording=CACHE / "recordings" / "jfk.wav",
        operator_log=platform.kubectl("-n", platform.NAMESPACE, "logs", f"deployment/{platform.RELEASE}", "--tail=5"),
    )


@contextmanager
def _address() -> Generator[str]:
    """The service's cluster IP, which kube-proxy answers on the node itself."""
    yield f"http://{_own_service().output('get', 'service', SERVICE, '-o', 'jsonpath={.spec.clusterIP}')}"


if __name__ == "__main__":
    main()
