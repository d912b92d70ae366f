"""Images come by the tool that made the cluster, or from a registry that is named; else it is said what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from testbed.demo.delivery import NoDelivery, delivery

BOTH = ("whisper-operator:1", "whisper-runtime:1")


def found(*programs: str) -> Callable[[str], str | None]:
    return lambda name: f"/bin/{name}" if name in programs else None


@pytest.mark.parametrize(
    ("context", "tool", "command"),
    [
        ("kind-words", "kind", ("kind", "load", "docker-image", *BOTH, "--name", "words")),
        ("k3d-words", "k3d", ("k3d", "image", "import", *BOTH, "--cluster", "words")),
        ("minikube", "minikube", ("minikube", "image", "load", *BOTH)),
    ],
)
def test_the_tool_that_made_the_cluster_loads_them(context: str, tool: str, command: tuple[str, ...]) -> None:
    given = delivery(context, "", "1", found("docker", tool))
    assert given.steps[-1].command == command
    assert [step.command[:2] for step in given.steps[:-1]] == [("docker", "build")] * 2
    assert given.images == {"operator": "whisper-operator", "runtime": "whisper-runtime"}


def test_a_registry_has_them_already() -> None:
    given = delivery("kind-words", "registry.example.com/team/", "1", found("docker", "kind"))
    assert given.steps == ()
    assert given.images["runtime"] == "registry.example.com/team/whisper-runtime"


@pytest.mark.parametrize(
    ("context", "programs"),
    [
        ("kind-words", ("docker",)),
        ("kind-words", ("kind",)),
        ("kind-words", ("docker", "k3d", "minikube")),
        ("gke_project_zone_words", ("docker", "kind", "k3d", "minikube")),
    ],
    ids=["no kind", "no docker", "another's tools", "a cloud's"],
)
def test_nothing_here_brings_them(context: str, programs: tuple[str, ...]) -> None:
    with pytest.raises(NoDelivery) as refused:
        delivery(context, "", "1", found(*programs))
    assert str(refused.value).startswith(f"The images cannot be loaded into {context} from here")
    assert str(refused.value).endswith("CLUSTER=kubeconfig REGISTRY=REGISTRY make demo")
