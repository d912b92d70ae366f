"""A model's source: what its fetch is given, and what its pods are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operator.samples import children, claim, container, deployment, fetched, observed, one, resolved, service
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import Manifest, WhisperService

SHA = "a" * 64


def from_source(url: str, name: str = "mine", **source: Any) -> WhisperService:
    given = {} if url.startswith("pvc://") else {"sha256": SHA}
    return service(model={"name": name, "source": {"url": url, **given, **source}})


def job(of: WhisperService) -> Manifest:
    name = resolved(of, observed(claim(of))).prefetch.job_name
    return one(children(of, observed(claim(of))), "Job", name or "")["spec"]["template"]["spec"]


PRIVATE = from_source("s3://models/a.pt", secretRef={"name": "s3"}, caConfigMapKeyRef={"name": "ca", "key": "root.pem"})


def test_credentials_and_certificates_are_files_of_the_fetching_pod_alone() -> None:
    spec = job(PRIVATE)
    assert {volume["name"]: volume for volume in spec["volumes"]}.items() >= {
        "source": {"name": "source", "secret": {"secretName": "s3", "defaultMode": 0o440}},
        "source-ca": {
            "name": "source-ca",
            "configMap": {"name": "ca", "items": [{"key": "root.pem", "path": "ca.crt"}]},
        },
    }.items()
    mounted = {mount["name"]: mount["mountPath"] for mount in container(spec, "fetch")["volumeMounts"]}
    assert mounted.items() >= {"source": "/etc/whisper/source", "source-ca": "/etc/whisper/source-ca"}.items()
    env = {variable["name"]: variable["value"] for variable in container(spec, "fetch")["env"]}
    assert env["WHISPER_MODEL_CREDENTIALS_DIR"] == "/etc/whisper/source"
    assert env["WHISPER_MODEL_CA_FILE"] == "/etc/whisper/source-ca/ca.crt"
    there = [claim(PRIVATE), fetched(PRIVATE, claim(PRIVATE))]
    serving = json.dumps(deployment(PRIVATE, *there))
    assert "source" not in serving.replace('"resources"', "")


def test_a_claim_of_the_users_is_mounted_to_be_read() -> None:
    spec = job(from_source("pvc://weights/models/a.pt"))
    assert {"name": "source-claim", "persistentVolumeClaim": {"claimName": "weights", "readOnly": True}} in spec[
        "volumes"
    ]
    mounts = container(spec, "fetch")["volumeMounts"]
    assert {"name": "source-claim", "mountPath": "/source", "readOnly": True} in mounts


def test_the_fetch_goes_through_the_pods_proxy_and_gets_nothing_else_of_their_environment() -> None:
    env = [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}, {"name": "OTHER", "value": "1"}]
    wanted = service(server={"env": env})
    found = container(job(wanted), "fetch")["env"]
    assert {"name": "HTTPS_PROXY", "value": "http://proxy:3128"} in found
    assert "OTHER" not in {variable["name"] for variable in found}


@pytest.mark.parametrize("url", ["s3://b/a.pt", "pvc://c/a.pt", "https://m/a.pt", "hf://o/n@main", "oci://r/m:v1"])
def test_every_source_is_implemented(url: str) -> None:
    assert unsupported(from_source(url).spec) == []


def test_a_url_in_a_secret_is_a_file_and_no_variable() -> None:
    held = {"urlSecretKeyRef": {"name": "presigned", "key": "mine"}, "sha256": SHA}
    spec = job(service(model={"name": "mine", "source": held}))
    secret = {"secretName": "presigned", "defaultMode": 0o440, "items": [{"key": "mine", "path": "url"}]}
    assert {"name": "source-url", "secret": secret} in spec["volumes"]
    mounts = container(spec, "fetch")["volumeMounts"]
    assert {"name": "source-url", "mountPath": "/etc/whisper/source-url", "readOnly": True} in mounts
    env = {variable["name"]: variable["value"] for variable in container(spec, "fetch")["env"]}
    assert env["WHISPER_MODEL_URL_FILE"] == "/etc/whisper/source-url/url"
    assert "WHISPER_MODEL_URL" not in env


def test_a_bucket_is_where_the_spec_says() -> None:
    wanted = from_source("s3://models/a.pt", region="eu-central-1", endpoint="https://minio:9000")
    env = {variable["name"]: variable["value"] for variable in container(job(wanted), "fetch")["env"]}
    assert env["WHISPER_MODEL_S3_REGION"] == "eu-central-1"
    assert env["WHISPER_MODEL_S3_ENDPOINT"] == "https://minio:9000"


def test_a_mirror_of_the_hub_is_no_buckets_server() -> None:
    wanted = from_source("hf://team/tune@main", endpoint="https://hub.example.com", secretRef={"name": "hub"})
    env = {variable["name"]: variable["value"] for variable in container(job(wanted), "fetch")["env"]}
    assert env["WHISPER_MODEL_URL"] == "hf://team/tune@main"
    assert env["WHISPER_MODEL_HUB_ENDPOINT"] == "https://hub.example.com"
    assert "WHISPER_MODEL_S3_ENDPOINT" not in env


def test_a_mirror_of_a_registry_is_neither() -> None:
    wanted = from_source("oci://r/team/tune:v1", endpoint="https://mirror.example.com", secretRef={"name": "pull"})
    env = {variable["name"]: variable["value"] for variable in container(job(wanted), "fetch")["env"]}
    assert env["WHISPER_MODEL_URL"] == "oci://r/team/tune:v1"
    assert env["WHISPER_MODEL_REGISTRY_ENDPOINT"] == "https://mirror.example.com"
    assert not {"WHISPER_MODEL_S3_ENDPOINT", "WHISPER_MODEL_HUB_ENDPOINT"} & env.keys()


@pytest.mark.parametrize("field", [{"region": "eu-central-1"}, {"endpoint": "https://minio:9000"}], ids=str)
def test_a_bucket_at_another_place_is_fetched_from_anew(field: dict[str, str]) -> None:
    before, after = from_source("s3://models/a.pt"), from_source("s3://models/a.pt", **field)
    there = observed(claim(before))
    assert resolved(before, there).prefetch.job_name != resolved(after, there).prefetch.job_name


def test_the_operators_own_source_may_be_behind_a_proxy_with_an_authority_of_its_own() -> None:
    spec = job(service(prefetch={"caConfigMapKeyRef": {"name": "company", "key": "root.pem"}}))
    (fetch,) = spec["containers"]
    env = {variable["name"]: variable["value"] for variable in fetch["env"]}
    assert env["WHISPER_MODEL_CA_FILE"] == "/etc/whisper/source-ca/ca.crt"
    authority = {"name": "company", "items": [{"key": "root.pem", "path": "ca.crt"}]}
    assert {"name": "source-ca", "configMap": authority} in spec["volumes"]
    assert {"name": "source-ca", "mountPath": "/etc/whisper/source-ca", "readOnly": True} in fetch["volumeMounts"]


def diarized(**source: Any) -> WhisperService:
    encoder = {"name": "voices", "source": {"url": "https://m/v.onnx", "sha256": "b" * 64, **source}}
    model = {"name": "mine", "source": {"url": "s3://models/a.pt", "sha256": SHA, "secretRef": {"name": "s3"}}}
    return service(model=model, diarization={"model": encoder})


def test_an_encoder_is_fetched_before_the_model_with_its_own_credentials() -> None:
    wanted = diarized(secretRef={"name": "hub"}, caConfigMapKeyRef={"name": "ca", "key": "root.pem"})
    spec = job(wanted)
    (encoder,) = spec["initContainers"]
    (model,) = spec["containers"]
    assert (encoder["name"], encoder["args"]) == ("fetch-encoder", ["fetch", "--encoder"])
    assert (model["name"], model["args"]) == ("fetch", ["fetch"])
    env = {variable["name"]: variable["value"] for variable in encoder["env"]}
    assert (env["WHISPER_MODEL"], env["WHISPER_MODEL_URL"]) == ("voices", "https://m/v.onnx")
    assert (env["WHISPER_MODEL_SHA256"], env["WHISPER_MODEL_CREDENTIALS_DIR"]) == ("b" * 64, "/etc/whisper/source")
    mounted = {mount["name"]: mount["mountPath"] for mount in encoder["volumeMounts"]}
    assert mounted["encoder-source"] == "/etc/whisper/source"
    assert (mounted["models"], "source" in mounted) == ("/app/models", False)
    assert {mount["name"] for mount in model["volumeMounts"]} == {"scratch", "models", "source"}
    secrets = {one["name"]: one["secret"]["secretName"] for one in spec["volumes"] if "secret" in one}
    assert secrets == {"encoder-source": "hub", "source": "s3"}


def test_pods_have_the_encoder_by_its_digest_and_nothing_of_its_source() -> None:
    wanted = diarized(secretRef={"name": "hub"})
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    serving = deployment(wanted, *there)
    env = {one["name"]: one.get("value") for one in container(serving["spec"]["template"]["spec"], "server")["env"]}
    assert env["WHISPER_DIARIZATION_MODEL"] == "voices"
    assert env["WHISPER_DIARIZATION_MODEL_SHA256"] == "b" * 64
    assert "hub" not in json.dumps(serving)


def test_another_encoder_is_another_fetch_and_one_that_comes_with_the_runtime_none() -> None:
    plain = service(model={"name": "mine", "source": {"url": "s3://models/a.pt", "sha256": SHA}})
    there = observed(claim(plain))
    name = resolved(plain, there).prefetch.job_name
    default = service(model=plain.spec.model.model_dump(by_alias=True, exclude_none=True), diarization={})
    assert resolved(default, there).prefetch.job_name == name
    others = [diarized(), diarized(sha256="c" * 64), diarized(url="https://n/v.onnx")]
    found = {resolved(one, there).prefetch.job_name for one in others}
    assert len(found | {name}) == 4


def test_without_a_claim_each_pod_fetches_both() -> None:
    wanted = diarized()
    each = service(
        model=wanted.spec.model.model_dump(by_alias=True, exclude_none=True),
        diarization={"model": {"name": "voices", "source": {"url": "https://m/v.onnx", "sha256": "b" * 64}}},
        cache={"type": "EmptyDir"},
    )
    spec = deployment(each)["spec"]["template"]["spec"]
    assert [one["name"] for one in spec["initContainers"]] == ["fetch-encoder", "fetch"]
