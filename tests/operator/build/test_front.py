"""The Deployment of the front: the runtime's image without a model, before the pods that serve."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.test_front import fronting
from tests.operator.samples import children, kinds, observed, one, rolled_out, service
from tests.operator.samples import pod as sample
from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.config import RuntimeConfig

BAKED = {"cache": {"type": "Image"}}
TOKEN = "WHISPER_FRONT_TOKEN"


def deployment(*there: Manifest, **spec: Any) -> Manifest:
    return one(children(service(**spec), observed(*there)), "Deployment", "speech-front")["spec"]


def pod(**spec: Any) -> Manifest:
    return deployment(**spec)["template"]["spec"]


def env(**spec: Any) -> dict[str, str]:
    return {one["name"]: one["value"] for one in pod(**spec)["containers"][0]["env"]}


def test_it_runs_the_front_of_the_runtimes_image_without_a_model_or_a_gpu() -> None:
    (container,) = pod(front={}, gpu={})["containers"]
    assert (container["image"], container["args"]) == ("runtime:1", ["front"])
    assert container["resources"] == {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp", "/var/spool/whisper"}


def test_it_finds_the_pods_that_serve_and_its_bounded_disk() -> None:
    found = env(front={"spool": "1Gi"})
    assert found["WHISPER_SERVERS"] == "speech-servers.team.svc:8000"
    assert found["WHISPER_SPOOL_DIR"] == "/var/spool/whisper"


@pytest.mark.parametrize(
    ("spool", "limit", "spool_bytes"),
    [("1Gi", "1Gi", 1057 * 10**6), ("1.5Gi", "1536Mi", 1585 * 10**6), ("64", "64", 63), ("1", "1", 1)],
)
def test_its_disk_is_as_the_api_server_writes_it_and_a_little_more_than_it_uses(
    spool: str, limit: str, spool_bytes: int
) -> None:
    """Else each pass found it changed; and the kubelet ends a pod that has filled it."""
    volumes = {one["name"]: one for one in pod(front={"spool": spool})["volumes"]}
    assert volumes["front-spool"]["emptyDir"] == {"sizeLimit": limit}
    assert int(env(front={"spool": spool})["WHISPER_SPOOL_BYTES"]) == pytest.approx(spool_bytes, rel=0.001)


def test_it_lets_in_and_refuses_what_the_pods_that_serve_do() -> None:
    spec: dict[str, Any] = {
        "auth": {"secretRef": {"name": "keys"}},
        "server": {"maxUploadSize": "7Mi", "requestTimeout": "2m", "cors": {"allowOrigins": ["https://a.example.com"]}},
        "rateLimit": {"requestsPerMinute": 60},
        "redis": {"secretKeyRef": {"name": "valkey", "key": "url"}},
        "logging": {"level": "debug"},
    }
    found = env(front={}, **spec)
    servers = one(children(service(**BAKED, **spec)), "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    config, of_server = (RuntimeConfig.from_env(one) for one in (found, {one["name"]: one["value"] for one in servers}))
    for field in ("api_keys_dir", "max_upload_bytes", "request_timeout_seconds", "cors_allow_origins", "log_level"):
        assert getattr(config, field) == getattr(of_server, field) != getattr(RuntimeConfig(), field)
    assert config.redis_url_file == of_server.redis_url_file
    volumes = [volume["name"] for volume in pod(front={}, **spec)["volumes"]]
    assert volumes == ["scratch", "front-spool", "api-keys", "shared-store"]


KEEPING: dict[str, Any] = {
    "resultCache": {"size": "64Mi", "scope": "Service"},
    "redis": {"secretKeyRef": {"name": "valkey", "key": "url"}},
}


def test_it_knows_results_by_all_that_decides_the_text_of_the_pods_that_serve() -> None:
    spec: dict[str, Any] = {
        **KEEPING,
        "model": {"name": "tiny.en", "aliases": ["speech"]},
        "computeType": "bfloat16",
        "language": "en",
    }
    config = RuntimeConfig.from_env(env(front={}, **BAKED, **spec))
    servers = one(children(service(**BAKED, **spec)), "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    of_server = RuntimeConfig.from_env({one["name"]: one["value"] for one in servers})
    for field in ("model", "model_aliases", "device", "compute_type", "language", "result_cache_scope"):
        assert getattr(config, field) == getattr(of_server, field) != getattr(RuntimeConfig(), field)
    for field in ("model_sha256", "condition_on_previous_text", "result_cache_max_bytes", "result_cache_seconds"):
        assert getattr(config, field) == getattr(of_server, field)


@pytest.mark.parametrize("left_out", KEEPING)
def test_a_change_of_the_model_does_not_start_it_anew_where_it_knows_none(left_out: str) -> None:
    spec = {name: value for name, value in KEEPING.items() if name != left_out}
    small, large = (pod(front={}, **BAKED, **spec, model={"name": name}) for name in ("tiny.en", "base.en"))
    assert small == large


def test_it_sends_its_spans_where_the_pods_that_serve_do_and_has_none_of_their_other_variables() -> None:
    variables = [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel:4318"}, {"name": "TZ", "value": "UTC"}]
    found = env(front={}, server={"env": variables})
    assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://otel:4318"
    assert "TZ" not in found


def test_it_has_nodes_of_its_own_where_the_spec_names_some() -> None:
    scheduling = {"nodeSelector": {"gpu": "l4"}, "affinity": {"nodeAffinity": {}}, "priorityClassName": "speech"}
    beside = pod(front={}, scheduling=scheduling)
    assert (beside["nodeSelector"], "affinity" in beside) == ({"gpu": "l4"}, True)
    own = pod(front={"nodeSelector": {"pool": "cpu"}}, scheduling=scheduling)
    assert (own["nodeSelector"], "affinity" in own, own["priorityClassName"]) == ({"pool": "cpu"}, False, "speech")
    assert "nodeSelector" not in pod(front={"nodeSelector": {}}, scheduling=scheduling)


def test_what_a_template_says_of_every_pod_holds_for_it_too() -> None:
    template = {"spec": {"dnsPolicy": "Default", "containers": [{"name": "server", "tty": True}]}}
    found = pod(front={}, podTemplate=template)
    assert found["dnsPolicy"] == "Default"
    assert [container["name"] for container in found["containers"]] == ["front"]


def test_a_service_without_one_has_nothing_of_it() -> None:
    found = children(service(**BAKED))
    assert [body["metadata"]["name"] for body in found if "front" in body["metadata"]["name"]] == []
    assert kinds(service(**BAKED)).count("Service") == 2


def test_one_that_is_not_wanted_any_more_has_no_pods_once_no_client_is_sent_to_it() -> None:
    there = [rolled_out(service(**BAKED)), *fronting()]
    assert deployment(*there, **BAKED)["replicas"] == 2
    there = [rolled_out(service(**BAKED)), *fronting("server")]
    assert deployment(*there, **BAKED)["replicas"] == 0
    left = [name for kind, name in named(*there) if "front" in name or "servers" in name]
    assert left == ["speech-front"]
    assert ("Service", "speech-servers") in named(*there, sample("front")), "one that still finishes its requests"


def named(*there: Manifest) -> list[tuple[str, str]]:
    wanted = service(**BAKED, networkPolicy={})
    return [(body["kind"], body["metadata"]["name"]) for body in children(wanted, observed(*there))]


def server_env(*there: Manifest, **spec: Any) -> dict[str, str]:
    wanted = children(service(**BAKED, **spec), observed(*there))
    (container,) = one(wanted, "Deployment")["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"]}


@pytest.mark.parametrize("spec", [{"front": {}}, {"autoscaling": {"minReplicas": 0, "maxReplicas": 2}}])
def test_servers_know_a_front_by_its_token_where_addresses_tell_clients_apart(spec: dict[str, Any]) -> None:
    token = env(**spec)[TOKEN]
    assert len(token) == 64
    assert server_env(**spec)[TOKEN] == token


@pytest.mark.parametrize("spec", [{}, {"front": {}, "auth": {"secretRef": {"name": "keys"}}}])
def test_there_is_no_token_without_a_front_or_where_keys_tell_them_apart(spec: dict[str, Any]) -> None:
    assert TOKEN not in server_env(**spec)


def test_one_that_leaves_is_known_until_no_client_is_sent_to_it_and_starts_no_pod_for_that() -> None:
    assert TOKEN in server_env(*fronting())
    assert TOKEN not in server_env(*fronting("server"))
    before, leaving = (deployment(*there, **BAKED, **spec) for there, spec in (([], {"front": {}}), (fronting(), {})))
    assert leaving["template"] == before["template"]
