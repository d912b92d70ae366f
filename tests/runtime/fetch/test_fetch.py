"""A checkpoint is in the cache only when it is whole and right; a report says what happened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror, other
from tests.runtime.fetch.conftest import QUICK, digest, fetched, name_of, saved, visible, weights
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.reports import FetchReport
from whisper_runtime.fetch.fetch import fetch


def test_a_right_checkpoint_is_kept_under_its_digest(mirror: Mirror, cache: Path) -> None:
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert (report.reason, report.digest, report.bytes) == ("Fetched", digest(mirror.content), len(mirror.content))
    assert os.listdir(cache) == [name_of(mirror.content)]
    assert (cache / name_of(mirror.content)).read_bytes() == mirror.content


def test_a_cached_checkpoint_is_not_fetched_again(mirror: Mirror, cache: Path) -> None:
    fetched(cache, mirror.url, digest(mirror.content))
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "AlreadyCached"
    assert len(mirror.requests) == 1


def test_a_cached_checkpoint_needs_no_volume_that_can_be_written(mirror: Mirror, cache: Path) -> None:
    fetched(cache, mirror.url, digest(mirror.content))
    cache.rename(cache.with_name("elsewhere"))
    cache.symlink_to(f"/proc/self/cwd/{os.path.relpath(cache.with_name('elsewhere'))}")  # nothing of ours is made in it
    assert fetched(cache, "http://nobody.invalid/x.pt", digest(mirror.content)).reason == "AlreadyCached"


def test_a_rotten_checkpoint_is_quarantined_and_fetched_anew(mirror: Mirror, cache: Path) -> None:
    cache.mkdir()
    (cache / name_of(mirror.content)).write_bytes(b"rotten")
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert (cache / name_of(mirror.content)).read_bytes() == mirror.content
    assert (cache / ".quarantine" / name_of(mirror.content)).read_bytes() == b"rotten"


def test_a_wrong_file_is_quarantined(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [other(mirror.content + b"more")]
    fetched(cache, mirror.url, digest(mirror.content))
    assert (cache / ".quarantine" / name_of(mirror.content)).read_bytes() == mirror.content + b"more"


def test_a_file_of_the_right_digest_that_is_not_a_checkpoint_is_downloaded_once(mirror: Mirror, cache: Path) -> None:
    """The kubelet tries again and again: no attempt can make another file of it."""
    mirror.content = saved({**weights(), "dims": {}})
    for _ in range(3):
        report = fetched(cache, mirror.url, digest(mirror.content))
        assert report.reason == "NotACheckpoint"
    assert len(mirror.requests) == 1
    assert visible(cache) == []
    assert (cache / ".quarantine" / name_of(mirror.content)).exists()


def test_an_unofficial_model_needs_a_url_and_a_digest(cache: Path) -> None:
    def unknown(**more: str) -> FetchReport:
        return fetch(RuntimeConfig(model="mine", model_dir=str(cache), **more), policy=QUICK)

    assert unknown().reason == "UnknownModel"
    assert unknown(model_sha256="0" * 64).reason == "UnknownModel"
    assert unknown(model_url="https://example.com/mine.pt").reason == "UnknownModel"
    assert unknown().message == "model 'mine' is not one of openai-whisper's: give a URL and its sha256"


@pytest.mark.parametrize("sha256", ["0" * 64, None])
def test_a_report_of_failure_has_neither_digest_nor_size(cache: Path, sha256: str | None) -> None:
    report = fetched(cache, "http://127.0.0.1:9/base.pt", sha256)
    assert (report.succeeded, report.digest, report.bytes) == (False, None, None)
