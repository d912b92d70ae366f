"""A checkpoint on another claim, which is mounted beside the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.fetch.conftest import digest, fetched, name_of, visible
from whisper_runtime.fetch.source_claim import ClaimSource


@pytest.fixture
def claim(tmp_path: Path, content: bytes) -> Path:
    directory = tmp_path / "claim"
    (directory / "models").mkdir(parents=True)
    (directory / "models/my model.pt").write_bytes(content)
    return directory


def test_a_file_of_another_claim_needs_no_digest(claim: Path, cache: Path, content: bytes) -> None:
    report = fetched(cache, "pvc://models/models/my%20model.pt", None, claim_dir=claim)
    assert (report.reason, report.digest) == ("Fetched", digest(content))
    assert visible(cache) == [name_of(content)]


def test_it_is_opened_at_an_offset(claim: Path, content: bytes) -> None:
    with ClaimSource("pvc://models/models/my%20model.pt", claim).open(100, None) as body:
        assert (body.start, body.total) == (100, len(content))
        assert b"".join(body.blocks) == content[100:]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("pvc://models/absent.pt", "cannot be read (No such file or directory)"),
        ("pvc://models/../../etc/passwd", "leads out of its claim"),
        ("pvc://models/models", "cannot be read (Is a directory)"),
    ],
)
def test_a_path_that_leads_nowhere(claim: Path, cache: Path, url: str, says: str) -> None:
    assert says in fetched(cache, url, None, claim_dir=claim).message


def test_a_wrong_digest_of_a_claims_file(claim: Path, cache: Path) -> None:
    report = fetched(cache, "pvc://models/models/my%20model.pt", "0" * 64, claim_dir=claim)
    assert report.reason == "ChecksumMismatch"
