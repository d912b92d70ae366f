"""The template of the pods that serve."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import (
    children,
    claim,
    container,
    deployment,
    fetched,
    observed,
    one,
    resolved,
    service,
)
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


@pytest.mark.parametrize(("path", "prefix"), [("/", None), ("/speech", "/speech"), ("/speech/", "/speech")])
def test_the_pods_answer_below_the_path_of_their_ingress(path: str, prefix: str | None) -> None:
    (server,) = deployment(service(ingress={"path": path}, **EMPTY_DIR))["spec"]["template"]["spec"]["containers"]
    assert {one["name"]: one.get("value") for one in server["env"]}.get("WHISPER_BASE_PATH") == prefix


MOUNTED = {
    "model": {"name": "mine", "source": {"url": "oci://r/team/m:v1", "sha256": "a" * 64}},
    "cache": {"type": "ImageVolume"},
}


def test_a_model_in_a_mounted_image_is_looked_for_there_and_nothing_is_fetched() -> None:
    wanted = service(**MOUNTED)
    spec = deployment(wanted)["spec"]["template"]["spec"]
    server = container(spec, "server")
    assert "initContainers" not in spec
    assert {"name": "models", "mountPath": "/app/models", "readOnly": True} in server["volumeMounts"]
    env = {variable["name"]: variable["value"] for variable in server["env"]}
    assert (env["WHISPER_MODEL"], env["WHISPER_MODEL_SHA256"]) == ("mine", "a" * 64)
    assert env["WHISPER_MODEL_IMAGE_DIR"] == "/app/models"
    assert not {"Job", "PersistentVolumeClaim"} & {child["kind"] for child in children(wanted, observed())}


def test_quantities_are_canonical() -> None:
    wanted = service(resources={"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"memory": 2147483648}})
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    server = container(one(children(wanted, observed(*there)), "Deployment")["spec"]["template"]["spec"], "server")
    assert server["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


def test_a_gpu_by_claim_is_claimed_by_the_server_and_sizes_it_as_a_gpu_does() -> None:
    by_claim = {"gpu": {"claim": {"resourceClaimTemplateName": "whole"}}, **EMPTY_DIR}
    spec = deployment(service(**by_claim))["spec"]["template"]["spec"]
    assert spec["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": "whole"}]
    by_name = container(deployment(service(gpu={}, **EMPTY_DIR))["spec"]["template"]["spec"], "server")
    for kind in ("requests", "limits"):
        del by_name["resources"][kind]["nvidia.com/gpu"]
    server = container(spec, "server")
    assert server["resources"] == {**by_name["resources"], "claims": [{"name": "gpu"}]}
    assert {"name": "WHISPER_DEVICE", "value": "cuda"} in server["env"]


def test_claims_of_the_template_stand_beside_that_of_the_gpu() -> None:
    extra = {"name": "nic", "resourceClaimTemplateName": "nics"}
    over = {"spec": {"resourceClaims": [extra], "containers": [{"name": "server", "resources": {"claims": [
        {"name": "nic"}]}}]}}  # fmt: skip
    by_claim = {"gpu": {"claim": {"resourceClaimTemplateName": "whole"}}, "podTemplate": over, **EMPTY_DIR}
    spec = deployment(service(**by_claim))["spec"]["template"]["spec"]
    assert [one["name"] for one in spec["resourceClaims"]] == ["gpu", "nic"]
    assert [one["name"] for one in container(spec, "server")["resources"]["claims"]] == ["gpu", "nic"]


def test_what_the_engine_is_told_reaches_the_pod_and_a_default_leaves_no_trace() -> None:
    told = variables(computeType="bfloat16", server={"maxBatchSize": 4})
    assert (told["WHISPER_COMPUTE_TYPE"], told["WHISPER_MAX_BATCH_SIZE"]) == ("bfloat16", "4")
    assert not {"WHISPER_COMPUTE_TYPE", "WHISPER_MAX_BATCH_SIZE"} & variables().keys()


def test_aliases_reach_the_pod_and_their_absence_leaves_no_trace() -> None:
    told = variables(model={"name": "base", "aliases": ["whisper-large-v3", "acme/speech"]})
    assert told["WHISPER_MODEL_ALIASES"] == '["whisper-large-v3", "acme/speech"]'
    assert "WHISPER_MODEL_ALIASES" not in variables()


def test_a_rate_limit_reaches_the_pod_and_its_absence_leaves_no_trace() -> None:
    limited = variables(rateLimit={"audioMinutesPerHour": 90})
    assert (limited["WHISPER_REQUESTS_PER_MINUTE"], limited["WHISPER_AUDIO_MINUTES_PER_HOUR"]) == ("10", "90")
    assert not {name for name in variables() if "PER_MINUTE" in name or "PER_HOUR" in name}


def test_a_cache_of_results_reaches_the_pod_and_its_absence_leaves_no_trace() -> None:
    kept = variables(resultCache={"size": "64Mi", "ttl": "1h", "scope": "Service"})
    assert kept["WHISPER_RESULT_CACHE_MAX_BYTES"] == str(64 * 1024**2)
    assert (kept["WHISPER_RESULT_CACHE_SECONDS"], kept["WHISPER_RESULT_CACHE_SCOPE"]) == ("3600", "service")
    assert not {name for name in variables() if "RESULT_CACHE" in name}


def variables(**spec: object) -> dict[str, str]:
    """The environment of the server's container."""
    template = deployment(service(**spec, **EMPTY_DIR))["spec"]["template"]
    return {entry["name"]: entry["value"] for entry in container(template["spec"], "server")["env"]}


def shared(mode: str, uid: str = "1") -> dict[str, Any]:
    body = {"metadata": {"name": "shared", "uid": uid}, "spec": {"accessModes": [mode]}, "status": {"phase": "Bound"}}
    return {"claims": {"shared": body}}


@pytest.mark.parametrize(
    ("mode", "together"), [("ReadWriteOnce", True), ("ReadWriteMany", False), ("ReadOnlyMany", False)]
)
def test_pods_that_share_a_claim_of_one_node_go_to_that_node_whoever_made_it(mode: str, together: bool) -> None:
    wanted = service(cache={"existingClaim": "shared"})
    name = resolved(wanted, observed(**shared(mode))).prefetch.job_name
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    fetch = {"kind": "Job", "metadata": {"name": name}, "status": done}
    found = one(children(wanted, observed(fetch, **shared(mode))), "Deployment")
    assert ("podAffinity" in found["spec"]["template"]["spec"].get("affinity", {})) is together


EVICTABLE = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"


def evictable(of: WhisperService, *there: Manifest) -> str | None:
    """What a cluster autoscaler is told of the pods' volumes, where these objects are there."""
    template = one(children(of, observed(*there)), "Deployment")["spec"]["template"]
    return template["metadata"]["annotations"].get(EVICTABLE)


@pytest.mark.parametrize(
    ("spec", "volumes"),
    [
        ({"cache": {"type": "Image"}}, "scratch"),
        (EMPTY_DIR, "scratch,models"),
        ({**EMPTY_DIR, "podTemplate": {"metadata": {"annotations": {EVICTABLE: "scratch"}}}}, "scratch"),
        ({**EMPTY_DIR, "podTemplate": {"metadata": {"annotations": {EVICTABLE: None}}}}, None),
    ],
)
def test_a_pods_own_volumes_do_not_keep_its_node(spec: dict[str, Any], volumes: str | None) -> None:
    assert evictable(service(**spec)) == volumes


def test_pods_of_the_first_release_learn_it_with_their_next_change() -> None:
    live = deployment(service(**EMPTY_DIR))
    del live["spec"]["template"]["metadata"]["annotations"][EVICTABLE]
    live["spec"]["selector"] = {"matchLabels": names.first_selector("speech")}
    status = {"image": "runtime:1"}
    assert evictable(service(status, **EMPTY_DIR), live) is None
    assert evictable(service(status, language="en", **EMPTY_DIR), live) == "scratch,models"
    live["spec"]["selector"] = {"matchLabels": names.selector("speech")}
    assert evictable(service(status, **EMPTY_DIR), live) == "scratch,models", "of a later release, it is put back"


ON_A100 = {"matchExpressions": [{"key": "nvidia.com/gpu.product", "operator": "In", "values": ["A100"]}]}
APART = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "other"}}}
RULE = "requiredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    "affinity",
    [
        {"nodeAffinity": {RULE: {"nodeSelectorTerms": [ON_A100]}}},
        {"podAntiAffinity": {RULE: [APART]}},
        {"podAffinity": {RULE: [APART]}},
        {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": APART}]}},
    ],
    ids=["nodes", "away from pods", "near other pods", "rather near other pods"],
)
def test_an_affinity_of_the_users_keeps_the_pods_where_the_volume_is(affinity: dict[str, Any]) -> None:
    wanted = service(scheduling={"affinity": affinity}, replicas=3, cache={"accessMode": "ReadWriteOnce"})
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    found = one(children(wanted, observed(*there)), "Deployment")["spec"]["template"]["spec"]["affinity"]
    term = found["podAffinity"][RULE][-1]
    assert (term["topologyKey"], term["labelSelector"]["matchLabels"]["app.kubernetes.io/component"]) == (
        "kubernetes.io/hostname",
        "server",
    )
    assert all(item in found["podAffinity"][RULE] for item in affinity.get("podAffinity", {}).get(RULE, []))
    assert all(found[kind] == rules for kind, rules in affinity.items() if kind != "podAffinity")


@pytest.mark.parametrize(("diarization", "encoder"), [(None, None), ({}, "resemblyzer")])
def test_the_pods_tell_speakers_apart_where_the_spec_asks_for_it(diarization: Any, encoder: str | None) -> None:
    spec = deployment(service(diarization=diarization, **EMPTY_DIR))["spec"]["template"]["spec"]
    assert {one["name"]: one.get("value") for one in container(spec, "server")["env"]}.get(
        "WHISPER_DIARIZATION_MODEL"
    ) == encoder
    assert [one["name"] for one in spec["initContainers"]] == ["fetch"], "of the model alone: the encoder is there"
