"""The image that pods run."""

from __future__ import annotations

from tests.operator.samples import children, deployment, observed, one, service
from whisper_operator.observe.installation import Installation

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


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
