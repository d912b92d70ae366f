"""Reads of any object: absent parts are empty."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.objects.manifest import (
    annotations_of,
    condition,
    container_of,
    controller_of,
    is_being_deleted,
    is_true,
    labels_of,
    part_of,
    status_of,
)

READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Stalled", "status": "False"}]}}


@pytest.mark.parametrize("body", [None, {}, {"status": None}, {"status": {"conditions": None}}])
def test_an_object_without_a_status_has_no_condition(body: dict[str, Any] | None) -> None:
    assert not status_of(body).get("replicas")
    assert condition(body, "Ready") is None
    assert not is_true(body, "Ready")


def test_a_condition_is_true_by_its_status() -> None:
    assert is_true(READY, "Ready")
    assert not is_true(READY, "Stalled")
    assert condition(READY, "Stalled") == {"type": "Stalled", "status": "False"}


def test_the_controller_is_the_owner_that_says_so() -> None:
    refs = [{"name": "a", "controller": False}, {"name": "b"}, {"name": "c", "controller": True}]
    assert controller_of({"metadata": {"ownerReferences": refs}}) == refs[2]
    assert controller_of({"metadata": {"ownerReferences": refs[:2]}}) is None
    assert controller_of({"metadata": {}}) is None


def test_metadata_without_maps() -> None:
    assert annotations_of({"metadata": {}}) == labels_of({"metadata": {}}) == {}
    assert not is_being_deleted({"metadata": {}})
    assert is_being_deleted({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})


@pytest.mark.parametrize("spec", [{}, {"containers": None}, {"containers": [{"name": "proxy"}]}])
def test_a_pod_without_the_container(spec: dict[str, Any]) -> None:
    assert container_of(spec, "server") is None


def test_a_container_is_found_by_its_name_wherever_it_is() -> None:
    server = {"name": "server", "image": "a"}
    assert container_of({"containers": [{"name": "proxy"}, server]}, "server") == server


def test_a_part_that_is_absent_or_null_is_empty() -> None:
    assert part_of({"a": {"b": 1}}, "a") == {"b": 1}
    assert part_of({"a": None}, "a") == part_of({}, "a") == {}
