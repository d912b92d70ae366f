"""How the images come to the nodes of a cluster that somebody else runs. Pure.

What is known of kind, k3d and minikube is from their documentation; no test has them.
Sources: https://kind.sigs.k8s.io/docs/user/quick-start/#loading-an-image-into-your-cluster,
https://k3d.io/stable/usage/importing_images/, https://minikube.sigs.k8s.io/docs/handbook/pushing/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from testbed.demo.steps import DemoStep

CPU_INDEX: Final = "https://download.pytorch.org/whl/cpu"
"""PyTorch's own index of builds for CPUs: a seventh of what CUDA needs."""
PROGRAMS: Final = ("operator", "runtime")


@dataclass(frozen=True)
class ImageDelivery:
    images: dict[str, str]
    """Repository of each image, by program."""
    tag: str
    steps: tuple[DemoStep, ...]
    """What brings them there; none where a registry has them."""


class NoDelivery(Exception):
    """Nothing on the machine brings images to the cluster; the message says what to do."""


def delivery(context: str, registry: str, tag: str, found: Callable[[str], str | None]) -> ImageDelivery:
    """Of images tagged `tag` to the cluster of a kubeconfig's `context`; raises NoDelivery.

    `registry`: what comes before the images' names in a registry that has them; empty: none. `found`: the path of a
    program of that name, or None.
    """
    if registry:
        return ImageDelivery({one: f"{registry.rstrip('/')}/whisper-{one}" for one in PROGRAMS}, tag, ())
    images = {one: f"whisper-{one}" for one in PROGRAMS}
    references = [f"{image}:{tag}" for image in images.values()]
    loading = _loading(context, references, found)
    if loading is None or found("docker") is None:
        raise NoDelivery(_what_to_do(context, tag))
    built = (
        DemoStep(
            "image of the operator",
            ("docker", "build", "-f", "Dockerfile.operator", "-t", references[0], "."),
            "does `docker info` answer?",
        ),
        DemoStep(
            "image of the runtime",
            (
                *("docker", "build", "-f", "Dockerfile.runtime", "-t", references[1]),
                *("--build-arg", f"TORCH_INDEX_URL={CPU_INDEX}", "."),
            ),
            f"can {CPU_INDEX} be reached?",
        ),
    )
    loads = DemoStep("images into the cluster", loading, f"`{' '.join(loading)}` by hand shows why")
    return ImageDelivery(images, tag, (*built, loads))


def _loading(context: str, references: list[str], found: Callable[[str], str | None]) -> tuple[str, ...] | None:
    """The command that loads the images by the tool that made the cluster; None where it is not here, or not known."""
    kind, k3d = context.removeprefix("kind-"), context.removeprefix("k3d-")
    if kind != context and found("kind"):
        return ("kind", "load", "docker-image", *references, "--name", kind)
    if k3d != context and found("k3d"):
        return ("k3d", "image", "import", *references, "--cluster", k3d)
    if context == "minikube" and found("minikube"):
        return ("minikube", "image", "load", *references)
    return None


def _what_to_do(context: str, tag: str) -> str:
    return (
        f"The images cannot be loaded into {context} from here: that takes docker, and kind, k3d or minikube, by which "
        "the cluster was made. Have them in a registry that its nodes reach, and name it:\n"
        f"  docker build -f Dockerfile.operator -t REGISTRY/whisper-operator:{tag} . && "
        f"docker push REGISTRY/whisper-operator:{tag}\n"
        f"  docker build -f Dockerfile.runtime -t REGISTRY/whisper-runtime:{tag} . && "
        f"docker push REGISTRY/whisper-runtime:{tag}\n"
        "  CLUSTER=kubeconfig REGISTRY=REGISTRY make demo"
    )
