"""What may be secret goes out of objects and of text; what helps stays."""

from __future__ import annotations

from typing import Any

import pytest
from kubectl_whisper.upkeep.redact import REMOVED, redacted, scrubbed

from whisper_runtime.contract.config import ENV_NAMES


@pytest.mark.parametrize(
    "text",
    [
        "GET https://me:planted@models.example.com/base.pt failed",
        "redis://:planted@cache:6379/0",
        "https://me:plan/planted@example.com/base.pt",
        "https://me:12/planted@example.com/base.pt",
        "oci://me:planted@registry/team/model@sha256:12",
        "(https://planted@example.com)",
        "https://bucket.example.com/base.pt?X-Amz-Signature=planted&X-Amz-Date=1",
        "Authorization: Bearer planted-planted",
        "authorization: Basic cGxhbnRlZA/planted==",
        "PASSWORD=planted",
        '{"client_secret": "planted", "n": 1}',
        "api_key='planted'",
        "aws_access_key_id = planted",
        "the token: planted.",
        "eyJhbGciOiJI.eyJwbGFudGVk.planted",
        "hf_planted0123456789",
        "sk-planted-0123456789",
        "whsec_planted0123456789",
        "-----BEGIN RSA PRIVATE KEY-----\nplanted\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nplanted, cut",
    ],
)
def test_what_looks_like_a_secret_in_text(text: str) -> None:
    found = scrubbed(text)
    assert "planted" not in found
    assert REMOVED in found


@pytest.mark.parametrize(
    "text",
    [
        "https://models.example.com:8443/base.pt: 404",
        "oci://registry.example.com:5000/team/model@sha256:ed3a0b6b1c0e",
        "hf://openai/whisper-base@e37978b",
        "Secret team/keys, named in spec.auth.secretRef, does not exist",
        '{"prompt_tokens": 12, "message": "ready"}',
        "whisper_tokens_total 12.0",
        "sha256:ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
        "Back-off restarting failed container server in pod speech-6d5f9c7b8-2xk4q",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert scrubbed(text) == text


def test_annotations_and_labels_of_others_lose_their_values_and_keep_their_names() -> None:
    body = {
        "metadata": {
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "planted",
                "whisper-operator.io/golden-text": "planted",
                "whisper-operator.io/rollout": "GpuFree",
                "deployment.kubernetes.io/revision": "3",
            },
            "labels": {"team": "planted", "app.kubernetes.io/name": "whisper", "whisper-operator.io/service": "speech"},
            "managedFields": ["planted"],
        }
    }
    found = redacted(body)["metadata"]
    assert "managedFields" not in found
    assert found["annotations"] == {
        "kubectl.kubernetes.io/last-applied-configuration": REMOVED,
        "whisper-operator.io/golden-text": REMOVED,
        "whisper-operator.io/rollout": "GpuFree",
        "deployment.kubernetes.io/revision": "3",
    }
    assert found["labels"]["team"] == REMOVED
    assert found["labels"]["whisper-operator.io/service"] == "speech"


def test_variables_keep_their_values_where_they_are_settings_of_the_runtime() -> None:
    assert "WHISPER_MODEL" in ENV_NAMES
    reference = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "me"}}}
    given = [{"name": "WHISPER_MODEL", "value": "base"}, {"name": "MY_KEY", "value": "planted"}, reference, "planted"]
    first, second, third, fourth = redacted({"env": given})["env"]
    assert (first["value"], second["value"], third, fourth) == ("base", REMOVED, reference, REMOVED)


def test_the_token_of_a_front_is_a_setting_and_a_secret() -> None:
    assert "WHISPER_FRONT_TOKEN" in ENV_NAMES
    (found,) = redacted({"env": [{"name": "WHISPER_FRONT_TOKEN", "value": "planted"}]})["env"]
    assert found == {"name": "WHISPER_FRONT_TOKEN", "value": REMOVED}


@pytest.mark.parametrize("key", ["args", "command"])
def test_arguments_are_kept_where_the_operator_wrote_them(key: str) -> None:
    ours = ["serve", "--json", "--url=http://speech.team.svc:80", "--api-key-file=/etc/whisper/verify/api-key"]
    others = ["--token", "planted", "--key=planted", "--url=http://me:planted@x", "sh -c 'planted'", 7]
    assert redacted({key: [*ours, *others]}) == {key: [*ours, *[REMOVED] * len(others)]}


@pytest.mark.parametrize(
    "body",
    [
        {"httpHeaders": [{"name": "Authorization", "value": "planted"}]},
        {"csi": {"driver": "d", "volumeAttributes": {"secret": "planted"}}},
        {"triggers": [{"type": "redis", "metadata": {"password": "planted", "n": 1}}]},
        {"expect": {"text": "planted"}},
        {"accepted": {"spec": '{"planted": 1}'}},
        {"stringData": {"a": "planted"}},
        {"data": {"a": "planted"}},
        {"sidecar": {"apiToken": "planted", "password": "planted", "clientSecret": "planted"}},
    ],
    ids=["headers", "a driver's", "KEDA's", "words", "the spec as text", "a Secret", "a Secret's bytes", "by name"],
)
def test_fields_whose_values_are_others(body: dict[str, Any]) -> None:
    assert "planted" not in str(redacted(body))


def test_names_of_secrets_and_numbers_stay() -> None:
    body = {
        "auth": {"secretRef": {"name": "keys"}},
        "imagePullSecrets": [{"name": "pull"}],
        "automountServiceAccountToken": False,
        "replicas": 2,
    }
    assert redacted(body) == body
