"""A file is the wanted one by its sha256, or by the digests of the files that the hub lists."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.hub import COMMIT, REPOSITORY, hub_of
from tests.runtime.fetch.conftest import digest, fetched, visible
from tests.support.hub_models import one_file
from whisper_runtime.fetch.expected import OfDigest, Pinned
from whisper_runtime.fetch.one_model import OF_WHISPER
from whisper_runtime.fetch.partial import PartialFile
from whisper_runtime.fetch.source_hub import HubSource


def test_a_file_of_a_digest_is_known_by_it(tmp_path: Path) -> None:
    wanted = OfDigest("http://mirror/a.pt", digest(b"weights"), tmp_path / "a.pt")
    assert wanted.cached() is None
    (tmp_path / "a.pt").write_bytes(b"weights")
    assert wanted.cached() == digest(b"weights")
    (tmp_path / "a.pt").write_bytes(b"other")
    assert wanted.cached() is None
    with PartialFile.open(tmp_path / "a.pt") as file:
        assert wanted.problem(file) == (
            f"http://mirror/a.pt has sha256 {digest(b'other')}, but {digest(b'weights')} was expected: correct the "
            "digest or the URL"
        )


def test_an_archive_of_a_commit_is_known_by_its_files_whatever_its_name_says(cache: Path) -> None:
    with hub_of(one_file()) as hub:
        source = HubSource(f"hf://{REPOSITORY}@{COMMIT}", hub.url, None, None, 1.0, OF_WHISPER)
        wanted = Pinned(source, COMMIT, cache, "mine")
        assert wanted.place.name == f"mine-{COMMIT}.pinned"
        assert wanted.cached() is None
        report = fetched(cache, f"hf://{REPOSITORY}@{COMMIT}", None, model_hub_endpoint=hub.url)
        (archive,) = [cache / name for name in visible(cache)]
        assert wanted.cached() == report.digest
        content = bytearray(archive.read_bytes())
        content[600] ^= 1
        archive.write_bytes(content)
        assert wanted.cached() is None
        with PartialFile.open(archive) as file:
            assert "config.json has the digest" in str(wanted.problem(file))
