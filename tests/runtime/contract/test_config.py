"""Every field of the configuration is one environment variable, and survives the way through it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from whisper_runtime.contract import config, files
from whisper_runtime.contract.config import RuntimeConfig

EVERY_FIELD: dict[str, Any] = {
    "model": "my-model",
    "model_aliases": ("whisper-large-v3", "openai/whisper-large-v3"),
    "model_dir": "/models",
    "model_url": "https://models.example.com/a.pt?x=1",
    "model_url_file": "/etc/whisper/source-url/url",
    "model_s3_region": "eu-central-1",
    "model_s3_endpoint": "https://minio.example.com:9000",
    "model_hub_endpoint": "https://hub.example.com",
    "model_image_dir": "/image",
    "model_registry_endpoint": "https://registry.example.com",
    "model_sha256": "a" * 64,
    "model_credentials_dir": "/secret",
    "model_ca_file": "/ca.crt",
    "diarization_model": "/models/pretrained.pt",
    "diarization_model_sha256": "c" * 64,
    "port": 8080,
    "base_path": "/speech",
    "metrics_port": 9090,
    "probes_on_http": False,
    "ui": False,
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
    "trusted_proxies": ("10.0.0.0/8", "fd00::1"),
    "front_token": "0123456789abcdef",
    "audio_url_allowed_hosts": ("files.example.com", "http://minio.storage:9000"),
    "audio_url_private_networks": ("10.20.0.0/16", "fd00::1"),
    "cluster_networks": ("198.51.100.0/24",),
    "webhook_allowed_hosts": ("hooks.example.com",),
    "webhook_private_networks": ("10.30.0.0/16",),
    "webhook_secrets_dir": files.WEBHOOK_SECRETS_DIR,
    "api_keys_dir": files.API_KEYS_DIR,
    "golden_dir": "/golden",
    "golden_max_word_error_rate": 0.3,
    "golden_language": "fr",
    "no_egress": True,
    "drain_seconds": 0,
    "log_level": "debug",
    "log_format": "text",
    "max_scratch_bytes": 5,
    "requests_per_minute": 6,
    "audio_minutes_per_hour": 7,
    "jobs_dir": "/jobs",
    "jobs_store": "redis",
    "jobs_s3_bucket": "speech-jobs",
    "jobs_s3_prefix": "team",
    "jobs_s3_region": "eu-central-1",
    "jobs_s3_endpoint": "https://minio.example.com:9000",
    "jobs_s3_credentials_dir": files.JOBS_BUCKET_DIR,
    "jobs_max_bytes": 8,
    "jobs_result_seconds": 9,
    "jobs_max_queued_audio_seconds": 10,
    "result_cache_max_bytes": 10,
    "result_cache_seconds": 11,
    "result_cache_scope": "service",
    "redis_url_file": "/redis/url",
    "redis_ca_file": "/redis/ca.crt",
    "redis_prefix": "team/speech",
    "servers": "speech-servers.team.svc:8000",
    "spool_dir": files.SPOOL_DIR,
    "spool_bytes": 12,
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


def test_one_variable_alone_has_no_prefix() -> None:
    without = [field for field in RuntimeConfig.model_fields if config.env_name(field) != f"WHISPER_{field.upper()}"]
    assert (without, config.env_name("model_dir")) == (["model_dir"], "MODEL_DIR")


def test_origins_that_are_not_a_json_list_are_refused_as_they_are() -> None:
    with pytest.raises(ValidationError, match="input_value='\\*'"):
        RuntimeConfig.from_env({"WHISPER_CORS_ALLOW_ORIGINS": "*"})


@pytest.mark.parametrize(
    "proxies", ['["*"]', '["0.0.0.0/0"]', '["::/0"]', '["10.0.0.0/33"]', '["ingress"]', "10.0.0.0/8"]
)
def test_proxies_are_networks_and_never_all_of_them(proxies: str) -> None:
    """Trusted by all, the header says what any client writes into it."""
    with pytest.raises(ValidationError, match="trusted_proxies"):
        RuntimeConfig.from_env({"WHISPER_TRUSTED_PROXIES": proxies})


@pytest.mark.parametrize(
    "networks", ['["*"]', '["0.0.0.0/0"]', '["::/0"]', '["10.0.0.0/33"]', '["minio"]', "10.0.0.0/8"]
)
def test_private_networks_are_never_all_of_them(networks: str) -> None:
    """All addresses together would permit the cloud's metadata."""
    with pytest.raises(ValidationError, match="audio_url_private_networks"):
        RuntimeConfig.from_env({"WHISPER_AUDIO_URL_PRIVATE_NETWORKS": networks})


@pytest.mark.parametrize(
    "hosts", ['["*"]', '["10.0.0.1"]', '["ftp://a.example.com"]', '["https://a.example.com/b"]', "a"]
)
def test_allowed_hosts_are_names(hosts: str) -> None:
    with pytest.raises(ValidationError, match="audio_url_allowed_hosts"):
        RuntimeConfig.from_env({"WHISPER_AUDIO_URL_ALLOWED_HOSTS": hosts})


@pytest.mark.parametrize("aliases", ["whisper-large-v3", '["my model"]', '["/models/a.pt"]', f'["{"a" * 129}"]'])
def test_aliases_are_names(aliases: str) -> None:
    with pytest.raises(ValidationError, match="model_aliases"):
        RuntimeConfig.from_env({"WHISPER_MODEL_ALIASES": aliases})


@pytest.mark.parametrize(
    ("fields", "language"),
    [
        ({}, "en"),
        ({"language": "de"}, "en"),
        ({"language": "de", "golden_dir": files.OWN_GOLDEN_DIR}, "de"),
        ({"golden_dir": files.OWN_GOLDEN_DIR}, "en"),
        ({"language": "de", "golden_dir": files.OWN_GOLDEN_DIR, "golden_language": "fr"}, "fr"),
    ],
    ids=["the image's", "the image's, of a German service", "a German service's", "an own one", "stated"],
)
def test_the_language_of_the_golden_clip(fields: dict[str, Any], language: str) -> None:
    assert RuntimeConfig(**fields).clip_language == language
