"""The previous release's pod templates, built by this one: only what docs/upgrading.md names differs.

tests/golden/previous/<release>/<example>.yaml holds the service and its pods' templates as that release built them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.operator.samples import one
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.cli.render import settled, wanted
from whisper_operator.objects import names
from whisper_operator.objects.diff import changes
from whisper_operator.objects.kinds import CLAIM, DEPLOYMENT
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import Observed

ROOT = Path(__file__).resolve().parents[3]
NOTES = ROOT / "docs/upgrading.md"
PREVIOUS = sorted((ROOT / "tests/golden/previous").glob("*/*.yaml"))
ENV = Installation("registry.example.com/whisper-runtime:1.0.0")
LATER = Installation("registry.example.com/whisper-runtime:2.0.0")
APPLIED_IMAGE = {
    "manager": "whisper-operator",
    "operation": "Apply",
    "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"server"}': {"f:image": {}}}}}}},
}
"""What the API server keeps of that release's own apply."""


def name(file: Path) -> str:
    return f"{file.parent.name}-{file.stem}"


def kept(file: Path) -> tuple[WhisperService, dict[str, Manifest]]:
    """The service, and its templates by the kind that carries them."""
    body, templates = yaml.safe_load_all(file.read_text())
    return WhisperService.parse(body), templates


def notes() -> Iterator[tuple[str, str, str]]:
    """Release, example and field of each deliberate change."""
    for line in NOTES.read_text().splitlines():
        if found := re.match(r"\| ([0-9.]+) \| (\S+) \| `([^`]+)` \| \S", line):
            yield found.group(1), found.group(2), found.group(3)


def as_left(service: WhisperService, templates: dict[str, Manifest]) -> Observed:
    """The objects that the release left: `templates` in its Deployment, and the claim with its model.

    Its claim was ReadWriteMany wherever more than one pod could run.
    """
    there = settled(service, ENV)
    name = service.metadata.name
    metadata = {"name": name, "uid": "1", "generation": 1, "managedFields": [APPLIED_IMAGE]}
    selector = {"matchLabels": names.first_selector(name)}
    deployment = {"metadata": metadata, "spec": {"selector": selector, "template": templates[DEPLOYMENT.kind]}}
    left = {**there.objects, (DEPLOYMENT.kind, name): deployment}
    if claim := there.get(CLAIM, names.models_claim(name)):
        mode = "ReadWriteMany" if service.spec.most_replicas > 1 else "ReadWriteOnce"
        spec = {**claim["spec"], "accessModes": [mode]}
        metadata = {**claim["metadata"], "annotations": {}}
        left[CLAIM.kind, names.models_claim(name)] = {"metadata": metadata, "spec": spec, "status": {"phase": "Bound"}}
    return replace(there, objects=left)


def after_the_upgrade(file: Path, installation: Installation = ENV) -> dict[str, Manifest]:
    """The templates as they are wanted among what the release left, by the kind that carries them."""
    service, before = kept(file)
    found = wanted(service, as_left(service, before), installation)
    return {body["kind"]: body["spec"]["template"] for body in found if body["kind"] in before}


def differences(file: Path) -> Iterator[str]:
    """The fields in which the templates differ, as docs/upgrading.md writes them."""
    _, before = kept(file)
    return (change.partition(":")[0] for change in changes(before, after_the_upgrade(file)))


@pytest.mark.parametrize("file", PREVIOUS, ids=name)
def test_a_pods_template_changes_only_where_a_note_says_so(file: Path) -> None:
    release, example = file.parent.name, file.stem
    noted = {field for of, which, field in notes() if of == release and which in ("*", example)}
    silent = [field for field in differences(file) if field not in noted]
    lines = "\n".join(f"| {release} | {example} | `{field}` | <why> |" for field in silent)
    assert silent == [], f"pods would restart at the upgrade; undo it, or write into docs/upgrading.md:\n{lines}"


def test_no_note_is_stale() -> None:
    for release, example, field in notes():
        files = [file for file in PREVIOUS if file.parent.name == release and example in ("*", file.stem)]
        assert any(field in differences(file) for file in files), f"{release} {example} {field} does not change"


@pytest.mark.parametrize("file", PREVIOUS, ids=name)
def test_what_runs_keeps_its_image(file: Path) -> None:
    """Given a Deployment of the previous release, an operator with a newer default image wants the same template."""
    _, before = kept(file)
    assert after_the_upgrade(file, LATER)[DEPLOYMENT.kind] == before[DEPLOYMENT.kind]


@pytest.mark.parametrize("file", PREVIOUS, ids=name)
def test_a_live_deployment_keeps_its_selector_and_a_new_one_has_no_other_charts(file: Path) -> None:
    service, before = kept(file)
    for there, selector in (
        (as_left(service, before), names.first_selector(service.metadata.name)),
        (settled(service, ENV), names.selector(service.metadata.name)),
    ):
        found = one(wanted(service, there, ENV), DEPLOYMENT.kind, service.metadata.name)
        assert found["spec"]["selector"]["matchLabels"] == selector
