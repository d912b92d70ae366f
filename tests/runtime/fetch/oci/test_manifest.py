"""What a manifest's layers are, by the rules of the tools that push them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.registry import digest_of
from tests.support.oci_models import GZIP, IMAGE_CONFIG, TAR, TITLE
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.oci.manifest import Descriptor, OciManifest, chosen, file_path

DIGEST = digest_of(b"")
MODEL = "application/vnd.cncf.model.weight.v1"
FILE_PATH = "org.cncf.model.filepath"
UNPACK = "io.deis.oras.content.unpack"


def descriptor(media_type: str, annotations: dict[str, str] | None = None, **more: Any) -> Descriptor:
    return Descriptor.model_validate(
        {"mediaType": media_type, "digest": DIGEST, "size": 3, "annotations": annotations, **more}
    )


@pytest.mark.parametrize(
    ("media_type", "annotations", "is_image", "path"),
    [
        (TAR, {TITLE: "a.pt"}, False, "a.pt"),
        (GZIP, {TITLE: "a.pt"}, False, "a.pt"),
        ("application/octet-stream", {TITLE: "a.pt"}, False, "a.pt"),
        (GZIP, {TITLE: "model", UNPACK: "true"}, False, None),
        (f"{MODEL}.raw", {FILE_PATH: "deep/a.pt", TITLE: "b.pt"}, False, "deep/a.pt"),
        ("application/vnd.cnai.model.weight.v1.raw", {"org.cnai.model.filepath": "a.pt"}, False, "a.pt"),
        (f"{MODEL}.raw", None, False, DIGEST.removeprefix("sha256:")),
        (f"{MODEL}.tar", {FILE_PATH: "a.pt"}, False, None),
        (f"{MODEL}.tar+gzip", {FILE_PATH: "a.pt"}, False, None),
        ("application/vnd.kitops.modelkit.model.v1.tar+gzip", None, False, None),
        (TAR, None, False, None),
        (TAR, {TITLE: "a.pt"}, True, None),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", None, True, None),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", None, True, None),
    ],
)
def test_a_layer_is_a_file_or_an_archive(
    media_type: str, annotations: dict[str, str] | None, is_image: bool, path: str | None
) -> None:
    assert file_path("oci://r/m:v1", descriptor(media_type, annotations), is_image) == path


@pytest.mark.parametrize(("annotations", "is_image"), [(None, False), ({TITLE: "a.pt"}, True)])
def test_a_layer_of_another_kind_is_refused(annotations: dict[str, str] | None, is_image: bool) -> None:
    with pytest.raises(FetchError, match="media type 'application/wasm'"):
        file_path("oci://r/m:v1", descriptor("application/wasm", annotations), is_image)


@pytest.mark.parametrize(
    ("media_type", "size", "is_image"),
    [(IMAGE_CONFIG, 300, True), (IMAGE_CONFIG, 2, False), ("application/vnd.oci.empty.v1+json", 2, False)],
)
def test_an_image_has_a_configuration(media_type: str, size: int, is_image: bool) -> None:
    config = {"mediaType": media_type, "digest": DIGEST, "size": size}
    found = OciManifest.model_validate({"schemaVersion": 2, "config": config, "layers": []})
    assert found.is_image is is_image


def on(architecture: str, os: str = "linux") -> Descriptor:
    return descriptor("", platform={"os": os, "architecture": architecture, "variant": "v8"}, artifactType="x")


@pytest.mark.parametrize(
    ("index", "machine", "at"),
    [
        ([on("arm64")], "x86_64", 0),
        ([on("arm64"), on("amd64")], "x86_64", 1),
        ([on("arm64"), on("amd64")], "aarch64", 0),
        ([on("amd64", "windows"), on("amd64")], "x86_64", 1),
        ([on("riscv64"), on("amd64")], "riscv64", 0),
        ([on("amd64"), on("unknown", "unknown")], "aarch64", 0),
    ],
)
def test_the_manifest_of_an_index(index: list[Descriptor], machine: str, at: int) -> None:
    assert chosen("oci://r/m:v1", index, machine) is index[at]


@pytest.mark.parametrize(
    ("index", "says"),
    [
        ([], "is an index of 0 manifests, of which 0 are for linux/amd64: .* of: none"),
        ([on("amd64"), on("amd64")], "is an index of 2 manifests, of which 2 are for linux/amd64"),
        ([descriptor(""), descriptor("")], f"of: any platform {DIGEST}, any platform {DIGEST}"),
    ],
)
def test_an_index_that_leaves_it_open(index: list[Descriptor], says: str) -> None:
    with pytest.raises(FetchError, match=says):
        chosen("oci://r/m:v1", index, "x86_64")
