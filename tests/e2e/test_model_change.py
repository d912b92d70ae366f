"""No client notices that the model changes while pods are killed: CHAOS_ROUNDS times, by the seed CHAOS_SEED."""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.demo import platform
from tests.support.kubectl import Kubectl
from tests.support.model_mirror import from_mirror, mirrored, saved
from tests.support.services import mirrored_service
from tests.support.traffic import transcribe, transcribing
from tests.support.waiting import eventually

NAME = "swapped"
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "2"))
MODELS = ("base", "tiny.en")
NUDGE = 1e-4
"""By how much a weight is moved: one of the last place of a text, to which no text comes: the words stay the same."""
SECONDS = 600


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    """Two replicas, for one whose only pod is killed has nobody to answer."""
    namespace.apply(mirrored_service(NAME, replicas=2, resources={"requests": {"cpu": "250m", "memory": "1Gi"}}))
    namespace.wait_ready(NAME)
    return namespace


def anew(checkpoint: Path, number: int) -> bytes:
    """The same model with another digest, so that each round has something to fetch."""
    import torch

    found: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    found["model_state_dict"]["decoder.positional_embedding"][-1, 0] += number * NUDGE
    return saved(found)


def kill_fetcher(kubectl: Kubectl, rng: random.Random) -> None:
    """While it downloads, or wherever else it is."""
    eventually("it is fetched", lambda: going(kubectl, "prefetch"), 60)
    time.sleep(rng.uniform(0, 3))
    kill(kubectl, going(kubectl, "prefetch"), rng)


def kill_server(kubectl: Kubectl, rng: random.Random) -> None:
    """An old one or a new one."""
    time.sleep(rng.uniform(0, 40))
    kill(kubectl, going(kubectl, "server"), rng)


def kill_operator(kubectl: Kubectl, rng: random.Random) -> None:
    time.sleep(rng.uniform(0, 40))
    kubectl("-n", platform.NAMESPACE, "delete", "pods", "--all", "--wait=false")


DISRUPTIONS: list[Callable[[Kubectl, random.Random], None]] = [kill_fetcher, kill_server, kill_operator]


def going(kubectl: Kubectl, component: str) -> list[str]:
    """Names of the pods that have not ended."""
    there = kubectl.pods_of(NAME, component)
    return [pod["metadata"]["name"] for pod in there if pod["status"]["phase"] in ("Pending", "Running")]


def kill(kubectl: Kubectl, pods: list[str], rng: random.Random) -> None:
    if pods:
        kubectl("delete", "pod", rng.choice(pods), "--wait=false", "--ignore-not-found")


def serves(kubectl: Kubectl, model: dict[str, Any]) -> bool:
    """Whether that model serves, and nothing else is wanted."""
    found = kubectl.settled_status(NAME)
    return found is not None and found["model"].get("digest") == f"sha256:{model['source']['sha256']}"


def test_no_request_fails_while_the_model_changes_and_pods_are_killed(
    service: Kubectl, recordings: Path, weights: dict[str, Path]
) -> None:
    url, recording = service.address(NAME), (recordings / "jfk.wav").read_bytes()
    known = {transcribe(url, recording).text}
    seed = int(os.environ.get("CHAOS_SEED", random.randrange(2**32)))
    print(f"CHAOS_SEED={seed}")
    rng = random.Random(seed)
    disruptions = itertools.cycle(rng.sample(DISRUPTIONS, len(DISRUPTIONS)))
    with mirrored(service, b"") as mirror, transcribing(url, recording) as answers:
        for number, name, disrupt in zip(range(ROUNDS), itertools.cycle(MODELS), disruptions, strict=False):
            mirror.content = anew(weights[name], number + 1)
            model = from_mirror(mirror, mirror.content, name)
            service("patch", "wsvc", NAME, "--type=merge", "-p", json.dumps({"spec": {"model": model}}))
            disrupt(service, rng)
            seconds = eventually(f"{name} serves", lambda model=model: serves(service, model), SECONDS)
            known.add(transcribe(url, recording).text)
            requests = f"{len(answers.results)} requests"
            print(f"round {number + 1}, {disrupt.__name__}: {name} served {seconds:.0f} s later, {requests}")
            assert answers.problems == []
    assert answers.problems == []
    assert answers.texts <= known
