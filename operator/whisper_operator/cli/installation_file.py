"""The installation for which `check` judges a service, from the manifests of the operator: no I/O but the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import yaml
from pydantic import ValidationError

from whisper_operator.api.explain import explain
from whisper_operator.observe.defaults import NO_DEFAULTS, Defaults
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.policy import Policy

IMAGE: Final = "WHISPER_OPERATOR_RUNTIME_IMAGE"
POLICY: Final = "WHISPER_OPERATOR_POLICY"
DEFAULTS: Final = "WHISPER_OPERATOR_DEFAULTS"


def read_installation(file: Path) -> Installation:
    """The image, policy and defaults that the operator's Deployment in `file` has in its environment.

    `file`: as `helm template`, `helm get manifest` or `kubectl get deployment -o yaml` write it. Values of the chart
    would not do: the chart completes them. Raises SystemExit where there is no such Deployment, or a value is invalid.
    """
    try:
        found = next((env for body in _bodies(file) for env in _environments(body) if IMAGE in env), None)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SystemExit(f"{file}: {error}") from None
    if found is None:
        raise SystemExit(f"{file}: no Deployment of the operator in it, which is one with {IMAGE} in its environment")
    try:
        policy = Policy.model_validate_json(found[POLICY]) if POLICY in found else Policy()
        defaults = Defaults.model_validate_json(found[DEFAULTS]) if DEFAULTS in found else NO_DEFAULTS
    except ValidationError as error:
        raise SystemExit(f"{file}: {POLICY} or {DEFAULTS}: {explain(error)}") from None
    return Installation(found[IMAGE], policy=policy, defaults=defaults)


def _bodies(file: Path) -> Iterator[dict[str, Any]]:
    for body in yaml.safe_load_all(file.read_text()):
        if isinstance(body, dict):
            found = cast(dict[str, Any], body)
            yield from found.get("items", [found])


def _environments(body: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The variables of each container of a Deployment that have their value in the manifest."""
    if body.get("kind") != "Deployment":
        return
    for container in body["spec"]["template"]["spec"]["containers"]:
        yield {one["name"]: one["value"] for one in container.get("env", ()) if "value" in one}
