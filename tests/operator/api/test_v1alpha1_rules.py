"""The rules across the parts of a WhisperService's spec: which parts go together."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, refused

REDIS = {"redis": {"secretKeyRef": {"name": "redis", "key": "url"}}}


@pytest.mark.parametrize("name", ["large-v3", "large", "large-v3-turbo", "turbo"])
def test_the_newest_models_know_one_language_more(name: str) -> None:
    accepted(model={"name": name}, language="yue")
    accepted(model={"name": "mine", "source": {"url": "pvc://weights/a.pt"}}, language="yue")
    accepted(model={"name": name}, language="Cantonese")
    for older, word in (("base", "yue"), ("large-v2", "zh-yue-HK")):
        assert refused(model={"name": older}, language=word) == (
            "spec.language is yue, which large-v3 was the first model to learn: use one of large-v3, large, "
            "large-v3-turbo, turbo, or another language"
        )


@pytest.mark.parametrize("device", [{"gpu": {}}, {"podTemplate": {"spec": {"resourceClaims": []}}}], ids=str)
def test_the_device_cuda_is_in_pods_that_have_a_gpu(device: dict[str, Any]) -> None:
    accepted(device="cuda", **device)
    assert refused(device="cuda") == (
        "spec.device is cuda, but the pods have no GPU: add spec.gpu, or remove spec.device"
    )


@pytest.mark.parametrize("spec", [{"gpu": {}}, {"gpu": {}, "device": "cuda"}], ids=str)
def test_a_gpu_computes_in_float16(spec: dict[str, Any]) -> None:
    accepted(computeType="float16", **spec)


@pytest.mark.parametrize("spec", [{}, {"device": "cpu"}, {"device": "cpu", "gpu": {}}], ids=str)
def test_a_cpu_does_not_compute_in_float16(spec: dict[str, Any]) -> None:
    assert refused(computeType="float16", **spec) == (
        "spec.computeType is float16, but the model runs on a CPU, which cannot compute in it: write float32 or "
        "bfloat16, or add spec.gpu and let spec.device be auto"
    )
    accepted(computeType="bfloat16", **spec)


@pytest.mark.parametrize("language", ["auto", "en", "en-US", "English"])
def test_a_model_for_english_serves_english(language: str) -> None:
    accepted(model={"name": "tiny.en"}, language=language)


def test_a_model_for_english_serves_no_other_language() -> None:
    accepted(model={"name": "tiny"}, language="de")
    for word in ("de", "German"):
        assert refused(model={"name": "tiny.en"}, language=word) == (
            "spec.language is not en, but a model whose name ends in .en supports only English: "
            "remove spec.language, or choose the model without .en"
        )


MANY = pytest.mark.parametrize(
    "replicas", [{"replicas": 2}, {"autoscaling": {}}, {"autoscaling": {}, "replicas": 1}], ids=str
)


@MANY
def test_each_of_several_pods_may_keep_results(replicas: dict[str, Any]) -> None:
    accepted(resultCache={}, **replicas)


@MANY
def test_jobs_on_a_volume_are_of_one_pod(replicas: dict[str, Any]) -> None:
    for beside in ({}, REDIS):
        assert refused(jobs={}, **replicas, **beside) == (
            "spec.jobs on a volume of one node is for one pod: write spec.jobs.storage.type Redis or S3, or accessMode "
            "ReadWriteMany, which several share, or spec.autoscaling.maxReplicas 1, or spec.replicas 1 without "
            "spec.autoscaling"
        )


@MANY
def test_jobs_in_a_store_are_of_any_number_of_pods(replicas: dict[str, Any]) -> None:
    accepted(jobs={"storage": {"type": "Redis"}}, **replicas, **REDIS)


AT_MOST_ONE: dict[str, Any] = {"autoscaling": {"minReplicas": 0, "maxReplicas": 1}}


@pytest.mark.parametrize("replicas", [{}, {"replicas": 0}, {"replicas": 1}, AT_MOST_ONE], ids=str)
def test_one_pod_or_none_keeps_jobs(replicas: dict[str, Any]) -> None:
    accepted(jobs={}, **replicas)


def test_checkpoints_and_jobs_have_a_claim_each() -> None:
    accepted(cache={"existingClaim": "mine"}, jobs={"storage": {"existingClaim": "other"}})
    accepted(cache={"existingClaim": "mine"}, jobs={})
    assert refused(cache={"existingClaim": "mine"}, jobs={"storage": {"existingClaim": "mine"}}).startswith(
        "spec.jobs.storage.existingClaim is spec.cache.existingClaim"
    )


@pytest.mark.parametrize(
    ("ingress", "hostnames"),
    [({"host": "a.example.com"}, ["b.example.com"]), ({"host": "a.example.com"}, []), ({}, ["a.example.com"])],
    ids=["another host", "a route for any host", "an Ingress for any host"],
)
def test_an_ingress_and_a_route_may_stand_side_by_side(ingress: dict[str, str], hostnames: list[str]) -> None:
    accepted(ingress=ingress, gateway={"parentRefs": [{"name": "own"}], "hostnames": hostnames})


def test_a_host_belongs_to_the_ingress_or_to_the_route() -> None:
    hosts = ["a.example.com", "b.example.com"]
    gateway = {"parentRefs": [{"name": "own"}], "hostnames": hosts}
    for ingress in ({"host": "b.example.com"}, {"host": "c.example.com", "additionalHosts": ["a.example.com"]}):
        assert refused(ingress=ingress, gateway=gateway) == (
            "spec.ingress.host, or one of its additionalHosts, is also in spec.gateway.hostnames: remove it from one "
            "of the two"
        )


def test_the_pods_do_not_answer_below_two_prefixes() -> None:
    assert refused(ingress={"path": "/a"}, gateway={"parentRefs": [{"name": "own"}], "path": "/b"}).startswith(
        "spec.gateway.path is not spec.ingress.path"
    )


@pytest.mark.parametrize(
    "spec",
    [REDIS, {"networkPolicy": {}}, {**REDIS, "networkPolicy": {"allowTo": [{"ports": [{"port": 6379}]}]}}],
    ids=["no policy", "no Redis", "a policy with a peer"],
)
def test_the_pods_reach_redis(spec: dict[str, Any]) -> None:
    accepted(**spec)


def test_a_policy_that_cuts_redis_off_is_refused() -> None:
    assert refused(networkPolicy={"allowFrom": [{}], "metricsFrom": [{}]}, **REDIS) == (
        "spec.networkPolicy.allowTo is empty, so the pods cannot reach spec.redis: add its peer and port"
    )


def test_a_fetch_has_one_list_of_certificate_authorities() -> None:
    authority = {"name": "ca", "key": "ca.crt"}
    source = {"url": "https://models.example.com/a.pt", "sha256": "a" * 64}
    accepted(model={"source": source}, prefetch={"caConfigMapKeyRef": authority})
    assert "spec.prefetch.caConfigMapKeyRef and spec.model.source.caConfigMapKeyRef" in (
        refused(model={"source": {**source, "caConfigMapKeyRef": authority}}, prefetch={"caConfigMapKeyRef": authority})
    )
