"""Each pod: its image, GPU and resources, and the nodes that it may run on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import (
    accepted,
    assert_choices,
    assert_longest,
    entries,
    letters,
    manifest,
    objects,
    refused,
    setting,
)
from whisper_operator.api.spec.pods import (
    GpuSpec,
    ImageSpec,
    PodMetadataSpec,
    ResourcesSpec,
    SchedulingSpec,
    ServiceAccountSpec,
)
from whisper_operator.objects import names

DIGEST = f"sha256:{'a' * 64}"


def test_the_image_is_that_of_the_installation_unless_the_spec_names_another() -> None:
    assert manifest(ImageSpec()) == {
        "repository": None,
        "tag": None,
        "digest": None,
        "pullPolicy": "IfNotPresent",
        "pullSecrets": [],
    }


def test_a_gpu_is_one_of_nvidias_unless_the_spec_says_otherwise() -> None:
    assert manifest(GpuSpec()) == {
        "count": 1,
        "resourceName": "nvidia.com/gpu",
        "claim": None,
        "runtimeClassName": None,
    }


def test_a_claim_stands_in_for_the_resources_name() -> None:
    by_claim = {"claim": {"resourceClaimTemplateName": "whole"}}
    assert accepted(**setting("gpu", by_claim)).gpu == GpuSpec.model_validate(by_claim)
    says = "spec.gpu.claim stands in for spec.gpu.resourceName: remove one of the two"
    assert says in refused(**setting("gpu", {**by_claim, "resourceName": "nvidia.com/mig-1g.5gb"}))


def test_resources_that_the_spec_does_not_name_are_absent() -> None:
    assert manifest(ResourcesSpec()) == {"requests": {}, "limits": {}}


def test_the_pods_run_on_any_node_unless_the_spec_says_otherwise() -> None:
    assert manifest(SchedulingSpec()) == {
        "nodeSelector": {},
        "tolerations": [],
        "affinity": None,
        "topologySpreadConstraints": [],
        "priorityClassName": None,
    }


def test_an_image_is_pulled_by_one_of_three_policies() -> None:
    assert_choices("image.pullPolicy", "Always", "IfNotPresent", "Never")


def secrets(count: int) -> list[dict[str, str]]:
    return [{"name": f"registry{number}"} for number in range(count)]


def resource(length: int) -> str:
    return "example.com/".rjust(length - 3, "a") + "gpu"


@pytest.mark.parametrize(
    ("field", "longest", "of"),
    [
        ("image.repository", 255, letters),
        ("image.tag", 128, letters),
        ("image.pullSecrets", 8, secrets),
        ("gpu.resourceName", 200, resource),
        ("gpu.runtimeClassName", 253, letters),
        ("scheduling.nodeSelector", 56, entries),
        ("scheduling.tolerations", 32, objects),
        ("scheduling.topologySpreadConstraints", 16, objects),
        ("scheduling.priorityClassName", 253, letters),
    ],
)
def test_a_field_has_a_greatest_length(field: str, longest: int, of: Any) -> None:
    assert_longest(field, longest, of)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image.repository", "whisper"),
        ("image.repository", "a.b/c__d/e-f_g.h"),
        ("image.repository", "registry.example.com:5000/team/whisper-runtime"),
        ("image.repository", "[2001:db8::1]:5000/whisper"),
        ("image.tag", "1.2.3"),
        ("image.tag", "_build-7"),
        ("image.digest", DIGEST),
        ("gpu.resourceName", "amd.com/gpu"),
        ("gpu.resourceName", "nvidia.com/mig-1g.5gb"),
        ("gpu.resourceName", f"nvidia.com/{letters(63)}"),
    ],
)
def test_a_name_of_the_right_form_is_accepted(field: str, value: str) -> None:
    accepted(**setting(field, value))


PROBLEMS = {
    "image.repository": (
        "is not a valid image repository; for example registry.example.com/whisper-runtime, in lower case and without "
        "a tag"
    ),
    "image.tag": "is not a valid image tag; for example 1.2.3",
    "image.digest": "is not a valid image digest; write sha256: and 64 hexadecimal digits",
    "gpu.resourceName": "is not a valid extended resource name; for example nvidia.com/gpu",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image.repository", ""),
        ("image.repository", "a b"),
        ("image.repository", "-a"),
        ("image.repository", "a@b"),
        ("image.repository", "registry.example.com/whisper:1.0"),
        ("image.repository", "registry.example.com/Whisper"),
        ("image.repository", "registry.example.com//whisper"),
        ("image.repository", "registry.example.com/"),
        ("image.tag", ""),
        ("image.tag", ".1"),
        ("image.tag", "a/b"),
        ("image.digest", "a" * 64),
        ("image.digest", DIGEST[:-1]),
        ("image.digest", f"{DIGEST}a"),
        ("image.digest", DIGEST.upper()),
        ("gpu.resourceName", "gpu"),
        ("gpu.resourceName", "nvidia.com/"),
        ("gpu.resourceName", "nvidia.com/gpu."),
        ("gpu.resourceName", f"nvidia.com/{letters(64)}"),
        ("gpu.resourceName", "Nvidia.com/gpu"),
    ],
)
def test_a_name_of_another_form_is_refused(field: str, value: str) -> None:
    assert refused(**setting(field, value)) == f"spec.{field}: {value[:80]!r} {PROBLEMS[field]}"


def test_a_pull_secret_is_named_once() -> None:
    assert refused(image={"pullSecrets": [{"name": "registry"}] * 2}) == (
        "spec.image.pullSecrets: name registry occurs more than once: remove the duplicates"
    )


@pytest.mark.parametrize("count", [0, 2, 64])
def test_a_pod_has_one_gpu(count: int) -> None:
    accepted(gpu={"count": 1})
    assert refused(gpu={"count": count}) == (
        "spec.gpu.count must be 1, because one pod serves one model on one GPU: write 1 and raise spec.replicas"
    )


def test_a_number_of_gpus_that_no_node_has_is_refused_by_the_schema_already() -> None:
    for count, bound in ((-1, "greater than or equal to 0"), (65, "less than or equal to 64")):
        assert refused(gpu={"count": count}) == f"spec.gpu.count: Input should be {bound}"


@pytest.mark.parametrize("name", ["kubernetes.io/gpu", "example.kubernetes.io/gpu", "requests.example.com/gpu"])
def test_a_resource_of_kubernetes_itself_is_no_gpu(name: str) -> None:
    assert refused(gpu={"resourceName": name}) == (
        "spec.gpu.resourceName must not be one of Kubernetes' own resources: write the name that the device "
        "plugin offers, for example nvidia.com/gpu"
    )


@pytest.mark.parametrize(
    "resources",
    [
        {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "0.5", "memory": "1024Mi"}},
        {"requests": {"cpu": 1}, "limits": {"cpu": "1000m"}},
        {"requests": {"cpu": 8}, "limits": {"memory": "1Gi"}},
        {"requests": {"cpu": 8}},
        {"limits": {"cpu": 8}},
    ],
    ids=["equal in other units", "equal as a number and a string", "of other resources", "no limit", "no request"],
)
def test_requests_within_the_limits_are_accepted(resources: dict[str, Any]) -> None:
    accepted(resources=resources)


@pytest.mark.parametrize(
    ("asked", "limit"), [("501m", "0.5"), (2, "1999m"), ("1Gi", "1G")], ids=["fractions", "a number", "binary units"]
)
def test_a_request_above_its_limit_is_refused(asked: str | int, limit: str) -> None:
    assert refused(resources={"requests": {"cpu": asked}, "limits": {"cpu": limit}}) == (
        "spec.resources.requests exceed spec.resources.limits: lower the request or raise the limit"
    )


def test_pods_have_no_label_or_annotation_more_unless_the_spec_names_one() -> None:
    assert manifest(PodMetadataSpec()) == {"labels": {}, "annotations": {}}


def test_the_account_is_created_unless_the_spec_says_otherwise() -> None:
    assert manifest(ServiceAccountSpec()) == {"create": True, "name": None, "annotations": {}}


@pytest.mark.parametrize("field", ["podMetadata.labels", "podMetadata.annotations", "serviceAccount.annotations"])
def test_metadata_is_bounded(field: str) -> None:
    assert_longest(field, 56, entries)


@pytest.mark.parametrize("field", ["labels", "annotations"])
@pytest.mark.parametrize("key", [*sorted(names.labels("speech", names.SERVER)), "whisper-operator.io/applied"])
def test_the_operators_own_labels_and_annotations_are_not_the_users(field: str, key: str) -> None:
    assert refused(podMetadata={field: {key: "mine"}}) == (
        f"spec.podMetadata.{field} must not set one of the operator's, such as "
        "app.kubernetes.io/name, app.kubernetes.io/instance or whisper-operator.io/service: remove it"
    )


@pytest.mark.parametrize("key", ["app.kubernetes.io/part-of", "team", "sidecar.istio.io/inject"])
def test_any_other_label_or_annotation_is(key: str) -> None:
    accepted(podMetadata={"labels": {key: "a"}, "annotations": {key: "a"}})


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ({"create": False}, "spec.serviceAccount.create is false, so the account has to exist: name it"),
        ({"create": False, "name": "a", "annotations": {"b": "c"}}, "annotate the existing one yourself"),
        ({"name": "A"}, "'A' is not a valid object name"),
    ],
)
def test_an_account_that_cannot_be_is_refused(account: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(serviceAccount=account)
