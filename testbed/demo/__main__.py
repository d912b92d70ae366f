"""python3 -m testbed.demo setup | platform | up"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from typing import Any

from testbed.cluster import binaries
from testbed.demo import platform, preconditions, speech
from testbed.demo.steps import CACHE, DemoStep, DemoStepFailed, fail, print_line, run

NAMESPACE = "demo"
CONDITIONS = 'jsonpath={range .status.conditions[*]}{.type}={.status}\t{.reason}\t{.message}{"\\n"}{end}'
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
    check_machine()
    started = time.monotonic()
    try:
        {"setup": platform.setup, "platform": platform.start, "up": demo}[action]()
    except DemoStepFailed as error:
        fail(error)
    print_line(f"  {time.monotonic() - started:7.1f} s  in all")


def check_machine() -> None:
    warm = (CACHE / "weights").is_dir()
    if lacking := preconditions.missing(CACHE, warm=warm):
        raise SystemExit("This machine lacks:\n" + "\n".join(f"  - {sentence}" for sentence in lacking))


def demo() -> None:
    """The main job, end to end; leaves the cluster up."""
    platform.start()
    manifest = CACHE / "cluster" / "demo-namespace.json"
    manifest.write_text(json.dumps(NAMESPACE_MANIFEST))
    run(DemoStep("namespace", platform.kubectl("apply", "-f", str(manifest)), "is the cluster up? `make cluster`"))
    # A service of an earlier demo keeps the image that it began with: this one shows the checkout's.
    forget = _in_demo("delete", "wsvc", SERVICE, "--ignore-not-found", "--wait", "--timeout=120s")
    run(DemoStep("WhisperService of an earlier demo removed", forget, "`make demo-down`, then again"))
    run(
        DemoStep("WhisperService applied", _in_demo("apply", "-f", "examples/quickstart.yaml"), "is the CRD installed?")
    )
    run(
        DemoStep(
            "WhisperService Ready",
            _in_demo("wait", "--for=condition=Ready", f"wsvc/{SERVICE}", "--timeout=300s"),
            "the conditions above print_line what it waits for",
            progress=_in_demo("get", "wsvc", SERVICE, "-o", "jsonpath={.status.conditions[0].message}"),
            evidence=(
                _in_demo("get", "wsvc", SERVICE, "-o", CONDITIONS),
                _in_demo("get", "pods"),
                platform.kubectl("-n", platform.NAMESPACE, "logs", f"deployment/{platform.RELEASE}", "--tail=5"),
            ),
        )
    )
    recording = CACHE / "recordings" / "jfk.wav"
    started = time.monotonic()
    answer = speech.transcribe(_address(), recording)
    print_line(f"  {time.monotonic() - started:7.1f} s  {recording.name} transcribed")
    report(answer, time.monotonic() - started)


def report(answer: dict[str, Any], seconds: float) -> None:
    print_line("\n" + _output("get", "wsvc"))
    print_line(
        _output(
            "get",
            "wsvc",
            SERVICE,
            "-o",
            CONDITIONS,
        )
    )
    kinds = "deploy,rs,pod,svc,sa,pvc,job,ingress,hpa"
    print_line(_output("get", kinds, "-l", f"whisper-operator.io/service={SERVICE}"))
    print_line(f"The words that were spoken:\n\n    {answer['text'].strip()}\n")
    print_line(
        f"{answer['duration']:.0f} s of speech in {seconds:.1f} s: "
        f"{answer['duration'] / seconds:.1f} x real time on this CPU.\n"
    )
    print_line(
        "Try next:\n"
        f"  export KUBECONFIG=$(make -s kubeconfig) PATH={binaries.ensure('kubectl')}:$PATH\n"
        f"  kubectl -n {NAMESPACE} scale wsvc {SERVICE} --replicas=2 && kubectl -n {NAMESPACE} get wsvc -w\n"
        f"  kubectl -n {NAMESPACE} delete deployment {SERVICE}    # and see it come back\n"
        f"  kubectl explain wsvc.spec.model\n"
        "The cluster stays up; `make demo-down` removes it.\n"
    )


def _in_demo(*arguments: str) -> tuple[str, ...]:
    return platform.kubectl("--namespace", NAMESPACE, *arguments)


def _output(*arguments: str) -> str:
    return subprocess.run(_in_demo(*arguments), check=True, capture_output=True, text=True).stdout


def _address() -> str:
    """The service's cluster IP, which kube-proxy answers on the node itself."""
    return f"http://{_output('get', 'service', SERVICE, '-o', 'jsonpath={.spec.clusterIP}')}"


if __name__ == "__main__":
    main()
