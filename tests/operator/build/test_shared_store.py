"""The URL of the store that the pods share: a file of a Secret, without which a pod starts all the same."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import children, container, one, service
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_runtime.contract.config import RuntimeConfig

REDIS: dict[str, Any] = {"secretKeyRef": {"name": "valkey", "key": "url"}}
PRIVATE: dict[str, Any] = {**REDIS, "caConfigMapKeyRef": {"name": "company-ca", "key": "root.pem"}}


def pod_of(**spec: Any) -> Manifest:
    wanted: WhisperService = service(cache={"type": "EmptyDir"}, **spec)
    return one(children(wanted), "Deployment")["spec"]["template"]["spec"]


def config(pod: Manifest) -> RuntimeConfig:
    return RuntimeConfig.from_env({one["name"]: one["value"] for one in container(pod, "server")["env"]})


def named(pod: Manifest, part: str) -> dict[str, Any]:
    return {one["name"]: one for one in pod[part] if one["name"].startswith("shared-store")}


def test_a_service_without_a_store_has_nothing_of_it() -> None:
    pod = pod_of()
    assert named(pod, "volumes") == {}
    assert (config(pod).redis_url_file, config(pod).redis_prefix) == (None, RuntimeConfig().redis_prefix)


def test_the_url_is_one_key_of_its_secret_and_optional() -> None:
    pod = pod_of(redis=REDIS)
    assert named(pod, "volumes")["shared-store"]["secret"] == {
        "secretName": "valkey",
        "defaultMode": 0o440,
        "optional": True,
        "items": [{"key": "url", "path": "url"}],
    }
    mounts = {one["name"]: one for one in container(pod, "server")["volumeMounts"]}
    assert mounts["shared-store"] == {"name": "shared-store", "mountPath": "/etc/whisper/redis", "readOnly": True}
    found = config(pod)
    assert (found.redis_url_file, found.redis_ca_file) == ("/etc/whisper/redis/url", None)


def test_keys_begin_with_the_services_namespace_and_name() -> None:
    assert config(pod_of(redis=REDIS)).redis_prefix == "team/speech"


def test_a_private_authority_is_mounted_too() -> None:
    pod = pod_of(redis=PRIVATE)
    assert named(pod, "volumes")["shared-store-ca"]["configMap"] == {
        "name": "company-ca",
        "optional": True,
        "items": [{"key": "root.pem", "path": "ca.crt"}],
    }
    assert config(pod).redis_ca_file == "/etc/whisper/redis-ca/ca.crt"
