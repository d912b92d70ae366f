"""Apply a manifest, get real speech back as text; change it, and the service follows."""

from __future__ import annotations

from pathlib import Path

import jiwer
import pytest

from testbed.demo import speech
from testbed.inputs.recordings import JFK_WORDS
from tests.support import plain_http
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import mirrored_model, mirrored_service
from tests.support.waiting import eventually

MAX_WORD_ERROR_RATE = 0.1
NORMALISED = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.ReduceToListOfListOfWords()])
LABEL = "whisper-operator.io/service=speech"
CHILDREN = "deployment,service,serviceaccount,persistentvolumeclaim,job,ingress,horizontalpodautoscaler,pod"


def word_error_rate(heard: str) -> float:
    return jiwer.wer(JFK_WORDS, heard, reference_transform=NORMALISED, hypothesis_transform=NORMALISED)


@pytest.fixture(scope="module")
def jfk(recordings: Path) -> Path:
    return recordings / "jfk.wav"


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    """A Ready service named `speech` that serves tiny.en, with an Ingress."""
    namespace.apply(mirrored_service("speech", ingress={"className": "nginx", "host": "speech.example.com"}))
    namespace.wait_ready("speech")
    return namespace


def served_models(kubectl: Kubectl) -> list[str]:
    answer = plain_http.get(f"{kubectl.address('speech')}/v1/models").raise_for_status().json()
    return sorted({entry["root"] for entry in answer["data"]})


def test_transcribes_a_real_recording(service: Kubectl, jfk: Path) -> None:
    answer = speech.transcribe(service.address("speech"), jfk)
    assert word_error_rate(answer["text"]) <= MAX_WORD_ERROR_RATE
    assert answer["language"] == "en"
    assert answer["duration"] == pytest.approx(11, abs=0.1)


def test_a_pod_without_a_gpu_has_none_of_nvidias_libraries_in_memory(service: Kubectl) -> None:
    """But that which counts the GPUs. The image has them all, for the pods that have one."""
    paths = {line.split()[-1] for line in service("exec", "deploy/speech", "--", "cat", "/proc/1/maps").splitlines()}
    of_nvidia = {path for path in paths if "/nvidia/" in path}
    real = {path for path in of_nvidia if not path.startswith("/opt/venv/gpu-stand-ins/")}
    assert [Path(path).name.partition(".")[0] for path in sorted(real)] == ["libcudart"]
    assert "libcublasLt.so.13" in {Path(path).name for path in of_nvidia - real}


def test_speaks_the_openai_api(service: Kubectl, jfk: Path) -> None:
    answer = plain_http.post(
        f"{service.address('speech')}/v1/audio/transcriptions",
        files={"file": jfk.read_bytes()},
        data={"model": "whisper-1", "response_format": "verbose_json"},
        timeout=120,
    ).raise_for_status()
    assert word_error_rate(answer.json()["text"]) <= MAX_WORD_ERROR_RATE


@pytest.mark.parametrize("content", [b"", b"this is no audio" * 100], ids=["empty", "text"])
def test_a_file_that_is_no_audio_gets_openais_error_and_the_server_stays_up(
    service: Kubectl, jfk: Path, content: bytes
) -> None:
    answer = plain_http.post(f"{service.address('speech')}/transcribe", files={"file": ("x.wav", content)})
    assert 400 <= answer.status_code < 500
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert word_error_rate(speech.transcribe(service.address("speech"), jfk)["text"]) <= MAX_WORD_ERROR_RATE


def test_status_tells_what_is_there(service: Kubectl) -> None:
    body = service.get("wsvc", "speech")
    assert body is not None
    status = body["status"]
    assert status["observedGeneration"] == body["metadata"]["generation"]
    assert (status["replicas"], status["readyReplicas"]) == (1, 1)
    assert status["model"]["name"] == "tiny.en"
    assert status["model"]["digest"].endswith(mirrored_model("tiny.en")["source"]["sha256"])
    assert status["url"] == "http://speech.example.com"


def test_kubectl_diff_is_empty_after_apply(service: Kubectl) -> None:
    import yaml

    manifest = yaml.safe_dump(mirrored_service("speech", ingress={"className": "nginx", "host": "speech.example.com"}))
    assert service("diff", "-f", "-", stdin=manifest) == ""


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("deployment", "speech"),
        ("service", "speech"),
        ("service", "speech-metrics"),
        ("serviceaccount", "speech"),
        ("ingress", "speech"),
    ],
)
def test_a_child_that_is_deleted_by_hand_is_back(service: Kubectl, kind: str, name: str) -> None:
    before = service.get(kind, name)
    assert before is not None
    service("delete", kind, name, "--wait=false")
    seconds = eventually(
        f"{kind}/{name} is back",
        lambda: (now := service.get(kind, name)) and now["metadata"]["uid"] != before["metadata"]["uid"],
    )
    print(f"{kind}/{name} was back after {seconds:.1f} s")
    service.wait_ready("speech")


def test_an_owned_field_is_put_back(service: Kubectl) -> None:
    service(
        "patch",
        "service",
        "speech",
        "--type=json",
        "-p",
        '[{"op": "replace", "path": "/spec/ports/0/port", "value": 8081}]',
    )
    eventually(
        "the port is 80 again", lambda: (service.get("service", "speech") or {})["spec"]["ports"][0]["port"] == 80
    )


def test_a_field_that_is_not_ours_is_left_alone(service: Kubectl) -> None:
    service("annotate", "deployment", "speech", "example.com/owner=team-a")
    service("annotate", "service", "speech", "example.com/owner=team-a")
    service(
        "patch",
        "service",
        "speech",
        "--type=json",
        "-p",
        '[{"op": "replace", "path": "/spec/ports/0/port", "value": 8082}]',
    )
    eventually(
        "the port is 80 again", lambda: (service.get("service", "speech") or {})["spec"]["ports"][0]["port"] == 80
    )
    for kind in ("deployment", "service"):
        found = service.get(kind, "speech")
        assert found is not None
        assert found["metadata"]["annotations"]["example.com/owner"] == "team-a"


def test_an_ingress_that_is_switched_off_is_gone(service: Kubectl) -> None:
    service("patch", "wsvc", "speech", "--type=merge", "-p", '{"spec": {"ingress": null}}')
    eventually("the Ingress is gone", lambda: service.get("ingress", "speech") is None)


def test_scale_changes_replicas(service: Kubectl, jfk: Path) -> None:
    service("scale", "wsvc", "speech", "--replicas=2")
    eventually(
        "two pods are ready", lambda: (service.get("wsvc", "speech") or {})["status"].get("readyReplicas") == 2, 180
    )
    service("scale", "wsvc", "speech", "--replicas=1")
    eventually("one pod is left", lambda: len(service.pods_of("speech")) == 1, 180)
    service.wait_ready("speech")


def test_a_missing_secret_is_named_and_the_old_pods_stay(service: Kubectl, jfk: Path) -> None:
    service("patch", "wsvc", "speech", "--type=merge", "-p", '{"spec": {"auth": {"secretRef": {"name": "keys"}}}}')
    eventually(
        "the condition names the Secret", lambda: "keys" in service.condition("speech", "Ready").get("message", "")
    )
    assert service.condition("speech", "Ready")["status"] == "True"
    assert service.condition("speech", "Stalled")["reason"] == "SecretNotFound"
    assert word_error_rate(speech.transcribe(service.address("speech"), jfk)["text"]) <= MAX_WORD_ERROR_RATE


def test_keys_are_demanded_once_the_secret_is_there(service: Kubectl, jfk: Path) -> None:
    service("create", "secret", "generic", "keys", "--from-literal=team-a=open-sesame")
    service.wait_ready("speech")
    url = f"{service.address('speech')}/transcribe"
    file = {"file": jfk.read_bytes()}
    # The pod that asks for no key answers beside the new one until it has drained.
    eventually("the pod of before has left", lambda: len(service.pods_of("speech")) == 1, 180)
    assert plain_http.post(url, files=file).status_code == 401
    assert plain_http.post(url, files=file, headers={"Authorization": "Bearer wrong"}).status_code == 401
    for headers in ({"Authorization": "Bearer open-sesame"}, {"X-API-Key": "open-sesame"}):
        answer = plain_http.post(url, files=file, headers=headers, timeout=120).raise_for_status()
        assert word_error_rate(answer.json()["text"]) <= MAX_WORD_ERROR_RATE
    service("patch", "wsvc", "speech", "--type=merge", "-p", '{"spec": {"auth": null}}')
    service.wait_ready("speech")
    eventually("the pod that asks for a key has left", lambda: len(service.pods_of("speech")) == 1, 180)


def test_a_wrong_digest_is_reported_and_the_old_model_stays(service: Kubectl, jfk: Path) -> None:
    wrong = mirrored_model("base")
    wrong["source"]["sha256"] = "0" * 64
    patch(service, {"model": wrong})
    eventually(
        "the condition names the digest",
        lambda: "sha256" in service.condition("speech", "ModelCached").get("message", ""),
        120,
    )
    eventually(
        "the change has failed, and the service has not",
        lambda: (
            service.condition("speech", "Stalled").get("reason") == "ModelChangeFailed"
            and service.condition("speech", "Ready")["status"] == "True"
        ),
    )
    assert served_models(service) == ["tiny.en"]


def test_another_model_is_served_after_the_change(service: Kubectl, jfk: Path) -> None:
    patch(service, {"model": mirrored_model("base")})
    eventually("the change is seen", lambda: service.condition("speech", "ModelCached").get("status") == "True", 180)
    service.wait_ready("speech")
    eventually("the old pod has left", lambda: served_models(service) == ["base"])
    assert word_error_rate(speech.transcribe(service.address("speech"), jfk)["text"]) <= MAX_WORD_ERROR_RATE


def test_a_broken_manifest_is_refused(namespace: Kubectl) -> None:
    with pytest.raises(KubectlError, match="minReplicas"):
        namespace.apply(mirrored_service("broken", autoscaling={"minReplicas": 3, "maxReplicas": 2}))


def test_nothing_is_left_of_a_deleted_service(service: Kubectl) -> None:
    service("delete", "wsvc", "speech", "--wait=true")
    eventually("no child is left", lambda: not service.list(CHILDREN, LABEL), 180)


def patch(kubectl: Kubectl, spec: dict[str, object]) -> None:
    import json

    kubectl("patch", "wsvc", "speech", "--type=merge", "-p", json.dumps({"spec": spec}))
