"""The service of the demo, on whichever cluster: asked for, waited for, and made to say what was spoken."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from testbed.demo import speech
from testbed.demo.steps import BOARD, SHOWS_LOGS, DemoStep

CONDITIONS: Final = 'jsonpath={range .status.conditions[*]}{.type}={.status}\t{.reason}\t{.message}{"\\n"}{end}'
PLAN: Final = ("WhisperService of an earlier demo removed", "WhisperService applied", "WhisperService Ready")
"""Names of the steps, in their order."""
CHILDREN: Final = "deploy,rs,pod,svc,sa,pvc,job,ingress,hpa"


@dataclass(frozen=True)
class DemoService:
    kubectl: Callable[..., tuple[str, ...]]
    """A kubectl command in the namespace of the demo."""
    file: Path
    """The WhisperService's manifest."""
    name: str
    ready_seconds: int
    """That it may take until it is Ready."""
    address: Callable[[], AbstractContextManager[str]]
    """The URL at which this machine reaches it."""
    recording: Path
    operator_log: tuple[str, ...]
    """The command that shows it, where the service does not become Ready."""

    def output(self, *arguments: str) -> str:
        return subprocess.run(self.kubectl(*arguments), check=True, capture_output=True, text=True).stdout


def steps(service: DemoService) -> tuple[DemoStep, ...]:
    """From nothing to a service that is Ready."""
    # One of an earlier demo keeps the image that it began with: this one shows the newest.
    forget = service.kubectl("delete", "wsvc", service.name, "--ignore-not-found", "--wait", "--timeout=120s")
    ready = service.kubectl(
        "wait", "--for=condition=Ready", f"wsvc/{service.name}", f"--timeout={service.ready_seconds}s"
    )
    return (
        DemoStep(PLAN[0], forget, "`kubectl describe wsvc` says what it waits for"),
        DemoStep(PLAN[1], service.kubectl("apply", "-f", str(service.file)), "is the CRD installed?"),
        DemoStep(
            PLAN[2],
            ready,
            "the conditions above say what it waits for; `kubectl whisper explain REASON` what to do",
            progress=service.kubectl("get", "wsvc", service.name, "-o", "jsonpath={.status.conditions[0].message}"),
            evidence=(
                service.kubectl("get", "wsvc", service.name, "-o", CONDITIONS),
                service.kubectl("get", "pods"),
                service.operator_log,
            ),
        ),
    )


def show(service: DemoService) -> None:
    """Sends the recording to the service, which is Ready, and prints the words."""
    with service.address() as address:
        started = time.monotonic()
        answer = speech.transcribe(address, service.recording)
        seconds = time.monotonic() - started
    BOARD.line(f"  {seconds:7.1f} s  {service.recording.name} transcribed")
    if SHOWS_LOGS:
        BOARD.line(service.output("get", "wsvc", service.name, "-o", CONDITIONS))
        BOARD.line(service.output("get", CHILDREN, "-l", f"whisper-operator.io/service={service.name}"))
    BOARD.line(f"\n{service.output('get', 'wsvc', service.name)}\n{words(answer, seconds)}")


def words(answer: dict[str, Any], seconds: float) -> str:
    """What was spoken, and how fast it was understood."""
    speed = f"{answer['duration']:.0f} s of speech in {seconds:.1f} s: {answer['duration'] / seconds:.1f} x real time"
    return f"The words that were spoken:\n\n    {answer['text'].strip()}\n\n{speed} on this CPU.\n"


def name_in(manifest: str) -> str:
    """The name of the service in the output of `kubectl create --dry-run=client -o json`."""
    return json.loads(manifest)["metadata"]["name"]
