"""A repository of the hub becomes one archive in the cache: of a commit, from a mirror, with a token for it alone."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import snapshot_download

from tests.fakes.hub import COMMIT, REPOSITORY, Hub, hub_of
from tests.runtime.fetch.conftest import fetched, visible
from tests.support.hub_models import SHARDS, one_file, sharded
from whisper_runtime.contract.reports import FetchReport

PINNED = f"hf://{REPOSITORY}@{COMMIT}"
MOVING = f"hf://{REPOSITORY}@main"
UNUSED = {"README.md": b"# about it", "pytorch_model.bin": b"PK" * 5000, "onnx/model.onnx": b"onnx"}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_of(one_file() | UNUSED) as found:
        yield found


def from_hub(hub: Hub, cache: Path, url: str = PINNED, sha256: str | None = None, **more: Any) -> FetchReport:
    return fetched(cache, url, sha256, model_hub_endpoint=hub.url, **more)


def archived(files: dict[str, bytes], folder: Path) -> bytes:
    """What the user's own tar makes of the files."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    how = "--format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=0644 --mtime=@0"
    command = ["tar", *how.split(), "-cf", "-", *sorted(files)]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout


@pytest.mark.parametrize("files", [one_file(), sharded()], ids=["one file", "shards"])
def test_the_cached_file_is_the_archive_that_tar_makes(cache: Path, tmp_path: Path, files: dict[str, bytes]) -> None:
    with hub_of(files | UNUSED) as hub:
        report = from_hub(hub, cache)
    wanted = archived(files, tmp_path / "files")
    assert (report.reason, report.bytes, report.digest) == ("Fetched", len(wanted), hashlib.sha256(wanted).hexdigest())
    assert visible(cache) == [f"mine-{report.digest[:12]}.pt"]
    assert (cache / visible(cache)[0]).read_bytes() == wanted


def test_the_clients_own_download_works_with_this_hub(hub: Hub, tmp_path: Path) -> None:
    """So that the fake is no invention."""
    hub.token = "hunter2"
    folder = snapshot_download(REPOSITORY, revision=COMMIT, endpoint=hub.url, token="hunter2", cache_dir=tmp_path)
    assert (Path(folder) / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    assert (Path(folder) / "config.json").read_bytes() == hub.files["config.json"]


def test_a_branch_needs_the_digest_as_any_url_does(hub: Hub, cache: Path) -> None:
    assert from_hub(hub, cache, MOVING).reason == "UnknownModel"
    digest = from_hub(hub, cache).digest
    assert from_hub(hub, cache, MOVING, digest).reason == "AlreadyCached"
    (cache / visible(cache)[0]).unlink()
    assert from_hub(hub, cache, MOVING, digest).reason == "Fetched"
    hub.files["config.json"] += b" "
    (cache / visible(cache)[0]).unlink()
    assert from_hub(hub, cache, MOVING, digest).reason == "ChecksumMismatch"


def test_a_commit_that_is_there_is_not_fetched_again(hub: Hub, cache: Path) -> None:
    digest = from_hub(hub, cache).digest
    asked = len(hub.content_requests)
    report = from_hub(hub, cache)
    assert (report.reason, report.digest, len(hub.content_requests)) == ("AlreadyCached", digest, asked)


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_download_that_breaks_off_is_resumed(hub: Hub, cache: Path, knows_ranges: bool) -> None:
    hub.knows_ranges = knows_ranges
    hub.cut = {"model.safetensors": 100_000}
    assert from_hub(hub, cache).reason == "Fetched"
    assert [headers.get("range") for _, headers in hub.content_requests] == [None, "bytes=100000-"]


def test_leftovers_of_another_file_are_dropped(hub: Hub, cache: Path) -> None:
    cache.mkdir()
    (cache / f".mine-{COMMIT}.pinned.partial").write_bytes(b"config.json" + bytes(5000))
    assert from_hub(hub, cache).reason == "Fetched"


def test_a_mirror_that_sends_other_bytes_than_the_hub_lists_is_found_out(hub: Hub, cache: Path) -> None:
    listed = hub.tree()
    hub.lists = lambda entries: listed
    hub.files["model.safetensors"] = hub.files["model.safetensors"][:-1] + b"\x01"
    report = from_hub(hub, cache)
    assert report.reason == "ChecksumMismatch"
    assert "model.safetensors has the digest" in report.message
    assert visible(cache) == []


def test_the_token_goes_to_the_hub_and_to_no_other_host(hub: Hub, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "token").write_text("hunter2\n")
    hub.token = "hunter2"
    assert from_hub(hub, cache, model_credentials_dir=str(tmp_path / "secret")).reason == "Fetched"
    assert {headers.get("authorization") for _, headers in hub.requests} == {"Bearer hunter2"}
    assert {headers.get("authorization") for _, headers in hub.content_requests} == {None}


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_gated_repository_names_the_field_and_no_token(
    hub: Hub, cache: Path, tmp_path: Path, token: str | None
) -> None:
    hub.token = "hunter2"
    (tmp_path / "token").write_text(str(token))
    report = from_hub(hub, cache, model_credentials_dir=str(tmp_path) if token else None)
    assert report.reason == "DownloadFailed"
    assert "401 Unauthorized (GatedRepo): ask for access on the repository's page" in report.message
    assert "spec.model.source.secretRef" in report.message
    assert "wrong" not in report.message


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"hf://team/other@{COMMIT}", "(RepoNotFound): correct spec.model.source.url"),
        (f"hf://{REPOSITORY}@{'f' * 40}", "(RevisionNotFound): correct the revision in spec.model.source.url"),
        (f"hf://{REPOSITORY}", "does not name a repository and revision; for example hf://"),
        (f"hf://../whisper@{COMMIT}", "does not name a repository and revision"),
        (f"hf://{REPOSITORY}@{COMMIT}/../x", "does not name a repository and revision"),
    ],
)
def test_what_is_not_there_is_named(hub: Hub, cache: Path, url: str, says: str) -> None:
    report = from_hub(hub, cache, url, "a" * 64)
    assert report.reason == "DownloadFailed"
    assert says in report.message


def without(name: str) -> Any:
    return lambda entries: [one for one in entries if one["path"] != name]


@pytest.mark.parametrize(
    ("lists", "reason", "says"),
    [
        (without("config.json"), "NotACheckpoint", "config.json is missing"),
        (without(SHARDS[1]), "NotACheckpoint", f"model.safetensors.index.json names {SHARDS[1]}, which is missing"),
        (lambda entries: {"error": "none"}, "DownloadFailed", "answered with no tree as the hub does"),
        (lambda entries: [{"type": "file"}], "DownloadFailed", "answered with no tree as the hub does"),
        (lambda entries: [{**one, "size": -1} for one in entries], "DownloadFailed", "answered with no tree"),
    ],
)
def test_a_tree_that_lacks_something(cache: Path, lists: Any, reason: str, says: str) -> None:
    with hub_of(sharded()) as hub:
        hub.lists = lists
        report = from_hub(hub, cache)
    assert report.reason == reason
    assert says in report.message


def test_no_name_in_a_tree_or_an_index_leads_out_of_the_archive(cache: Path) -> None:
    files = sharded()
    evil = files["model.safetensors.index.json"].replace(SHARDS[1].encode(), b"../../etc/passwd")
    with hub_of({**files, "model.safetensors.index.json": evil, "../config.json": b"{}"}) as hub:
        report = from_hub(hub, cache)
    assert report.reason == "NotACheckpoint"
    assert "'../../etc/passwd', which is no name of a file beside it" in report.message


def test_a_file_that_is_larger_than_listed(hub: Hub, cache: Path) -> None:
    listed = hub.tree()
    hub.lists = lambda entries: listed
    hub.files["model.safetensors"] += b"more"
    assert "bytes, but the hub lists" in from_hub(hub, cache).message
