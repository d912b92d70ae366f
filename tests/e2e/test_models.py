"""A model is changed while it serves: a wrong one never reaches a client, and never replaces one that works.

The mirror of the tests runs on the node itself, where it can be told how to misbehave.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mirror import Mirror, Responder, cut, other, refusing, stalling, web_page, whole
from tests.support import plain_http
from tests.support.kubectl import Kubectl
from tests.support.model_mirror import from_mirror, mirrored, saved
from tests.support.services import mirrored_model, mirrored_service
from tests.support.traffic import transcribing
from tests.support.waiting import eventually

pytestmark = pytest.mark.long

NAME = "changing"


@pytest.fixture(scope="module")
def checkpoints(weights: dict[str, Path]) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in weights.items()}


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    """Its requests are its own: those of a checkpoint with a name of somebody's own are a large model's."""
    namespace.apply(mirrored_service(NAME, resources={"requests": {"cpu": "250m", "memory": "1792Mi"}}))
    namespace.wait_ready(NAME)
    return namespace


@pytest.fixture
def mirror(service: Kubectl, checkpoints: dict[str, bytes]) -> Iterator[Mirror]:
    """A mirror on the node that has base; when it goes, the service is back on tiny.en."""
    with mirrored(service, checkpoints["base"]) as found:
        yield found
        want(service, mirrored_model("tiny.en"))
        settled(service, "tiny.en")


def want(kubectl: Kubectl, wanted: dict[str, Any]) -> None:
    kubectl("patch", "wsvc", NAME, "--type=merge", "-p", json.dumps({"spec": {"model": wanted}}))


def status(kubectl: Kubectl) -> dict[str, Any]:
    return (kubectl.get("wsvc", NAME) or {}).get("status") or {}


def settled(kubectl: Kubectl, name: str, seconds: float = 300) -> float:
    """Seconds until `name` serves, and nothing else is wanted."""

    def holds() -> bool:
        found = kubectl.settled_status(NAME)
        return found is not None and found["model"].get("name") == name

    return eventually(f"{name} serves", holds, seconds)


def served(kubectl: Kubectl) -> list[str]:
    answer = plain_http.get(f"{kubectl.address(NAME)}/v1/models", timeout=30).raise_for_status().json()
    return sorted({entry["root"] for entry in answer["data"]})


def visible(kubectl: Kubectl) -> list[str]:
    """Files in the cache that could be taken for a model."""
    return sorted(kubectl("exec", f"deploy/{NAME}", "--", "ls", "/app/models").split())


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


FAULTS: list[tuple[str, Responder, str]] = [
    ("cut at 10 %", cut(0.1), "ended after"),
    ("cut at 50 %", cut(0.5), "ended after"),
    ("cut at 99 %", cut(0.99), "ended after"),
    ("a byte changed", lambda request: other(flipped(request.mirror.content))(request), "has sha256"),
    ("more sent", lambda request: other(request.mirror.content + b"more")(request), "has sha256"),
    ("a web page", web_page, "a web page instead of a checkpoint"),
    ("403", refusing(403), "answered 403"),
    ("404", refusing(404), "answered 404"),
    ("429", refusing(429), "answered 429"),
    ("500", refusing(500), "answered 500"),
    ("a stall", stalling(0.2), "sent nothing for"),
]


def fails_with(kubectl: Kubectl, says: str) -> bool:
    stalled = kubectl.condition(NAME, "Stalled")
    return stalled.get("reason") == "ModelChangeFailed" and says in stalled["message"]


@pytest.mark.parametrize(("fault", "answer", "says"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_a_fetch_that_fails_leaves_the_old_model_serving(
    service: Kubectl, mirror: Mirror, checkpoints: dict[str, bytes], fault: str, answer: Responder, says: str
) -> None:
    mirror.answers = [answer]
    before = visible(service)
    want(service, from_mirror(mirror, checkpoints["base"]))
    eventually("the mirror is asked", lambda: mirror.requests, 120)
    seconds = eventually("the cause is told", lambda: fails_with(service, says), 120)
    print(f"{fault}: told {seconds:.1f} s after the mirror was first asked")
    assert service.condition(NAME, "Ready")["status"] == "True"
    assert served(service) == ["tiny.en"]
    assert visible(service) == before


def test_it_recovers_by_itself_once_the_mirror_is_right(
    service: Kubectl, mirror: Mirror, weights: dict[str, Path]
) -> None:
    import torch

    # Saved anew it has a digest of its own, so that the claim holds no part of it from the tests before.
    mirror.content = saved(torch.load(weights["base"], weights_only=True))
    mirror.answers = [cut(0.5), refusing(404)]
    want(service, from_mirror(mirror, mirror.content))
    eventually("the cause is told", lambda: fails_with(service, "answered 404"), 120)
    mirror.answers = [whole]
    print(f"base served {settled(service, 'base', 400):.0f} s after the mirror was right")
    assert mirror.ranges[-1] == f"bytes={len(mirror.content) // 2}-"
    assert status(service)["model"]["digest"] == f"sha256:{hashlib.sha256(mirror.content).hexdigest()}"


class CodeRunningPickle:
    def __reduce__(self) -> Any:
        return os.mkdir, ("/app/models/it-ran",)


def test_a_pickle_that_runs_code_is_not_run(service: Kubectl, mirror: Mirror) -> None:
    mirror.content = saved({"dims": {}, "model_state_dict": CodeRunningPickle()})
    before = visible(service)
    want(service, from_mirror(mirror, mirror.content, "mine"))
    eventually("the cause is told", lambda: fails_with(service, "not a checkpoint of a Whisper"), 120)
    assert visible(service) == before
    assert served(service) == ["tiny.en"]


def test_random_weights_never_reach_a_client(
    service: Kubectl, mirror: Mirror, weights: dict[str, Path], recording: bytes
) -> None:
    """Their digest is right and they load: only the golden clip can tell."""
    import torch

    checkpoint = torch.load(weights["tiny.en"], weights_only=True)
    tensors = checkpoint["model_state_dict"]
    mirror.content = saved({**checkpoint, "model_state_dict": {k: torch.randn_like(v) for k, v in tensors.items()}})
    with transcribing(service.address(NAME), recording) as answers:
        want(service, from_mirror(mirror, mirror.content, "mine"))
        eventually("the cause is told", lambda: fails_with(service, "golden clip"), 300)
        assert served(service) == ["tiny.en"]
    assert answers.problems == []


@pytest.fixture
def recording(recordings: Path) -> bytes:
    return (recordings / "jfk.wav").read_bytes()
