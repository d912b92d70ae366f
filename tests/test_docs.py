"""What the documents promise exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from whisper_operator.api.unsupported import UNSUPPORTED, unsupported
from whisper_operator.api.v1alpha1 import WhisperService

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_it_names_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"(?:`|^    )(?:UPDATE_GOLDEN=1 )?make (?:-s )?([a-z-]+)", document.read_text(), re.M))
    assert named
    assert named <= targets


def test_every_path_that_the_readme_names_exists() -> None:
    table = (ROOT / "README.md").read_text().partition("## Where everything is")[2]
    for path in re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.md)`", table):
        assert (
            (ROOT / path).exists()
            or (ROOT / "operator/whisper_operator" / path).exists()
            or (ROOT / "runtime/whisper_runtime" / path).exists()
            or (ROOT / "tests" / path).exists()
        ), path


def test_the_readmes_manifest_is_implemented() -> None:
    manifest = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert manifest is not None
    assert unsupported(WhisperService.parse(yaml.safe_load(manifest[1])).spec) == []


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_is_implemented(file: Path) -> None:
    assert unsupported(WhisperService.parse(yaml.safe_load(file.read_text())).spec) == []


def test_the_readme_names_what_is_not_implemented() -> None:
    text = (ROOT / "README.md").read_text()
    for path, _ in UNSUPPORTED:
        assert f"`{path.removeprefix('spec.')}`" in text
