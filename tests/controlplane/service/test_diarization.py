"""Speakers on a real API server: they are switched on and off as a model is changed, while pods of before serve."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kubectl import Kubectl, KubectlError
from tests.support.kubelet import SERVER, start_pods
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("running")


def encoder(namespace: Kubectl) -> str | None:
    """What pods of the Deployment are to tell speakers apart by."""
    found = namespace.get("deployment", "speech") or {"spec": {"template": {"spec": {"containers": [{}]}}}}
    (server,) = found["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one.get("value") for one in server.get("env", ())}.get("WHISPER_DIARIZATION_MODEL")


def told(namespace: Kubectl) -> tuple[Any, Any]:
    """The encoder in use, and the one that is wanted."""
    found = ((namespace.get("wsvc", "speech") or {}).get("status") or {}).get("diarization") or {}
    return found.get("name"), found.get("wanted")


def settle(namespace: Kubectl, pods: int) -> None:
    """The pods that are to come have come, and are ready."""
    eventually("its pods exist", lambda: len(namespace.list("pods", SERVER)) >= pods)
    start_pods(namespace)
    eventually("it is as it should be", lambda: reason(namespace, "speech", "Ready") == "AsSpecified")


def test_they_are_switched_on_and_off_while_pods_of_before_serve(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    settle(namespace, 1)
    assert (encoder(namespace), told(namespace)) == (None, (None, None))

    patch(namespace, "speech", {"diarization": {}})
    eventually("pods are to tell them apart", lambda: encoder(namespace) == "resemblyzer")
    eventually("the change is told", lambda: told(namespace) == (None, "resemblyzer"))
    assert namespace.condition("speech", "Ready")["status"] == "True"
    assert "base serves, base with resemblyzer is wanted" in namespace.condition("speech", "Ready")["message"]
    settle(namespace, 2)
    eventually("they are told apart", lambda: told(namespace) == ("resemblyzer", None))

    patch(namespace, "speech", {"diarization": None})
    eventually("pods are not to any more", lambda: encoder(namespace) is None)
    settle(namespace, 2)
    eventually("nothing is said of speakers any more", lambda: told(namespace) == (None, None))


def test_an_encoder_that_nobody_has_is_refused_with_the_one_there_is(namespace: Kubectl) -> None:
    with pytest.raises(KubectlError, match=r"spec\.diarization\.model\.name is no speaker encoder .*: use resemblyzer"):
        namespace.apply(service("speech", diarization={"model": {"name": "wespeaker"}}, **EMPTY_DIR))
