"""Speakers on a real API server: they are switched on and off as a model is changed, while pods of before serve."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kubectl import Kubectl, KubectlError
from tests.support.kubelet import SERVER, fail_init_container, pod_of, start_pods
from tests.support.services import EMPTY_DIR, bind, fetch_job, patch, reason, service
from tests.support.waiting import eventually
from whisper_runtime.contract.reports import FetchReport

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


SOURCE = {"url": "https://models.example.com/voices.onnx", "sha256": "b" * 64}


def test_an_encoder_of_ones_own_is_fetched_by_the_models_job_and_its_failure_is_told(namespace: Kubectl) -> None:
    namespace.apply(service("speech", diarization={"model": {"name": "voices", "source": SOURCE}}))
    bind(namespace, "speech-models")
    job = fetch_job(namespace)
    assert [one["name"] for one in job["spec"]["template"]["spec"]["initContainers"]] == ["fetch-encoder"]
    pod = pod_of(job)
    namespace.apply(pod)
    problem = "https://models.example.com/voices.onnx has sha256 cc, but bb was expected: correct the digest or the URL"
    report = FetchReport(model="voices", reason="ChecksumMismatch", message=problem)
    fail_init_container(namespace, pod["metadata"]["name"], "fetch-encoder", report.to_json())
    eventually("it is told", lambda: reason(namespace, "speech", "ModelCached") == "ChecksumMismatch")
    assert namespace.condition("speech", "ModelCached")["message"] == problem
    assert reason(namespace, "speech", "Stalled") == "ChecksumMismatch"
    assert told(namespace) == (None, "voices")


def test_a_secret_of_its_source_that_is_missing_holds_the_pods(namespace: Kubectl) -> None:
    source = {**SOURCE, "secretRef": {"name": "hub"}}
    namespace.apply(service("speech", diarization={"model": {"name": "voices", "source": source}}))
    eventually("it is told", lambda: reason(namespace, "speech", "PreflightPassed") == "SourceSecretInvalid")
    message = namespace.condition("speech", "PreflightPassed")["message"]
    assert "named in spec.diarization.model.source.secretRef, does not exist: create it, with the key token" in message
    assert namespace.list("jobs") == []


def test_a_source_without_a_digest_is_refused_by_the_api_server(namespace: Kubectl) -> None:
    source = {"url": SOURCE["url"]}
    with pytest.raises(KubectlError, match=r"spec\.diarization\.model\.source\.sha256 is missing: add the digest"):
        namespace.apply(service("speech", diarization={"model": {"name": "voices", "source": source}}))
