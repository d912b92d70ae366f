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

from tests.operator.samples import children, live, one
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.cli.render import rendered, settled
from whisper_operator.objects.diff import changes
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.observe.installation import Installation

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


def differences(file: Path) -> Iterator[str]:
    """The fields in which the templates differ, as docs/upgrading.md writes them."""
    service, before = kept(file)
    after = {body["kind"]: body["spec"]["template"] for body in rendered(service, ENV) if body["kind"] in before}
    return (change.partition(":")[0] for change in changes(before, after))


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
    service, before = kept(file)
    there = settled(service, ENV)
    running = live(one(children(service, there), DEPLOYMENT.kind, service.metadata.name))
    running["spec"] = {**running["spec"], "template": before[DEPLOYMENT.kind]}
    running["metadata"]["managedFields"] = [APPLIED_IMAGE]
    live_too = replace(there, objects={**there.objects, (DEPLOYMENT.kind, service.metadata.name): running})
    after = children(service, live_too, LATER)
    found = one(after, DEPLOYMENT.kind, service.metadata.name)["spec"]["template"]["spec"]["containers"][0]["image"]
    assert found == before[DEPLOYMENT.kind]["spec"]["containers"][0]["image"]
