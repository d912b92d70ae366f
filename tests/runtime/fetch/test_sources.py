"""The source that a configuration names, by the scheme of its URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror
from tests.runtime.fetch.conftest import digest, fetched
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import OFFICIAL_MODELS
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.one_model import OF_WHISPER
from whisper_runtime.fetch.source_claim import ClaimSource
from whisper_runtime.fetch.source_http import HttpSource
from whisper_runtime.fetch.source_hub import HubSource
from whisper_runtime.fetch.source_oci import OciSource
from whisper_runtime.fetch.sources import official_url, source_of


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://example.com/base.pt", HttpSource),
        ("http://example.com/base.pt", HttpSource),
        ("s3://bucket/base.pt", HttpSource),
        ("hf://openai/whisper-base@main", HubSource),
        ("oci://registry.example.com/team/base:v1", OciSource),
        ("pvc://claim/base.pt", ClaimSource),
    ],
)
def test_the_scheme_decides(url: str, kind: type, tmp_path: Path) -> None:
    source = source_of(RuntimeConfig(model="mine", model_url=url), 1.0, str(tmp_path), OF_WHISPER)
    assert isinstance(source, kind)
    assert source.name == url


def test_an_official_model_has_openais_own_address() -> None:
    for model, sha256 in OFFICIAL_MODELS.items():
        assert sha256 in official_url(model)


def test_an_address_that_is_not_valid(cache: Path) -> None:
    message = fetched(cache, "http://127.0.0.1:99999/base.pt", "0" * 64).message
    assert "spec.model.source.url is not a valid URL: Port out of range" in message


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/base.pt"])
def test_other_schemes_are_refused(cache: Path, url: str) -> None:
    assert "only http://, https://, s3://, hf://, oci:// and pvc://" in fetched(cache, url, "0" * 64).message


def test_the_specs_place_of_a_bucket_takes_precedence_over_the_secrets(
    cache: Path, mirror: Mirror, content: bytes, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    for name, value in {"AWS_REGION": "us-west-2", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        (secret / name).write_text(value)
    place = {"model_s3_region": "eu-north-1", "model_s3_endpoint": mirror.url.rpartition("/")[0]}
    report = fetched(cache, "s3://b/base.pt", digest(content), model_credentials_dir=str(secret), **place)
    assert report.reason == "Fetched", report.message


HELD = "hunter2"


@pytest.fixture
def held(tmp_path: Path) -> Path:
    return tmp_path / "url"


def test_a_url_in_a_file_is_fetched_and_no_message_repeats_it(
    cache: Path, held: Path, mirror: Mirror, content: bytes
) -> None:
    held.write_text(f"{mirror.url}?sig={HELD}\n")
    report = fetched(cache, None, digest(content), model_url_file=str(held))
    assert report.reason == "Fetched", report.message
    assert HELD not in report.message
    assert "/…" in report.message


def test_a_url_in_a_file_is_read_again_before_each_attempt(cache: Path, held: Path, mirror: Mirror) -> None:
    held.write_text("http://127.0.0.1:9/old.pt")
    source = source_of(RuntimeConfig(model="mine", model_url_file=str(held)), 1.0, "/nowhere", OF_WHISPER)
    assert isinstance(source, HttpSource)
    with pytest.raises(FetchError, match="could not be reached"), source.open(0, None):
        pass
    held.write_text(mirror.url)
    with source.open(0, None) as body:
        assert body.total == len(mirror.content)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "the key cannot be read (FileNotFoundError)"),
        ("", "holds no https:// or http:// URL"),
        (f"s3://b/{HELD}", "holds no https:// or http:// URL"),
        (f"https://me:{HELD}@m/a.pt", "holds no https:// or http:// URL without user and password"),
        (f"https://m/{HELD} b", "holds no https:// or http:// URL"),
        (f"https://m:99999/{HELD}", "holds no valid URL"),
    ],
)
def test_a_file_that_holds_no_url_is_told_by_its_field(cache: Path, held: Path, url: str | None, says: str) -> None:
    if url is not None:
        held.write_text(url)
    report = fetched(cache, None, "0" * 64, model_url_file=str(held))
    assert report.message.startswith("spec.model.source.urlSecretKeyRef: the key ")
    assert says in report.message
    assert HELD not in report.message


def test_no_secret_of_the_url_is_in_a_message(cache: Path) -> None:
    for url in ("http://me:hunter2@127.0.0.1:9/base.pt", "http://127.0.0.1:9/base.pt?token=hunter2"):
        report = fetched(cache, url, "0" * 64)
        assert report.reason == "DownloadFailed"
        assert "hunter2" not in report.model_dump_json()
