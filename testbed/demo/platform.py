"""The platform that the demo and the end-to-end tests stand on: inputs, images, cluster, mirror, operator."""

from __future__ import annotations

import subprocess
from pathlib import Path

from testbed.cluster import binaries
from testbed.demo.steps import CACHE, REPOSITORY, DemoStep, run, together

NAMESPACE = "whisper-system"
RELEASE = "whisper-operator"
PYTHON = ("python3", "-m")
KUBECONFIG = CACHE / "cluster" / "kubeconfig"
CHART = REPOSITORY / "charts/whisper-operator"

PLAN = (
    *("binaries", "environment", "weights and recordings", "images"),
    *("cluster", "images into the cluster", "model mirror", "operator", "mirror ready", "cluster's add-ons"),
)
"""Names of the steps, in their order."""


def setup() -> None:
    """Everything that is fetched or built, overlapped: the Go builds keep the cores busy while the rest downloads."""
    together(
        [
            DemoStep(
                "binaries", (*PYTHON, "testbed.cluster", "binaries"), "see the log; a killed run can be started again"
            )
        ],
        [
            DemoStep("environment", ("hack/python.sh",), "is the Python package index reachable?"),
            DemoStep(
                "weights and recordings",
                ("hack/in-env.sh", "-m", "testbed.inputs"),
                "are the package indexes reachable?",
            ),
            DemoStep("images", (*PYTHON, "testbed.images", "build"), "`make images` shows the whole build"),
        ],
    )


def start(*then: DemoStep) -> None:
    """A running cluster with the model mirror and the operator in it, and `then` the given steps on it.

    Nothing of this waits for the cluster's own add-ons as a whole: metrics take half a minute until they are served.
    """
    setup()
    run(DemoStep("cluster", (*PYTHON, "testbed.cluster", "begin"), "`make cluster-down`, then again"))
    together(
        [DemoStep("cluster's add-ons", (*PYTHON, "testbed.cluster", "finish"), "`make cluster-down`, then again")],
        [*_operator(), *then],
    )


def _operator() -> tuple[DemoStep, ...]:
    return (
        DemoStep("images into the cluster", (*PYTHON, "testbed.images", "load"), "`make cluster-down`, then again"),
        DemoStep("model mirror", kubectl("apply", "-f", str(mirror_file())), "kubectl -n whisper-models get events"),
        DemoStep("operator", helm_upgrade(), f"kubectl -n {NAMESPACE} describe pods"),
        DemoStep(
            "mirror ready",
            kubectl("-n", "whisper-models", "rollout", "status", "deployment/models", "--timeout=120s"),
            "kubectl -n whisper-models describe pods",
        ),
    )


def kubectl(*arguments: str) -> tuple[str, ...]:
    """A kubectl command on the demo's cluster, with the pinned client."""
    return (str(binaries.ensure("kubectl") / "kubectl"), "--kubeconfig", str(KUBECONFIG), *arguments)


def images() -> dict[str, str]:
    """Reference of each image, by program: `operator` and `runtime`."""
    output = subprocess.run(
        (*PYTHON, "testbed.images", "refs"), cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    operator, runtime = sorted(output.stdout.split())
    return {"operator": operator, "runtime": runtime}


EXEMPT = ("--set", "policy.exemptNamespaces={e2e-*}")
"""The tests' namespaces, in which pods get arguments that make them crash, and images that nobody has."""


def helm_upgrade(chart: Path = CHART, **other_images: str) -> tuple[str, ...]:
    """A helm command that installs `chart`, or upgrades to it, with this checkout's images or others instead."""
    refs = {program: reference.rsplit(":", 1) for program, reference in (images() | other_images).items()}
    values = {
        "image.repository": refs["operator"][0],
        "image.tag": refs["operator"][1],
        "runtimeImage.repository": refs["runtime"][0],
        "runtimeImage.tag": refs["runtime"][1],
    }
    settings = [word for key, value in values.items() for word in ("--set-string", f"{key}={value}")]
    helm = str(binaries.ensure("helm") / "helm")
    return (
        helm,
        "--kubeconfig",
        str(KUBECONFIG),
        "upgrade",
        "--install",
        RELEASE,
        str(chart),
        "--namespace",
        NAMESPACE,
        "--create-namespace",
        "--wait",
        "--timeout",
        "180s",
        *settings,
        # An earlier chart does not know the value.
        *(EXEMPT if chart == CHART else ()),
    )


def mirror_file() -> Path:
    """The mirror's manifest with this machine's paths and images filled in."""
    from testbed.cluster import images as cluster_images

    template = (REPOSITORY / "testbed/demo/mirror.yaml").read_text()
    manifest = CACHE / "cluster" / "mirror.yaml"
    manifest.write_text(
        template.replace("${WEIGHTS}", str(CACHE / "weights")).replace(
            "${TOOLS_IMAGE}", cluster_images.tools_reference()
        )
    )
    return manifest
