"""The contract is true of the image and of openai-whisper."""

from __future__ import annotations

import re
from pathlib import Path

import whisper

from whisper_runtime.contract import network
from whisper_runtime.contract.models import OFFICIAL_MODELS

ROOT = Path(__file__).parents[2]


def test_the_official_digests_are_those_in_whispers_own_addresses() -> None:
    published = {name: url.split("/")[-2] for name, url in whisper._MODELS.items()}
    assert published == OFFICIAL_MODELS


def test_the_image_exposes_the_contracts_ports() -> None:
    text = (ROOT / "Dockerfile.runtime").read_text()
    exposed = {int(port) for line in re.findall(r"^EXPOSE (.+)$", text, re.M) for port in line.split()}
    assert exposed == {network.HTTP_PORT, network.METRICS_PORT}
