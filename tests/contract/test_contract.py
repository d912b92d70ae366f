"""What operator and runtime agree on is the same on both sides, and true of openai-whisper."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import whisper

from whisper_runtime.contract import config, files, models, network
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import OFFICIAL_MODELS

ROOT = Path(__file__).parents[2]

EVERY_FIELD: dict[str, Any] = {
    "model": "my-model",
    "model_dir": "/models",
    "model_url": "https://models.example.com/a.pt?x=1",
    "model_sha256": "a" * 64,
    "model_credentials_dir": "/secret",
    "model_ca_file": "/ca.crt",
    "port": 8080,
    "base_path": "/speech",
    "metrics_port": 9090,
    "probes_on_http": False,
    "device": "cuda",
    "compute_type": "bfloat16",
    "language": "de",
    "max_upload_bytes": 1,
    "max_audio_seconds": 2,
    "request_timeout_seconds": 3,
    "max_queued_audio_seconds": 4,
    "max_batch_size": 8,
    "condition_on_previous_text": False,
    "cors_allow_origins": ("https://a.example.com", "https://b.example.com"),
    "api_keys_dir": files.API_KEYS_DIR,
    "golden_dir": "/golden",
    "golden_max_word_error_rate": 0.3,
    "no_egress": True,
    "drain_seconds": 0,
    "log_level": "debug",
    "log_format": "text",
    "max_scratch_bytes": 5,
    "requests_per_minute": 6,
    "audio_minutes_per_hour": 7,
}


def test_the_rows_below_cover_every_field() -> None:
    assert set(EVERY_FIELD) == set(RuntimeConfig.model_fields)
    assert not [name for name, value in EVERY_FIELD.items() if value == RuntimeConfig.model_fields[name].default]


@pytest.mark.parametrize(
    "config",
    [
        RuntimeConfig(),
        RuntimeConfig(**EVERY_FIELD),
        *(RuntimeConfig(**{name: value}) for name, value in EVERY_FIELD.items()),
    ],
    ids=["defaults", "everything", *EVERY_FIELD],
)
def test_a_configuration_survives_the_environment(config: RuntimeConfig) -> None:
    assert RuntimeConfig.from_env(config.to_env()) == config


def test_an_environment_of_others_changes_nothing() -> None:
    assert RuntimeConfig.from_env({"PATH": "/bin", "WHISPER_MODEL": ""}) == RuntimeConfig()


def test_every_field_has_a_variable_of_its_own() -> None:
    assert len(config.ENV_NAMES) == len(RuntimeConfig.model_fields)
    assert {config.env_name(field) for field in RuntimeConfig.model_fields} == config.ENV_NAMES


def test_the_official_digests_are_those_in_whispers_own_addresses() -> None:
    published = {name: url.split("/")[-2] for name, url in whisper._MODELS.items()}
    assert published == OFFICIAL_MODELS


def test_the_image_exposes_the_contracts_ports() -> None:
    text = (ROOT / "Dockerfile.runtime").read_text()
    exposed = {int(port) for line in re.findall(r"^EXPOSE (.+)$", text, re.M) for port in line.split()}
    assert exposed == {network.HTTP_PORT, network.METRICS_PORT}


def test_two_checkpoints_of_one_name_never_collide() -> None:
    paths = {models.checkpoint_path("/models", "base", sha256) for sha256 in (None, "a" * 64, "b" * 64)}
    assert len(paths) == 3


def test_a_name_of_nobody_needs_a_digest() -> None:
    with pytest.raises(ValueError, match="'my-model' is not a model of openai-whisper"):
        models.checkpoint_path("/models", "my-model", None)
