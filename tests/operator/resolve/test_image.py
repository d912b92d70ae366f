"""The image that pods run: the spec's, or the one that the operator admitted before; never somebody else's wish."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.operator.samples import children, deployment, observed, one, resolved, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.installation import Installation
from whisper_operator.resolve.image import foreign_images, parts

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}
LATER = Installation("runtime:2")
OURS = ("whisper-operator", "Apply")


def held(body: Manifest, *managers: tuple[str, str], container: str = "server") -> Manifest:
    """`body`, of whose container's image these are the field managers, each with its operation."""
    fields = {"f:containers": {f'k:{{"name":"{container}"}}': {"f:image": {}}}}
    entries = [
        {"manager": name, "operation": operation, "fieldsV1": {"f:spec": {"f:template": {"f:spec": fields}}}}
        for name, operation in managers
    ]
    return {**body, "metadata": {**body["metadata"], "managedFields": entries}}


def edited(body: Manifest, image: str) -> Manifest:
    changed = copy.deepcopy(body)
    for part in ("containers", "initContainers"):
        for container in changed["spec"]["template"]["spec"].get(part, ()):
            container["image"] = image
    return changed


def images(spec: dict[str, Any], live: Manifest, status: dict[str, Any] | None = None) -> set[str]:
    """Every image that the Deployment is to have, given the live one and an operator of a later version."""
    found = one(children(service(status, **EMPTY_DIR, **spec), observed(live), LATER), "Deployment")
    pod = found["spec"]["template"]["spec"]
    return {container["image"] for container in (*pod["initContainers"], *pod["containers"])}


@pytest.mark.parametrize(
    ("spec", "image"),
    [
        ({}, "runtime:1"),
        ({"image": {"tag": "3"}}, "runtime:3"),
        ({"image": {"repository": "runtime"}}, "runtime:1"),
        ({"image": {"repository": "other/runtime"}}, "other/runtime:2"),
    ],
)
def test_what_was_admitted_stays_where_the_spec_names_nothing_else(spec: dict[str, Any], image: str) -> None:
    live = deployment(service(**EMPTY_DIR))
    assert images(spec, live, {"image": "runtime:1"}) == {image}
    assert images(spec, edited(live, "evil:1"), {"image": "runtime:1"}) == {image}, "whatever the live one has"


@pytest.mark.parametrize(
    ("spec", "image"),
    [
        ({}, "old.example.com/runtime:1"),
        ({"image": {"tag": "1"}}, "old.example.com/runtime:1"),
        ({"image": {"tag": "2"}}, "runtime:2"),
        ({"image": {"tag": "1", "repository": "runtime"}}, "runtime:1"),
    ],
    ids=["the version is open", "its version stays", "another version", "the new registry is named"],
)
def test_another_registry_of_the_installation_restarts_no_pod(spec: dict[str, Any], image: str) -> None:
    live = deployment(service(**EMPTY_DIR))
    assert images(spec, live, {"image": "old.example.com/runtime:1"}) == {image}


def test_what_was_admitted_is_found_again_without_a_deployment() -> None:
    found = one(children(service({"image": "runtime:1"}, **EMPTY_DIR), installation=LATER), "Deployment")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "runtime:1"


@pytest.mark.parametrize(
    ("managers", "image"),
    [
        ([OURS], "runtime:1"),
        ([OURS, ("kubectl-set", "Update")], "runtime:2"),
        ([("kubectl-set", "Update")], "runtime:2"),
        ([("whisper-operator", "Update")], "runtime:2"),
        ([OURS, ("team", "Apply")], "runtime:2"),
        ([], "runtime:2"),
    ],
)
def test_without_a_record_the_live_image_counts_if_nobody_else_had_a_hand_in_it(
    managers: list[tuple[str, str]], image: str
) -> None:
    """Given a Deployment of a release that kept no record."""
    assert images({}, held(deployment(service(**EMPTY_DIR)), *managers)) == {image}


def test_another_containers_image_is_not_the_servers() -> None:
    live = deployment(service(**EMPTY_DIR))
    live["spec"]["template"]["spec"]["containers"].insert(0, {"name": "proxy", "image": "mesh:1"})
    assert images({}, held(live, OURS)) == {"runtime:1"}
    assert images({}, held(live, OURS, container="proxy")) == {"runtime:2"}


def test_a_fetch_that_somebody_edited_gets_no_credentials_and_nor_does_a_verification() -> None:
    """Given a tampered Deployment, every Job that is asked for has the admitted image."""
    wanted = service({"image": "runtime:1"}, verification={})
    live = edited(deployment(service(**EMPTY_DIR)), "evil:1")
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1"
    claim = one(children(wanted), "PersistentVolumeClaim", "speech-models")
    claim = {**claim, "metadata": {**claim["metadata"], "uid": "1"}, "status": {"phase": "Bound"}}
    found = [body for body in children(wanted, observed(live, claim), LATER) if body["kind"] == "Job"]
    assert len(found) == 2
    assert {job["spec"]["template"]["spec"]["containers"][0]["image"] for job in found} == {"runtime:1"}


@pytest.mark.parametrize(
    ("spec", "default", "newest"),
    [
        ({}, "registry:5000/runtime:1", "registry:5000/runtime:1"),
        ({"tag": "2"}, "registry:5000/runtime", "registry:5000/runtime:2"),
        ({"repository": "mirror"}, "registry:5000/runtime:1", "mirror:1"),
        ({"repository": "mirror"}, "registry:5000/runtime:1@sha256:a", "mirror:1"),
        ({"repository": "mirror"}, "registry:5000/runtime@sha256:a", "mirror@sha256:a"),
        ({"repository": "mirror"}, "registry:5000/runtime", "mirror"),
        ({"tag": "2"}, "runtime@sha256:a", "runtime:2"),
        ({"digest": f"sha256:{'b' * 64}"}, "runtime:1", f"runtime@sha256:{'b' * 64}"),
    ],
)
def test_parts_that_the_spec_leaves_open_are_the_installations(spec: dict[str, str], default: str, newest: str) -> None:
    assert resolved(service(image=spec), installation=Installation(default)).image.newest == newest


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("runtime", ("runtime", None, None)),
        ("a/runtime:1", ("a/runtime", "1", None)),
        ("host:5000/runtime", ("host:5000/runtime", None, None)),
        ("host:5000/runtime:1@sha256:a", ("host:5000/runtime", "1", "sha256:a")),
    ],
)
def test_the_parts_of_an_image(image: str, found: tuple[str, str | None, str | None]) -> None:
    assert parts(image) == found


@pytest.mark.parametrize(
    ("managers", "admitted", "is_foreign"),
    [
        ([("kubectl-set", "Update")], "runtime:1", True),
        ([("kubectl-set", "Update")], None, True),
        ([OURS], "runtime:1", True),
        ([OURS], "runtime:0", False),
    ],
    ids=["edited", "edited before there was a record", "edited in our name", "changed by the spec"],
)
def test_whose_the_live_image_is(managers: list[tuple[str, str]], admitted: str | None, is_foreign: bool) -> None:
    live = deployment(service(**EMPTY_DIR))
    wanted, there = live["spec"]["template"], held(edited(live, "other:1"), *managers)
    found = foreign_images(there, wanted, service(None if admitted is None else {"image": admitted}))
    assert found.get("server") == ("other:1" if is_foreign else None)
    assert foreign_images(held(live, *managers), wanted, service()) == {}
    assert foreign_images(None, wanted, service()) == {}
