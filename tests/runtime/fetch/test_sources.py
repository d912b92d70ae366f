"""The source that a configuration names, by the scheme of its URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.fetch.conftest import fetched
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import OFFICIAL_MODELS
from whisper_runtime.fetch.source_claim import ClaimSource
from whisper_runtime.fetch.source_http import HttpSource
from whisper_runtime.fetch.sources import official_url, source_of


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://example.com/base.pt", HttpSource),
        ("http://example.com/base.pt", HttpSource),
        ("s3://bucket/base.pt", HttpSource),
        ("pvc://claim/base.pt", ClaimSource),
    ],
)
def test_the_scheme_decides(url: str, kind: type, tmp_path: Path) -> None:
    source = source_of(RuntimeConfig(model="mine", model_url=url), 1.0, str(tmp_path))
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
    assert "only http://, https://, s3:// and pvc://" in fetched(cache, url, "0" * 64).message


def test_no_secret_of_the_url_is_in_a_message(cache: Path) -> None:
    for url in ("http://me:hunter2@127.0.0.1:9/base.pt", "http://127.0.0.1:9/base.pt?token=hunter2"):
        report = fetched(cache, url, "0" * 64)
        assert report.reason == "DownloadFailed"
        assert "hunter2" not in report.model_dump_json()
