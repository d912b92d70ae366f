"""The installation's defaults complete what a spec leaves open, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.defaults import NO_DEFAULTS, Defaults

ALL = {
    "imagePullSecrets": [{"name": "registry"}],
    "gpu": {"nodeSelector": {"pool": "gpu"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]},
    "storageClassName": "fast",
    "ingressClassName": "public",
    "podMetadata": {"labels": {"team": "speech"}, "annotations": {"example.com/owner": "platform"}},
    "objectMetadata": {"labels": {"cost-center": "1"}},
    "resources": {"requests": {"cpu": "3"}, "limits": {"memory": "9Gi"}},
}
DEFAULTS = Defaults.model_validate(ALL)


def filled(part: str, **spec: Any) -> Manifest:
    """That part of the spec, completed; without what it leaves open."""
    return DEFAULTS.fill(service(**spec).spec).model_dump(mode="json", by_alias=True, exclude_none=True).get(part, {})


@pytest.mark.parametrize(
    ("part", "spec", "expected"),
    [
        ("image", {}, {"pullSecrets": [{"name": "registry"}]}),
        ("image", {"image": {"pullSecrets": [{"name": "own"}]}}, {"pullSecrets": [{"name": "own"}]}),
        ("scheduling", {}, {"nodeSelector": {}, "tolerations": []}),
        ("scheduling", {"gpu": {}}, ALL["gpu"]),
        ("scheduling", {"gpu": {}, "scheduling": {"nodeSelector": {"zone": "a"}}},
         {"nodeSelector": {"zone": "a"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]}),
        ("cache", {}, {"storageClassName": "fast"}),
        ("cache", {"cache": {"storageClassName": "own"}}, {"storageClassName": "own"}),
        ("cache", {"cache": {"storageClassName": ""}}, {"storageClassName": ""}),
        ("ingress", {"ingress": {"host": "a.example.com"}}, {"className": "public", "host": "a.example.com"}),
        ("ingress", {"ingress": {"host": "a.example.com", "className": "own"}}, {"className": "own"}),
        ("podMetadata", {}, ALL["podMetadata"]),
        ("podMetadata", {"podMetadata": {"labels": {"team": "own", "app": "x"}}},
         {"labels": {"team": "own", "app": "x"}, "annotations": {"example.com/owner": "platform"}}),
        ("objectMetadata", {}, {"labels": {"cost-center": "1"}, "annotations": {}}),
        ("objectMetadata", {"objectMetadata": {"labels": {"cost-center": "2"}, "annotations": {"a": "b"}}},
         {"labels": {"cost-center": "2"}, "annotations": {"a": "b"}}),
        ("resources", {}, ALL["resources"]),
        ("resources", {"resources": {"requests": {"cpu": "1"}}}, {"requests": {"cpu": "1"}, "limits": {}}),
    ],
)  # fmt: skip
def test_a_setting_is_completed_where_the_spec_leaves_it_open(part: str, spec: Manifest, expected: Manifest) -> None:
    found = filled(part, **spec)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("storage", [{"existingClaim": "shared"}, {"type": "EmptyDir"}])
def test_a_storage_class_is_that_of_claims_that_the_operator_makes(storage: Manifest) -> None:
    assert "storageClassName" not in filled("cache", cache=storage)
    assert "storageClassName" not in filled("jobs", jobs={"storage": storage})["storage"]
    assert filled("jobs", jobs={})["storage"]["storageClassName"] == "fast"
    assert filled("jobs") == {}


def test_no_ingress_is_made_for_its_class() -> None:
    assert "ingress" not in DEFAULTS.fill(service().spec).model_dump(by_alias=True, exclude_none=True)


def test_without_defaults_a_spec_is_as_it_was() -> None:
    spec = service(gpu={}, ingress={"host": "a.example.com"}).spec
    assert NO_DEFAULTS.fill(spec) is spec


def test_what_is_set_is_recorded_and_read_again() -> None:
    assert NO_DEFAULTS.as_json() is None
    assert Defaults.model_validate_json(DEFAULTS.as_json() or "") == DEFAULTS
    assert Defaults(storage_class_name="fast").as_json() == '{"storageClassName":"fast"}'
