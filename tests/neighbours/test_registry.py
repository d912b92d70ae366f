"""Models that oras and buildah push to a real registry are fetched from it, and oras pulls from the tests' fake one."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed import debian
from tests.fakes.registry import REPOSITORY, FakeRegistry, serving
from tests.runtime.fetch.conftest import digest, fetched, saved, visible, weights
from tests.support import oci_models, oci_registry
from tests.support.hub_models import one_file, sharded
from tests.support.oci_registry import PASSWORD, pulled_by_oras, pushed_as_image, pushed_by_oras


@pytest.fixture(scope="module")
def content() -> bytes:
    return saved(weights())


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    debian.ensure({"buildah": "buildah"})
    with oci_registry.running(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The registry, and the certificate authority that signed its certificate."""
    directory = tmp_path_factory.mktemp("private")
    with oci_registry.running(directory, is_private=True) as found:
        yield found, directory / "ca.crt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def written(folder: Path, files: dict[str, bytes]) -> list[str]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [*files]


def test_a_checkpoint_that_oras_pushed(registry: str, cache: Path, folder: Path, content: bytes) -> None:
    names = written(folder, {"support.pt": content, "README.md": b"# about it"})
    pin = pushed_by_oras(folder, f"{registry}/{REPOSITORY}:file", *names)
    plain = {"model_registry_endpoint": f"http://{registry}"}
    report = fetched(cache, f"oci://{registry}/{REPOSITORY}:file@{pin}", None, **plain)
    assert (report.reason, report.digest) == ("Fetched", digest(content)), report.message
    again = fetched(cache, f"oci://{registry}/{REPOSITORY}:file", digest(content), **plain)
    assert again.reason == "AlreadyCached", again.message


@pytest.mark.parametrize("files", [one_file(), sharded()], ids=["one file", "shards"])
@pytest.mark.parametrize("pushed", ["files", "folder", "image", "image uncompressed", "image in Docker's format"])
def test_files_of_hugging_face(
    registry: str, cache: Path, folder: Path, tmp_path: Path, pushed: str, files: dict[str, bytes]
) -> None:
    names, reference = written(folder, files), f"{registry}/{REPOSITORY}:{pushed.split()[0]}"
    match pushed:
        case "files":
            pin = pushed_by_oras(folder, reference, *names)
        case "folder":
            pin = pushed_by_oras(folder.parent, reference, folder.name)
        case "image":
            pin = pushed_as_image(folder, reference, tmp_path)
        case "image uncompressed":
            pin = pushed_as_image(folder, reference, tmp_path, "--disable-compression")
        case _:
            pin = pushed_as_image(folder, reference, tmp_path, "--format=v2s2")
    report = fetched(cache, f"oci://{registry}/{REPOSITORY}@{pin}", None, model_registry_endpoint=f"http://{registry}")
    assert report.reason == "Fetched", report.message
    with tarfile.open(cache / visible(cache)[0]) as archive:
        members = [(one.name, found.read()) for one in archive if (found := archive.extractfile(one))]
    assert members == sorted(files.items())


def test_a_layer_of_zstd_says_how_to_push_it(registry: str, cache: Path, folder: Path, tmp_path: Path) -> None:
    written(folder, one_file())
    pin = pushed_as_image(folder, f"{registry}/{REPOSITORY}:zstd", tmp_path, "--compression-format=zstd")
    report = fetched(cache, f"oci://{registry}/{REPOSITORY}@{pin}", None, model_registry_endpoint=f"http://{registry}")
    assert "is compressed by zstd, which this runtime cannot read: push it by gzip" in report.message


def test_a_private_registry_behind_a_private_authority(
    private: tuple[str, Path], cache: Path, folder: Path, tmp_path: Path, content: bytes
) -> None:
    host, authority = private
    names = written(folder, {"support.pt": content})
    access = ("--ca-file", str(authority), "--username", "me", "--password", PASSWORD)
    url = f"oci://{host}/{REPOSITORY}@{pushed_by_oras(folder, f'{host}/{REPOSITORY}:v1', *names, access=access)}"
    secret = tmp_path / "secret"
    secret.mkdir()
    entry = {"username": "me", "password": PASSWORD}
    (secret / ".dockerconfigjson").write_text(json.dumps({"auths": {host: entry}}))
    trusted = {"model_ca_file": str(authority)}
    assert "name its certificate authority in" in fetched(cache, url, None).message
    assert "401 Unauthorized (UNAUTHORIZED): put credentials" in fetched(cache, url, None, **trusted).message
    report = fetched(cache, url, None, model_credentials_dir=str(secret), **trusted)
    assert (report.reason, report.digest) == ("Fetched", digest(content)), report.message


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (f"{REPOSITORY}:never", "404 Not Found (MANIFEST_UNKNOWN): correct the tag or digest in spec.model.source.url"),
        (f"{REPOSITORY}@sha256:{'0' * 64}", "404 Not Found (MANIFEST_UNKNOWN)"),
        ("team/never:v1", "404 Not Found (MANIFEST_UNKNOWN)"),
    ],
)
def test_what_is_not_there_is_named(registry: str, cache: Path, end: str, says: str) -> None:
    report = fetched(cache, f"oci://{registry}/{end}", "0" * 64, model_registry_endpoint=f"http://{registry}")
    assert says in report.message


@pytest.mark.parametrize("asks", ["Basic", "Bearer"])
@pytest.mark.parametrize("push", [oci_models.pushed_by_oras, oci_models.packed_as_model])
def test_oras_pulls_from_the_fake(folder: Path, asks: str, push: Callable[..., str]) -> None:
    """So that it is no invention."""
    with serving(FakeRegistry(asks=asks, password=PASSWORD)) as fake:
        pin = push(fake, {"a.pt": b"weights", "README.md": b"# about it"})
        reference = f"{fake.url.removeprefix('http://')}/{REPOSITORY}@{pin}"
        pulled_by_oras(folder, reference, "--plain-http", "--username", "me", "--password", PASSWORD)
    pulled = {file.name: file.read_bytes() for file in folder.iterdir()}
    named = push == oci_models.pushed_by_oras  # oras writes no file whose name is ModelPack's
    assert pulled == ({"a.pt": b"weights", "README.md": b"# about it"} if named else {})
