"""A model in an image volume: an API server takes the pods, and neither a claim nor a Job is made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kubectl import Kubectl
from tests.support.services import IMAGE_VOLUME, patch, service
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("running")


def image(namespace: Kubectl) -> Any:
    """The image volume of the pods that serve."""
    found = namespace.get("deployment", "speech") or {"spec": {"template": {"spec": {"volumes": []}}}}
    volumes = found["spec"]["template"]["spec"]["volumes"]
    return next((volume.get("image") for volume in volumes if volume["name"] == "models"), None)


def test_the_pods_mount_the_image_that_the_spec_names(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **IMAGE_VOLUME))
    before = {"reference": "r.example.com/team/m:v1", "pullPolicy": "IfNotPresent"}
    eventually("the Deployment mounts the image", lambda: image(namespace) == before)
    assert namespace.list("jobs") == namespace.list("pvc") == []
    pinned = f"r.example.com/team/m@sha256:{'b' * 64}"
    patch(namespace, "speech", {"model": {"source": {"url": f"oci://{pinned}"}}, "image": {"pullPolicy": "Always"}})
    after = {"reference": pinned, "pullPolicy": "Always"}
    eventually("a changed image is mounted", lambda: image(namespace) == after)


def test_the_status_says_where_the_model_is(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **IMAGE_VOLUME))

    def cached() -> Any:
        found = (namespace.get("wsvc", "speech") or {}).get("status", {}).get("conditions", [])
        return next(((one["reason"], one["message"]) for one in found if one["type"] == "ModelCached"), None)

    eventually("the condition is there", cached)
    assert cached() == ("InImage", "mine is in an image that the pods mount")
