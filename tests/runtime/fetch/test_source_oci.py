"""A model in a registry becomes what it is from anywhere: one file in the cache, of the digests that were pushed."""

from __future__ import annotations

import gzip
import json
import platform
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.registry import REPOSITORY, FakeRegistry, basic, digest_of, serving
from tests.runtime.fetch.conftest import digest, fetched, visible
from tests.support.hub_models import SHARDS, one_file, sharded
from tests.support.oci_models import (
    FilesByName,
    folder_pushed_by_oras,
    image,
    index,
    manifest,
    member,
    packed_as_model,
    pushed_by_oras,
    tar,
)
from whisper_runtime.contract.reports import FetchReport
from whisper_runtime.fetch.oci.manifest import ARCHITECTURES

HOST = "registry.example.com"
OURS = ARCHITECTURES.get(platform.machine(), platform.machine())
OTHER = "riscv64"
UNUSED = {"README.md": b"# about it", "LICENSE": b"MIT"}


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with serving(FakeRegistry()) as found:
        yield found


def at(pin: str, tag: str = "") -> str:
    return f"oci://{HOST}/{REPOSITORY}{f':{tag}' if tag else ''}@{pin}"


def pulled(registry: FakeRegistry, cache: Path, url: str, sha256: str | None = None, **more: Any) -> FetchReport:
    return fetched(cache, url, sha256, model_registry_endpoint=registry.url, **more)


def secret(tmp_path: Path, **keys: str) -> str:
    directory = tmp_path / "secret"
    directory.mkdir()
    for name, value in keys.items():
        (directory / name).write_text(value)
    return str(directory)


def zipped(files: FilesByName) -> bytes:
    return gzip.compress(tar(files))


def below(folder: str, files: FilesByName) -> FilesByName:
    return {f"{folder}/{name}": content for name, content in files.items()}


LAYOUTS: dict[str, Callable[[FakeRegistry, FilesByName], str]] = {
    "oras": lambda registry, files: pushed_by_oras(registry, files | UNUSED),
    "folder by oras": lambda registry, files: folder_pushed_by_oras(registry, "model", files | UNUSED),
    "modelpack raw": lambda registry, files: packed_as_model(registry, files | UNUSED),
    "modelpack tar": lambda registry, files: packed_as_model(registry, files | UNUSED, "tar"),
    "modelpack tar+gzip": lambda registry, files: packed_as_model(registry, files | UNUSED, "tar+gzip"),
    "modelcar": lambda registry, files: image(registry, zipped({"bin/sh": b"#!"}), zipped(below("models", files))),
    "image at the root": lambda registry, files: image(registry, zipped(below(".", files))),
    "a layer for each file": lambda registry, files: image(
        registry, *(zipped({f"models/{name}": files[name]}) for name in files)
    ),
    "Docker's types": lambda registry, files: image(
        registry, zipped(below("models/1", files)), media_type="application/vnd.docker.image.rootfs.diff.tar.gzip"
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_checkpoint_is_the_cached_file(registry: FakeRegistry, cache: Path, content: bytes, layout: str) -> None:
    url = at(LAYOUTS[layout](registry, {"support.pt": content}))
    report = pulled(registry, cache, url)
    assert (report.reason, report.digest, report.bytes) == ("Fetched", digest(content), len(content)), report.message
    assert visible(cache) == [f"mine-{digest(content)[:12]}.pt"]
    assert pulled(registry, cache, url).reason == "AlreadyCached"


@pytest.mark.parametrize("files", [one_file(), sharded()], ids=["one file", "shards"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_of_hugging_face_are_the_archive_that_the_hub_would_give(
    registry: FakeRegistry, cache: Path, layout: str, files: FilesByName
) -> None:
    report = pulled(registry, cache, at(LAYOUTS[layout](registry, files)))
    assert report.reason == "Fetched", report.message
    with tarfile.open(cache / visible(cache)[0]) as archive:
        members = [(one.name, found.read()) for one in archive if (found := archive.extractfile(one))]
    assert members == sorted(files.items())
    again = pulled(registry, cache, at(LAYOUTS[layout](registry, files)))
    assert (again.reason, again.digest) == ("AlreadyCached", report.digest)


def test_an_archive_of_files_is_a_model_too(registry: FakeRegistry, cache: Path) -> None:
    packed = tar(one_file())
    report = pulled(registry, cache, at(pushed_by_oras(registry, {"tune.tar": packed})))
    assert (report.reason, report.digest) == ("Fetched", digest(packed)), report.message


@pytest.mark.parametrize("name", ["ggml", "weights.bin"])
def test_what_was_pushed_alone_may_have_any_name(
    registry: FakeRegistry, cache: Path, content: bytes, name: str
) -> None:
    assert pulled(registry, cache, at(pushed_by_oras(registry, {name: content}))).digest == digest(content)


def test_the_digest_counts_and_not_the_tag_beside_it(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    pin = pushed_by_oras(registry, {"a.pt": content})
    registry.manifests["v1"] = b"{}"
    assert pulled(registry, cache, at(pin, "v1")).reason == "Fetched"


def test_a_tag_needs_the_digest_of_the_checkpoint_as_any_url_does(
    registry: FakeRegistry, cache: Path, content: bytes
) -> None:
    pushed_by_oras(registry, {"a.pt": content})
    url = f"oci://{HOST}/{REPOSITORY}:v1"
    assert pulled(registry, cache, url).reason == "UnknownModel"
    assert pulled(registry, cache, url, digest(content)).reason == "Fetched"
    assert pulled(registry, cache, url, digest(b"other")).reason == "ChecksumMismatch"


@pytest.mark.parametrize(
    "url",
    [
        f"oci://{HOST}/{REPOSITORY}",
        f"oci://{HOST}/v1@sha256:abc",
        f"oci://{HOST}/Team/model:v1",
        f"oci://{HOST}/team/../model:v1",
        "oci://model",
    ],
)
def test_a_url_that_names_no_model(registry: FakeRegistry, cache: Path, url: str) -> None:
    report = pulled(registry, cache, url, "0" * 64)
    assert "does not name a repository with tag or digest; for example oci://" in report.message


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_download_that_breaks_off_is_resumed(
    registry: FakeRegistry, cache: Path, content: bytes, knows_ranges: bool
) -> None:
    pin, registry.knows_ranges = pushed_by_oras(registry, {"a.pt": content}), knows_ranges
    registry.cut[digest_of(content)] = [1000]
    assert pulled(registry, cache, at(pin)).reason == "Fetched"
    assert [headers.get("range") for _, headers in registry.content_requests] == [None, "bytes=1000-"]


def test_an_archive_that_breaks_off_is_read_on(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    packed = zipped({"models/a.pt": content})
    registry.cut[digest_of(packed)] = [2000, len(packed), 3000]
    assert pulled(registry, cache, at(image(registry, packed))).digest == digest(content)


def test_a_break_after_much_goes_on_from_there(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    """In both readings of a layer: for its names, and for its file."""
    packed = tar({"first": bytes(3 << 20), "models/a.pt": content})
    registry.cut[digest_of(packed)] = [1 << 20, 2 << 20, len(packed), 3 << 20]
    assert pulled(registry, cache, at(image(registry, packed))).reason == "Fetched"
    ranges = [headers.get("range") for _, headers in registry.content_requests]
    assert ranges == [None, f"bytes={1 << 20}-", f"bytes={2 << 20}-", None, f"bytes={3 << 20}-"]


def test_a_busy_registry_is_asked_again(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    pin = pushed_by_oras(registry, {"a.pt": content})
    registry.failures = [503, 429]
    assert pulled(registry, cache, at(pin)).reason == "Fetched"


@pytest.mark.parametrize("damage", ["manifest", "file", "archive"])
def test_content_of_another_digest_is_found_out(
    registry: FakeRegistry, cache: Path, content: bytes, damage: str
) -> None:
    packed = zipped({"models/a.pt": content})
    pin = image(registry, packed) if damage == "archive" else pushed_by_oras(registry, {"a.pt": content})
    stored, key = (registry.manifests, pin) if damage == "manifest" else (
        registry.blobs, digest_of(packed if damage == "archive" else content))  # fmt: skip
    stored[key] = stored[key][:-60] + b" " * 60
    report = pulled(registry, cache, at(pin))
    assert report.reason == "ChecksumMismatch", report.message
    assert f"{key} was answered with other content" in report.message
    assert "push the model again, or try another mirror" in report.message
    assert visible(cache) == []


def test_a_blob_of_another_size_is_found_out(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    pin = pushed_by_oras(registry, {"a.pt": content})
    registry.blobs[digest_of(content)] += b"more"
    report = pulled(registry, cache, at(pin))
    assert report.reason == "ChecksumMismatch"
    assert f"has {len(content) + 4} bytes, but the manifest lists {len(content)}" in report.message


def test_leftovers_of_other_content_are_dropped(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    pin = pushed_by_oras(registry, {"a.pt": content})
    cache.mkdir()
    (cache / f".mine-{pin.removeprefix('sha256:')}.pinned.partial").write_bytes(b"PK\x03\x04" + bytes(300))
    assert pulled(registry, cache, at(pin)).digest == digest(content)


ASKED: list[tuple[str, dict[str, str]]] = [
    ("Basic", {"username": "me", "password": "hunter2"}),
    ("Bearer", {"username": "me", "password": "hunter2"}),
    ("Bearer", {".dockerconfigjson": json.dumps({"auths": {f"https://{HOST}": {"auth": "bWU6aHVudGVyMg=="}}})}),
]


@pytest.mark.parametrize(("asks", "keys"), ASKED)
def test_a_private_registry_is_told_who_asks_and_no_other_host_is(
    registry: FakeRegistry, cache: Path, content: bytes, tmp_path: Path, asks: str, keys: dict[str, str]
) -> None:
    pin, registry.asks, registry.password = pushed_by_oras(registry, {"a.pt": content}), asks, "hunter2"
    report = pulled(registry, cache, at(pin), model_credentials_dir=secret(tmp_path, **keys))
    assert report.reason == "Fetched", report.message
    sent = [headers.get("authorization") for _, headers in registry.requests]
    wanted = basic("me", "hunter2") if asks == "Basic" else f"Bearer {registry.token}"
    assert sent == [None, wanted, wanted]
    assert {headers.get("authorization") for _, headers in registry.content_requests} == {None}
    assert {headers.get("authorization") for _, headers in registry.token_requests} <= {basic("me", "hunter2")}
    assert "hunter2" not in report.model_dump_json()


def test_a_public_registry_gives_a_token_to_anybody(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    pin, registry.asks = pushed_by_oras(registry, {"a.pt": content}), "Bearer"
    assert pulled(registry, cache, at(pin)).reason == "Fetched"


def test_a_token_of_the_secret_is_sent_at_once(
    registry: FakeRegistry, cache: Path, content: bytes, tmp_path: Path
) -> None:
    pin, registry.asks, registry.token = pushed_by_oras(registry, {"a.pt": content}), "Bearer", "hunter2"
    given = secret(tmp_path, token="hunter2")
    assert pulled(registry, cache, at(pin), model_credentials_dir=given).reason == "Fetched"
    assert {headers.get("authorization") for _, headers in registry.requests} == {"Bearer hunter2"}
    assert registry.token_requests == []


def test_a_token_that_expires_is_renewed(registry: FakeRegistry, cache: Path) -> None:
    files = one_file()
    pin, registry.asks = pushed_by_oras(registry, files), "Bearer"
    blob = digest_of(files["config.json"])
    registry.blobs[blob] = Expiring(registry.blobs[blob], registry)
    assert pulled(registry, cache, at(pin)).reason == "Fetched"
    assert len(registry.token_requests) == 2


class Expiring(bytes):
    """A blob with which the registry's tokens expire."""

    registry: FakeRegistry

    def __new__(cls, content: bytes, registry: FakeRegistry) -> Expiring:
        found = super().__new__(cls, content)
        found.registry = registry
        return found

    def __len__(self) -> int:
        self.registry.token = "another"
        return super().__len__()


@pytest.mark.parametrize(
    ("asks", "keys", "says"),
    [
        ("Basic", {}, "(UNAUTHORIZED): put credentials that it accepts into spec.model.source.secretRef"),
        ("Bearer", {}, "the token server 127.0.0.1:"),
        ("Basic", {"username": "me", "password": "wrong"}, "401 Unauthorized (UNAUTHORIZED): put credentials that"),
        ("Bearer", {"username": "me", "password": "wrong"}, "401 Unauthorized (UNAUTHORIZED): put credentials that"),
        ("Bearer", {"token": "wrong"}, "401 Unauthorized (UNAUTHORIZED): put credentials that"),
    ],
)  # fmt: skip
def test_credentials_that_do_not_do_name_the_field_and_no_secret(
    registry: FakeRegistry, cache: Path, tmp_path: Path, content: bytes, asks: str, keys: dict[str, str], says: str
) -> None:
    pin, registry.asks, registry.password = pushed_by_oras(registry, {"a.pt": content}), asks, "hunter2"
    given = secret(tmp_path, **keys) if keys else None
    report = pulled(registry, cache, at(pin), model_credentials_dir=given)
    assert report.reason == "DownloadFailed"
    assert says in report.message
    assert "wrong" not in report.message
    assert len(registry.requests) <= 2


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"])
@pytest.mark.parametrize("host", ["docker.io", "index.docker.io"])
def test_dockers_own_registry_has_several_names(
    registry: FakeRegistry, cache: Path, content: bytes, tmp_path: Path, host: str, key: str
) -> None:
    pin, registry.asks, registry.password = pushed_by_oras(registry, {"a.pt": content}), "Basic", "hunter2"
    given = secret(tmp_path, **{".dockerconfigjson": json.dumps({"auths": {key: {"auth": "bWU6aHVudGVyMg=="}}})})
    report = pulled(registry, cache, f"oci://{host}/{REPOSITORY}@{pin}", model_credentials_dir=given)
    assert report.reason == "Fetched", report.message


def test_an_index_of_one_is_that_one(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    pin = index(registry, (pushed_by_oras(registry, {"a.pt": content}), {}))
    assert pulled(registry, cache, at(pin)).digest == digest(content)


def platforms(registry: FakeRegistry, content: bytes, *names: str) -> str:
    """An index of images, and of what buildx attests."""
    entries: list[tuple[str, dict[str, Any]]] = []
    for name in names:
        one = image(registry, zipped({"etc/arch": name.encode(), "models/a.pt": content}))
        entries.append((one, {"platform": {"os": "linux", "architecture": name}}))
    attested = image(registry, zipped({"attested": b""}))
    kind = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    return index(registry, *entries, (attested, {**kind, "platform": {"os": "unknown", "architecture": "unknown"}}))


@pytest.mark.parametrize("names", [(OTHER,), (OURS, OTHER), (OTHER, OURS)])
def test_of_an_index_the_one_for_this_machine_is_taken(
    registry: FakeRegistry, cache: Path, content: bytes, names: tuple[str, ...]
) -> None:
    assert pulled(registry, cache, at(platforms(registry, content, *names))).digest == digest(content)


def test_an_index_that_leaves_it_open_says_what_there_is(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    report = pulled(registry, cache, at(platforms(registry, content, OTHER, "s390x")))
    assert f"is an index of 2 manifests, of which 0 are for linux/{OURS}: write the digest of one" in report.message
    assert "linux/riscv64 sha256:" in report.message
    assert "linux/s390x sha256:" in report.message


def test_an_index_of_indexes_is_refused(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    inner = platforms(registry, content, OURS)
    assert "is an index of indexes" in pulled(registry, cache, at(index(registry, (inner, {})))).message


LINK = member("models/model.safetensors", tarfile.SYMTYPE, "../blobs/abc")


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([{"models/a.pt": b"a", "models/b.pt": b"b"}], "checkpoint of a Whisper (models/a.pt, models/b.pt): keep"),
        ([{"models/a.pt": b"a"}, below("models/b", one_file())], "(models/a.pt, models/b/): keep one of them"),
        ([{"opt/a.pt": b"a"}], "it has none of these: push one file .pt, or config.json and model.safetensors"),
        ([{"models/config.json": b"{}"}], "neither model.safetensors nor model.safetensors.index.json is there"),
        ([below("models", {"model.safetensors": b"a"})], "config.json is missing"),
        ([{"models/a.pt": b"a"}, {"models/.wh.a.pt": b""}], "it has none of these"),
        ([{"models/a.pt": b"a"}, {"models/.wh..wh..opq": b""}], "it has none of these"),
        ([{"../models/a.pt": b"a"}], "cannot be read as an archive: '../models/a.pt' leads out of its folder"),
    ],
)  # fmt: skip
def test_an_image_without_a_model_says_what_it_has(
    registry: FakeRegistry, cache: Path, layers: list[FilesByName], says: str
) -> None:
    report = pulled(registry, cache, at(image(registry, *map(zipped, layers))))
    assert report.reason == "NotACheckpoint", report.message
    assert says in report.message


def test_a_link_in_the_place_of_a_file_is_named(registry: FakeRegistry, cache: Path) -> None:
    files = below("models", {name: one for name, one in one_file().items() if name != "model.safetensors"})
    report = pulled(registry, cache, at(image(registry, tar(files, more=(LINK,)))))
    assert "models/model.safetensors is a link to '../blobs/abc': put the file itself in its place" in report.message


def test_an_upper_layer_replaces_a_file(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    pin = image(registry, zipped({"models/a.pt": b"old", "models/old/b.pt": b"old"}),
                zipped({"models/.wh.old": b"", "models/a.pt": content}))  # fmt: skip
    assert pulled(registry, cache, at(pin)).digest == digest(content)


def test_no_name_of_a_layer_leads_out_of_its_folder(registry: FakeRegistry, cache: Path, content: bytes) -> None:
    report = pulled(registry, cache, at(pushed_by_oras(registry, {"../../etc/a.pt": content})))
    assert (report.reason, report.message.partition("is named wrongly: ")[2]) == (
        "NotACheckpoint", "'../../etc/a.pt' leads out of its folder",
    )  # fmt: skip


def with_layers(registry: FakeRegistry, *layers: dict[str, Any]) -> str:
    config = {"mediaType": "application/vnd.oci.empty.v1+json", **registry.put(b"{}")}
    return registry.tag(manifest(config, [*layers]))


@pytest.mark.parametrize(
    ("layer", "reason", "says"),
    [
        ({"mediaType": "application/vnd.docker.ai.gguf.v3", "size": 1}, "NotACheckpoint",
         "has the media type 'application/vnd.docker.ai.gguf.v3', and no name: push files by oras"),
        ({"mediaType": "x", "size": 1 << 60}, "DownloadFailed", "its manifest is not valid at layers.0.size"),
        ({"mediaType": "x", "size": -1}, "DownloadFailed", "its manifest is not valid at layers.0.size"),
        ({"mediaType": "x", "size": 1, "digest": "sha512:" + "0" * 128}, "DownloadFailed", "layers.0.digest"),
        ({"mediaType": "x", "size": 1, "digest": "sha256:../../x"}, "DownloadFailed", "layers.0.digest"),
        ({"mediaType": "x.raw", "size": 1}, "DownloadFailed", "(BLOB_UNKNOWN): the registry lacks a layer of its"),
    ],
)  # fmt: skip
def test_a_layer_that_cannot_be_taken(
    registry: FakeRegistry, cache: Path, layer: dict[str, Any], reason: str, says: str
) -> None:
    report = pulled(registry, cache, at(with_layers(registry, {"digest": digest_of(b"-"), **layer})))
    assert report.reason == reason, report.message
    assert says in report.message


def test_layers_that_are_too_large_together_are_not_read(registry: FakeRegistry, cache: Path) -> None:
    layer = {"mediaType": "application/x.tar", "digest": digest_of(b"-"), "size": 9 * 1024**3}
    report = pulled(registry, cache, at(with_layers(registry, layer, layer)))
    assert f"its layers have {18 * 1024**3} bytes, and at most {16 * 1024**3} are read" in report.message
    assert registry.content_requests == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x28\xb5\x2f\xfd" + bytes(99), "is compressed by zstd, which this runtime cannot read: push it by gzip"),
        (gzip.compress(b"x" * 999)[:-20], "cannot be read as an archive: "),
        (b"neither of them" * 99, "cannot be read as an archive: at byte 0 is no header of tar"),
        (tar({"models/a.pt": b"a" * 5000})[:3000], "it ends at byte 3000, within a member: it was cut"),
    ],
)
def test_a_layer_that_is_no_archive(registry: FakeRegistry, cache: Path, content: bytes, says: str) -> None:
    report = pulled(registry, cache, at(image(registry, content)))
    assert report.reason == "NotACheckpoint", report.message
    assert says in report.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html>", "its manifest is not valid at its start"),
        (b'{"schemaVersion": 1, "fsLayers": []}', "its manifest is not valid at schemaVersion"),
        (b'{"schemaVersion": 2}', "its manifest needs either layers or manifests"),
        (b'{"schemaVersion": 2, "layers": [], "manifests": []}', "its manifest needs either layers or manifests"),
        (b'{"schemaVersion": 2, "layers": [' + b",".join([b"{}"] * 600) + b"]}", "is not valid at layers"),
        (b" " * ((1 << 22) + 1), "answered with too much"),
    ],
)
def test_a_manifest_that_is_none(registry: FakeRegistry, cache: Path, content: bytes, says: str) -> None:
    registry.manifests[digest_of(content)] = content
    report = pulled(registry, cache, at(digest_of(content)))
    assert report.reason == "DownloadFailed"
    assert says in report.message


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (
            f"oci://{HOST}/team/other:v1",
            "(NAME_UNKNOWN): correct the repository in spec.model.source.url, or,",
        ),
        (f"oci://{HOST}/{REPOSITORY}:v9", "(MANIFEST_UNKNOWN): correct the tag or digest in spec.model.source.url"),
    ],
)
def test_what_is_not_there_is_named(registry: FakeRegistry, cache: Path, url: str, says: str) -> None:
    assert says in pulled(registry, cache, url, "0" * 64).message


def test_shards_that_are_missing_are_named(registry: FakeRegistry, cache: Path) -> None:
    files = {name: content for name, content in sharded().items() if name != SHARDS[1]}
    report = pulled(registry, cache, at(pushed_by_oras(registry, files)))
    assert f"model.safetensors.index.json names {SHARDS[1]}, which is missing" in report.message


def test_what_was_pushed_may_be_no_whisper(registry: FakeRegistry, cache: Path) -> None:
    report = pulled(registry, cache, at(pushed_by_oras(registry, {"a.pt": b"neither of them"})))
    assert report.reason == "NotACheckpoint"
    assert "it begins with b'neither '" in report.message
