"""A source is opened at any offset and says where its bytes begin, be it a web server or a claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror, refusing
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.source import CheckpointSource, SourceBody
from whisper_runtime.fetch.source_claim import ClaimSource
from whisper_runtime.fetch.source_http import HttpSource


def on_a_web_server(mirror: Mirror, claim_dir: Path) -> CheckpointSource:
    return HttpSource("the mirror", lambda: mirror.url, None, None, stall_seconds=5.0)


def on_a_claim(mirror: Mirror, claim_dir: Path) -> CheckpointSource:
    (claim_dir / "base.pt").write_bytes(mirror.content)
    return ClaimSource("pvc://models/base.pt", claim_dir)


@pytest.fixture(params=[on_a_web_server, on_a_claim], ids=lambda made: made.__name__)
def source(request: pytest.FixtureRequest, mirror: Mirror, tmp_path: Path) -> CheckpointSource:
    """A source of the mirror's content."""
    return request.param(mirror, tmp_path)


def extent(body: SourceBody) -> tuple[int, int | None, bytes]:
    return body.start, body.total, b"".join(body.blocks)


def test_the_start_of_a_file_brings_the_whole(source: CheckpointSource, content: bytes) -> None:
    with source.open(0, None) as body:
        assert extent(body) == (0, len(content), content)


@pytest.mark.parametrize("offset", [1, 1000])
def test_an_offset_brings_the_rest_and_the_size_of_the_whole(
    source: CheckpointSource, content: bytes, offset: int
) -> None:
    with source.open(offset, None) as body:
        assert extent(body) == (offset, len(content), content[offset:])


def test_an_offset_beyond_the_end_brings_the_whole(source: CheckpointSource, content: bytes) -> None:
    with source.open(len(content) + 4, None) as body:
        assert extent(body) == (0, len(content), content)


def test_a_file_is_resumed_by_the_version_that_was_seen(source: CheckpointSource, content: bytes) -> None:
    with source.open(0, None) as body:
        version = body.version
    with source.open(1000, version) as body:
        assert extent(body) == (1000, len(content), content[1000:])
        assert body.version == version


def test_a_file_that_is_not_there_is_an_error_that_names_the_source(mirror: Mirror, tmp_path: Path) -> None:
    mirror.answers = [refusing(404)]
    for source in (on_a_web_server(mirror, tmp_path), ClaimSource("pvc://models/absent.pt", tmp_path)):
        with pytest.raises(FetchError, match=f"^{source.name} ") as error, source.open(0, None):
            pytest.fail("opened")
        assert error.value.reason == "DownloadFailed"
