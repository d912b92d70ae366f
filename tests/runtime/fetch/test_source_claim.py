"""A checkpoint on another claim, which is mounted beside the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.fetch.conftest import digest, fetched, name_of, visible
from tests.support.hub_models import one_file, sharded
from whisper_runtime.engine.model.file_folder import map_files
from whisper_runtime.fetch.source_claim import ClaimSource
from whisper_runtime.fetch.source_folder import checkpoint_sha256


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
        ("pvc://models/models", "config.json is missing: it belongs beside the weights"),
    ],
)
def test_a_path_that_leads_nowhere(claim: Path, cache: Path, url: str, says: str) -> None:
    assert says in fetched(cache, url, None, claim_dir=claim).message


def test_a_wrong_digest_of_a_claims_file(claim: Path, cache: Path) -> None:
    report = fetched(cache, "pvc://models/models/my%20model.pt", "0" * 64, claim_dir=claim)
    assert report.reason == "ChecksumMismatch"


@pytest.mark.parametrize("files", [one_file(), sharded()], ids=["one file", "shards"])
def test_a_folder_of_hugging_face_is_kept_as_its_archive(cache: Path, tmp_path: Path, files: dict[str, bytes]) -> None:
    folder = tmp_path / "tune"
    folder.mkdir()
    for name, content in {**files, "README.md": b"about", "optimizer.pt": b"big"}.items():
        (folder / name).write_bytes(content)
    report = fetched(cache, "pvc://models/tune", None, claim_dir=tmp_path)
    assert (report.reason, report.digest) == ("Fetched", checkpoint_sha256(folder))
    assert map_files(cache / visible(cache)[0]).keys() == files.keys()
    assert fetched(cache, "pvc://models/tune", None, claim_dir=tmp_path).reason == "AlreadyCached"


def test_a_folder_that_is_no_model_says_what_it_lacks(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "tune").mkdir()
    (tmp_path / "tune" / "model.safetensors").write_bytes(b"weights")
    report = fetched(cache, "pvc://models/tune", None, claim_dir=tmp_path)
    assert report.reason == "NotACheckpoint"
    assert report.message.startswith("pvc://models/tune is not a checkpoint of a Whisper: config.json is missing")
