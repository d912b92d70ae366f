"""What is kept of ResourceSlices and DeviceClasses, and which devices claims have."""

from __future__ import annotations

import pytest

from tests.support.devices import DRIVER, WHOLE_GPU, allocation, class_body, gpu, slice_body
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.devices import DeviceId, Place, allocated, device_class, device_slice

SELECTOR = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "rack", "operator": "In", "values": ["a"]}]}]}


def test_a_device_has_its_drivers_attributes_and_its_memory() -> None:
    (device,) = device_slice(slice_body("node", gpu("gpu-0"))).devices
    assert device.id == DeviceId(DRIVER, "node", "gpu-0")
    assert device.attributes == {f"{DRIVER}/type": "gpu"}
    assert device.memory == 80 * 1024**3


def test_an_attribute_may_be_of_another_domain_and_a_device_may_tell_no_memory() -> None:
    body = {"name": "a", "attributes": {"example.org/healthy": {"bool": True}, "index": {"int": 3}}}
    (device,) = device_slice(slice_body("node", body)).devices
    assert device.attributes == {"example.org/healthy": True, f"{DRIVER}/index": 3}
    assert device.memory is None


@pytest.mark.parametrize(
    ("spec", "of_device", "place"),
    [
        ({}, {}, Place("node")),
        ({"nodeName": None, "allNodes": True}, {}, Place()),
        ({"nodeName": None, "nodeSelector": SELECTOR}, {}, Place(selector=SELECTOR)),
        ({"nodeName": None, "perDeviceNodeSelection": True}, {"nodeName": "b"}, Place("b")),
        ({"nodeName": None, "perDeviceNodeSelection": True}, {"allNodes": True}, Place()),
    ],
)
def test_a_device_is_where_its_slice_or_it_itself_says(spec: Manifest, of_device: Manifest, place: Place) -> None:
    (device,) = device_slice(slice_body("node", gpu("a", **of_device), **spec)).devices
    assert device.place == place


def test_a_device_has_the_taints_that_keep_pods_away() -> None:
    taints = [{"key": "broken", "effect": effect} for effect in ("NoSchedule", "NoExecute", "None")]
    (device,) = device_slice(slice_body("node", gpu("a", taints=taints))).devices
    assert device.taints == tuple(taints[:2])


def test_a_device_is_left_out_that_no_node_is_known_to_reach() -> None:
    assert device_slice(slice_body("node", gpu("a"), nodeName=None)).devices == (), "of a kind that is not known yet"


def test_a_class_has_its_expressions_and_the_resource_that_it_maps() -> None:
    found = device_class(class_body(resource="nvidia.com/gpu"))
    assert (found.extended_resource, found.expressions) == ("nvidia.com/gpu", (WHOLE_GPU,))
    assert device_class({"metadata": {"name": "all"}, "spec": {}}).expressions == ()


def test_a_claim_has_its_devices_but_not_those_that_an_administrator_looks_at() -> None:
    claims: list[Manifest] = [
        {"status": allocation("a")},
        {"status": allocation("b", adminAccess=True)},
        {"status": {}},
        {},
    ]
    assert list(allocated(claims)) == [DeviceId(DRIVER, "node", "a")]
