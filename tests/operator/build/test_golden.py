"""What each example becomes, as files: a change of a builder shows as a change of a manifest.

`UPDATE_GOLDEN=1 make test-unit` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.cli.render import rendered
from whisper_operator.observe.installation import Installation

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests/golden"
ENV = Installation("registry.example.com/whisper-runtime:1.0.0")


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda file: file.stem)
def test_an_example_becomes_these_manifests(example: Path) -> None:
    service = WhisperService.parse(yaml.safe_load(example.read_text()))
    found = yaml.safe_dump_all(rendered(service, ENV), sort_keys=False)
    golden = GOLDEN / example.name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found)
    assert found == golden.read_text()
