"""What the shape says of the operator's own templates."""

from __future__ import annotations

from typing import Any

import yaml

from testbed.paths import REPOSITORY
from whisper_operator.resolve.preflight.policy_shape import OURS, SHAPE, Fields


def test_the_names_of_the_operators_volumes_are_known() -> None:
    templates: list[dict[str, Any]] = []
    for file in sorted((REPOSITORY / "tests/golden").glob("*.yaml")):
        for body in yaml.safe_load_all(file.read_text()):
            if body["kind"] in ("Deployment", "Job"):
                templates.append(body["spec"]["template"]["spec"])
    names = {volume["name"] for spec in templates for volume in spec.get("volumes", ()) if volume["name"] != "extra"}
    assert names
    assert names <= set(OURS)


def test_nothing_of_the_node_is_in_the_list() -> None:
    spec = SHAPE.of["spec"]
    assert isinstance(spec, Fields)
    assert not {name for name in spec.of if name.startswith("host")} - {"hostname"}
    assert not {"nodeName", "imagePullSecrets", "ephemeralContainers", "resourceClaims"} & set(spec.of)
