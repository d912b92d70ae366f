"""Models as people push them to a registry: by oras, by modctl, as an image; and archives with whatever in them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import Any, Final

from tests.fakes.registry import FakeRegistry

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
TAR: Final = "application/vnd.oci.image.layer.v1.tar"
GZIP: Final = f"{TAR}+gzip"
IMAGE_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
TITLE: Final = "org.opencontainers.image.title"

FilesByName = dict[str, bytes]


def pushed_by_oras(registry: FakeRegistry, files: FilesByName) -> str:
    """An artifact with a layer for each file, all of oras' default type. Returns the manifest's digest."""
    layers = [{"mediaType": TAR, **registry.put(files[name]), "annotations": {TITLE: name}} for name in files]
    config = {"mediaType": "application/vnd.oci.empty.v1+json", **registry.put(b"{}")}
    return registry.tag(manifest(config, layers, artifactType="application/vnd.unknown.artifact.v1"))


def folder_pushed_by_oras(registry: FakeRegistry, folder: str, files: FilesByName) -> str:
    annotations = {TITLE: folder, "io.deis.oras.content.unpack": "true"}
    packed = gzip.compress(tar({f"{folder}/{name}": content for name, content in files.items()}))
    layer = {"mediaType": GZIP, **registry.put(packed), "annotations": annotations}
    config = {"mediaType": "application/vnd.oci.empty.v1+json", **registry.put(b"{}")}
    return registry.tag(manifest(config, [layer]))


def packed_as_model(registry: FakeRegistry, files: FilesByName, form: str = "raw") -> str:
    """An artifact of ModelPack; `form`: raw, tar, or tar+gzip."""
    layers: list[dict[str, Any]] = []
    for name, content in files.items():
        kind = "weight" if name.endswith((".safetensors", ".pt")) else "weight.config"
        stored = {"raw": content, "tar": tar({name: content}), "tar+gzip": gzip.compress(tar({name: content}))}[form]
        annotations = {"org.cncf.model.filepath": name}
        media_type = f"application/vnd.cncf.model.{kind}.v1.{form}"
        layers.append({"mediaType": media_type, **registry.put(stored), "annotations": annotations})
    config = {"mediaType": "application/vnd.cncf.model.config.v1+json", **registry.put(b'{"descriptor": {}}')}
    return registry.tag(manifest(config, layers, artifactType="application/vnd.cncf.model.manifest.v1+json"))


def image(registry: FakeRegistry, *layers: bytes, media_type: str = GZIP, tag: str = "v1") -> str:
    """An ordinary image of these layers."""
    config = {"mediaType": IMAGE_CONFIG, **registry.put(json.dumps({"os": "linux", "rootfs": {}}).encode())}
    return registry.tag(manifest(config, [{"mediaType": media_type, **registry.put(one)} for one in layers]), tag)


def index(registry: FakeRegistry, *entries: tuple[str, dict[str, Any]]) -> str:
    """An index of manifests that are there already: the digest of each, and what else is said of it."""
    manifests = [
        {"mediaType": MANIFEST, "digest": digest, "size": len(registry.manifests[digest]), **more}
        for digest, more in entries
    ]
    return registry.tag({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def manifest(config: dict[str, Any], layers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers, **more}


def tar(files: FilesByName, *, more: tuple[tarfile.TarInfo, ...] = (), form: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive of the files, and of members without content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info)
    return stream.getvalue()


def member(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    """A link, a folder, or a special file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info
