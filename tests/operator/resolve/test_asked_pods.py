"""The pods that a spec asks for: the resources of each container."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.operator.samples import service
from whisper_operator.api.v1alpha1 import Spec
from whisper_operator.resolve.asked_pods import (
    AskedContainer,
    AskedPod,
    fetching,
    fronting,
    server_pod_spec,
    serving,
    verifying,
)

MEBIBYTE = 1024**2


def spec(**parts: Any) -> Spec:
    return service(**parts).spec


def template(kind: str = "containers", **container: Any) -> dict[str, Any]:
    return {"spec": {kind: [{"name": "proxy", **container}]}}


def fields(pod: AskedPod) -> dict[str, str]:
    return {one.name: one.field for one in pod.containers}


def test_each_kind_of_pod_has_a_container_of_ours_with_a_field_for_its_resources() -> None:
    assert fields(serving(spec())) == {"server": "spec.resources"}
    assert fields(fetching(spec())) == {"fetch": "spec.prefetch.resources"}
    assert fields(verifying(spec())) == {"verify": "spec.verification.resources"}
    assert fields(fronting(spec(front={}))) == {"front": "spec.front.resources"}
    assert serving(spec()).field == "spec.resources"


def test_a_pod_with_a_directory_of_its_own_fetches_first() -> None:
    pod = serving(spec(cache={"type": "EmptyDir"}))
    assert [(one.name, one.ends_first) for one in pod.containers] == [("fetch", True), ("server", False)]


def test_the_users_own_containers_count_and_their_field_is_told() -> None:
    pod = serving(spec(podTemplate=template(resources={"requests": {"cpu": "1"}})))
    assert fields(pod)["proxy"] == "spec.podTemplate.spec.containers[proxy].resources"
    assert pod.requests["cpu"] == Decimal("1.25")
    jobs = spec(prefetch={"podTemplate": template()}, verification={"podTemplate": template("initContainers")})
    assert fields(fetching(jobs))["proxy"] == "spec.prefetch.podTemplate.spec.containers[proxy].resources"
    assert fields(verifying(jobs))["proxy"] == "spec.verification.podTemplate.spec.initContainers[proxy].resources"


def test_the_template_has_the_last_word() -> None:
    over = {
        "spec": {"containers": [{"name": "server", "resources": {"limits": {"cpu": "2"}}}], "nodeSelector": {"a": "b"}}
    }
    assert serving(spec(podTemplate=over)).limits["cpu"] == 2
    assert server_pod_spec(spec(podTemplate=over))["nodeSelector"] == {"a": "b"}


def test_a_malformed_template_does_not_count() -> None:
    over = {"spec": {"containers": [{"name": "server", "resources": {"limits": {"cpu": "much"}}}]}}
    assert serving(spec(podTemplate=over)) == serving(spec())
    assert serving(spec(podTemplate={"spec": "no object"})) == serving(spec())
    without = {"spec": {"$patch": "delete"}}
    assert serving(spec(podTemplate=without)) == serving(spec())
    assert verifying(spec(verification={"podTemplate": without})) == verifying(spec(verification={}))


def test_a_request_that_is_left_out_is_the_limit() -> None:
    pod = serving(spec(podTemplate=template(resources={"limits": {"memory": "1Mi"}})))
    (proxy,) = (one for one in pod.containers if one.name == "proxy")
    assert proxy.requests == {"memory": MEBIBYTE}


def container(name: str, cpu: str, *, ends_first: bool = False) -> AskedContainer:
    return AskedContainer(name, "spec", {"cpu": Decimal(cpu)}, {}, ends_first)


def test_a_pod_asks_for_the_sum_or_for_its_largest_start() -> None:
    together = (container("server", "1"), container("sidecar", "2"))
    assert AskedPod("", "", together).requests == {"cpu": 3}
    assert AskedPod("", "", (*together, container("fetch", "5", ends_first=True))).requests == {"cpu": 5}


def test_a_sidecar_that_starts_first_runs_beside() -> None:
    native = {"restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}
    pod = serving(spec(podTemplate=template("initContainers", **native)))
    assert pod.requests["cpu"] == Decimal("1.25")
