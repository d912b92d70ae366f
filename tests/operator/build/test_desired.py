"""Given a spec and what is there, these children are wanted."""

from __future__ import annotations

import pytest

from tests.operator.objects import ENV, children, claim, deployment, fetched, observed, one, resolved, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.handover import as_created, handover_replicas
from whisper_operator.objects.kinds import CHILD_KINDS, SERVICE_MONITOR
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.model import ModelRef

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


def kinds(of: object, there: Observed, env: Installation = ENV) -> list[str]:
    return [body["kind"] for body in children(of, there, env)]  # type: ignore[arg-type]


def test_the_fetch_waits_for_the_claim_and_the_pods_for_the_fetch() -> None:
    wanted = service()
    assert "Job" not in kinds(wanted, observed())
    assert "Deployment" not in kinds(wanted, observed(claim(wanted)))
    assert "Job" in kinds(wanted, observed(claim(wanted)))
    assert "Deployment" in kinds(wanted, observed(claim(wanted), fetched(wanted, claim(wanted))))


def test_until_a_new_model_is_fetched_the_pods_keep_the_old_one() -> None:
    old, new = service(), service(model={"name": "small"})
    there = [claim(old), fetched(old, claim(old))]
    there.append(deployment(old, *there))
    assert resolved(new, observed(*there)).model.admitted == ModelRef("base", None)
    there.append(fetched(new, claim(new)))
    assert resolved(new, observed(*there)).model.admitted == ModelRef("small", None)


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"name": "small"}},
        {"model": {"name": "base", "source": {"url": "https://example.com/a.pt", "sha256": "a" * 64}}},
    ],
)
def test_another_model_is_another_fetch(change: dict[str, object]) -> None:
    names = {fetched(of, claim(of))["metadata"]["name"] for of in (service(), service(**change))}
    assert len(names) == 2


def test_another_claim_is_another_fetch() -> None:
    wanted, other = service(), claim(service())
    other["metadata"]["uid"] = "another"
    assert fetched(wanted, claim(wanted))["metadata"]["name"] != fetched(wanted, other)["metadata"]["name"]


def test_a_missing_secret_holds_the_deployment() -> None:
    wanted = service(auth={"secretRef": {"name": "keys"}}, **EMPTY_DIR)
    assert "Deployment" in kinds(wanted, observed())
    assert "Deployment" not in kinds(wanted, observed(secrets={"keys": None}))


def test_the_template_is_the_same_whatever_the_operators_default_image_is() -> None:
    wanted = service(**EMPTY_DIR)
    running = deployment(wanted)
    later = one(children(wanted, observed(running), Installation("runtime:2")), "Deployment")
    assert later["spec"]["template"] == running["spec"]["template"]
    named = service(image={"tag": "3"}, **EMPTY_DIR)
    found = one(children(named, observed(running), Installation("runtime:2")), "Deployment")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "runtime:3"


def test_a_repository_without_a_tag_follows_the_operators_version_at_the_start_only() -> None:
    mirrored = service(image={"repository": "mirror/runtime"}, **EMPTY_DIR)
    running = deployment(mirrored)
    for repository, image in (("mirror/runtime", "mirror/runtime:1"), ("other/runtime", "other/runtime:2")):
        moved = service(image={"repository": repository}, **EMPTY_DIR)
        found = one(children(moved, observed(running), Installation("runtime:2")), "Deployment")
        assert found["spec"]["template"]["spec"]["containers"][0]["image"] == image


@pytest.mark.parametrize(
    ("spec", "mode"),
    [
        ({}, "ReadWriteOnce"),
        ({"replicas": 2}, "ReadWriteMany"),
        ({"autoscaling": {}}, "ReadWriteMany"),
        ({"replicas": 2, "cache": {"accessMode": "ReadWriteOnce"}}, "ReadWriteOnce"),
    ],
)
def test_the_claims_access_mode(spec: dict[str, object], mode: str) -> None:
    assert claim(service(**spec))["spec"]["accessModes"] == [mode]


def test_a_claim_keeps_what_is_fixed_and_only_grows() -> None:
    there = claim(service(), accessModes=["ReadWriteOnce"], storageClassName="fast")
    for size, wanted in (("5Gi", "10Gi"), ("20Gi", "20Gi")):
        changed = service(replicas=2, cache={"size": size, "storageClassName": "slow"})
        found = one(children(changed, observed(there)), "PersistentVolumeClaim", "speech-models")
        assert found["spec"]["accessModes"] == ["ReadWriteOnce"]
        assert found["spec"]["storageClassName"] == "fast"
        assert found["spec"]["resources"]["requests"]["storage"] == wanted


def test_a_claim_without_a_volume_yet_keeps_its_size() -> None:
    """The API server refuses any other: it grows once it is bound."""
    there = claim(service())
    waiting = {**there, "status": {"phase": "Pending"}}
    for body, wanted in ((waiting, "10Gi"), (there, "20Gi")):
        grown = service(cache={"size": "20Gi"})
        found = one(children(grown, observed(body)), "PersistentVolumeClaim", "speech-models")
        assert found["spec"]["resources"]["requests"]["storage"] == wanted


def test_a_size_that_is_stored_in_thousandths_grows_too() -> None:
    there = claim(service(cache={"size": "999999999999.001Ki"}))
    changed = service(cache={"size": "1Ti"})
    found = one(children(changed, observed(there)), "PersistentVolumeClaim", "speech-models")
    assert there["spec"]["resources"]["requests"]["storage"] == "1023999999998977024m"
    assert found["spec"]["resources"]["requests"]["storage"] == there["spec"]["resources"]["requests"]["storage"]


def test_a_retained_claim_has_no_owner() -> None:
    assert "ownerReferences" not in claim(service(cache={"retention": "Retain"}))["metadata"]
    assert "ownerReferences" in claim(service())["metadata"]


def test_with_an_autoscaler_the_number_is_its_own() -> None:
    found = one(children(service(autoscaling={}, **EMPTY_DIR)), "Deployment")
    assert "replicas" not in found["spec"]
    suspended = one(children(service(autoscaling={}, suspend=True, **EMPTY_DIR)), "Deployment")
    assert suspended["spec"]["replicas"] == 0


def test_an_autoscaled_deployment_is_born_with_the_smallest_number() -> None:
    scaled = service(autoscaling={"minReplicas": 3}, **EMPTY_DIR)
    wanted = one(children(scaled), "Deployment")
    born = as_created(scaled, wanted)
    assert born["spec"]["replicas"] == 3
    assert born["metadata"] == wanted["metadata"]  # the next pass finds what it wants, and applies nothing


def test_where_the_smallest_number_is_the_default_nobody_holds_it() -> None:
    scaled = service(autoscaling={"minReplicas": 1}, **EMPTY_DIR)
    wanted = one(children(scaled), "Deployment")
    assert as_created(scaled, wanted) == wanted


def held_by(manager: str, there: Manifest) -> Manifest:
    """`there`, its number of replicas applied by `manager`."""
    entry = {"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    return {**there, "metadata": {**there["metadata"], "managedFields": [entry]}}


def test_the_hand_over_of_the_number() -> None:
    """Where our own apply holds the number, another manager takes it over; where none does, nothing is written."""
    scaled, fixed = service(autoscaling={}, **EMPTY_DIR), service(replicas=3, **EMPTY_DIR)
    there = held_by("whisper-operator", deployment(fixed))
    assert handover_replicas(fixed, there) is None
    assert handover_replicas(scaled, there) == 3
    assert handover_replicas(scaled, held_by("whisper-operator-handover", there)) is None
    asleep = held_by("whisper-operator", deployment(service(suspend=True, **EMPTY_DIR)))
    assert handover_replicas(scaled, asleep) == 2


def test_keda_is_told_of_a_deployment_that_is_there() -> None:
    """Its admission refuses one that is not."""
    scaled = service(autoscaling={"keda": {}}, **EMPTY_DIR)
    assert "ScaledObject" not in kinds(scaled, observed())
    assert "ScaledObject" in kinds(scaled, observed(deployment(scaled)))


def test_a_service_monitor_only_where_its_api_is() -> None:
    wanted = service(monitoring={"serviceMonitor": {}}, **EMPTY_DIR)
    assert "ServiceMonitor" in kinds(wanted, observed())
    without = Installation("runtime:1", frozenset(CHILD_KINDS) - {SERVICE_MONITOR})
    assert "ServiceMonitor" not in kinds(wanted, observed(), without)


@pytest.mark.parametrize(
    ("class_name", "annotations"),
    [
        ("nginx", {"nginx.ingress.kubernetes.io/proxy-body-size", "nginx.ingress.kubernetes.io/proxy-read-timeout"}),
        ("haproxy", {"haproxy.org/timeout-server", "haproxy-ingress.github.io/proxy-body-size"}),
        ("traefik", set[str]()),
    ],
)
def test_the_ingress_speaks_its_controllers_words(class_name: str, annotations: set[str]) -> None:
    wanted = service(ingress={"className": class_name}, server={"requestTimeout": "10m"}, **EMPTY_DIR)
    found = one(children(wanted), "Ingress")["metadata"]["annotations"]
    assert annotations <= set(found)
    assert class_name == "traefik" or "600" in str(found.values())


@pytest.mark.parametrize(("path", "prefix"), [("/", None), ("/speech", "/speech"), ("/speech/", "/speech")])
def test_the_pods_answer_below_the_path_of_their_ingress(path: str, prefix: str | None) -> None:
    (server,) = deployment(service(ingress={"path": path}, **EMPTY_DIR))["spec"]["template"]["spec"]["containers"]
    assert {one["name"]: one.get("value") for one in server["env"]}.get("WHISPER_BASE_PATH") == prefix


def test_every_pod_is_restricted() -> None:
    wanted = service()
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    for body in children(wanted, observed(*there)):
        template = body.get("spec", {}).get("template")
        if not template:
            continue
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        for container in template["spec"]["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_quantities_are_canonical() -> None:
    wanted = service(resources={"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"memory": 2147483648}})
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    resources = one(children(wanted, observed(*there)), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert resources["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


def test_what_the_engine_is_told_reaches_the_pod_and_a_default_leaves_no_trace() -> None:
    told = variables(computeType="bfloat16", server={"maxBatchSize": 4})
    assert (told["WHISPER_COMPUTE_TYPE"], told["WHISPER_MAX_BATCH_SIZE"]) == ("bfloat16", "4")
    assert not {"WHISPER_COMPUTE_TYPE", "WHISPER_MAX_BATCH_SIZE"} & variables().keys()


def test_a_rate_limit_reaches_the_pod_and_its_absence_leaves_no_trace() -> None:
    limited = variables(rateLimit={"audioMinutesPerHour": 90})
    assert (limited["WHISPER_REQUESTS_PER_MINUTE"], limited["WHISPER_AUDIO_MINUTES_PER_HOUR"]) == ("10", "90")
    assert not {name for name in variables() if "PER_MINUTE" in name or "PER_HOUR" in name}


def variables(**spec: object) -> dict[str, str]:
    """The environment of the server's container."""
    template = deployment(service(**spec, **EMPTY_DIR))["spec"]["template"]
    return {entry["name"]: entry["value"] for entry in template["spec"]["containers"][0]["env"]}
