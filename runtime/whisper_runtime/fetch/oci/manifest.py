"""Manifests and indexes of OCI registries, and Docker's: which one is wanted, and what its layers are. Pure.

Sources: https://github.com/opencontainers/image-spec/blob/main/manifest.md; oras' annotations
(oras-go, content/file/file.go); https://github.com/modelpack/model-spec/blob/main/docs/spec.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from whisper_runtime.contract.reports import DOWNLOAD_FAILED, NOT_A_CHECKPOINT
from whisper_runtime.fetch.checkpoint import LARGEST
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.one_model import MOST_SHOWN

ACCEPTED: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Media types of the manifests and indexes that are understood."""
IMAGE_CONFIGS: Final = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
EMPTY: Final = "application/vnd.oci.empty.v1+json"
LAYERS_OF_IMAGES: Final = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
TITLE: Final = "org.opencontainers.image.title"
FILE_PATHS: Final = ("org.cncf.model.filepath", "org.cnai.model.filepath", TITLE)
"""Annotations that name the file that a layer is: ModelPack's, those of its drafts, and oras'."""
UNPACK: Final = "io.deis.oras.content.unpack"
"""The annotation by which oras marks the archive of a folder."""
ATTESTATION: Final = "vnd.docker.reference.type"
"""The annotation by which buildx marks what is no image."""
MOST_LAYERS: Final = 512
ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
"""Go's names of them, by those of `uname -m`."""


class _Json(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class Platform(_Json):
    os: str = ""
    architecture: str = ""


class Descriptor(_Json):
    """Refers to content by its digest."""

    media_type: str = ""
    digest: str = Field(pattern="^sha256:[0-9a-f]{64}$")
    size: int = Field(ge=0, le=LARGEST)
    annotations: Mapping[str, str] | None = None
    platform: Platform | None = None


class OciManifest(_Json):
    """A manifest, which has layers, or an index of manifests."""

    schema_version: Literal[2]
    config: Descriptor | None = None
    layers: Annotated[Sequence[Descriptor], Field(max_length=MOST_LAYERS)] | None = None
    manifests: Annotated[Sequence[Descriptor], Field(max_length=MOST_LAYERS)] | None = None

    @property
    def is_image(self) -> bool:
        """Whether its layers make up a file system; oras once marked its artifacts so, with an empty configuration."""
        return self.config is not None and self.config.media_type in IMAGE_CONFIGS and self.config.size > len("{}")


def read_manifest(name: str, content: bytes) -> OciManifest:
    """Raises FetchError for what is neither a manifest nor an index, or both."""
    try:
        found = OciManifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "its start"
        raise FetchError(DOWNLOAD_FAILED, f"{name}: its manifest is not valid at {where}: {first['msg']}") from None
    if (found.layers is None) == (found.manifests is None):
        message = f"{name}: its manifest needs either layers or manifests: push the model as an OCI artifact or image"
        raise FetchError(DOWNLOAD_FAILED, message)
    return found


def chosen(name: str, index: Sequence[Descriptor], machine: str) -> Descriptor:
    """The one manifest of an index, or the one for `machine` (`uname -m`). Raises FetchError where none is, or several
    are."""
    images = [
        one for one in index if ATTESTATION not in (one.annotations or {}) and _platform(one) != "unknown/unknown"
    ]
    wanted = f"linux/{ARCHITECTURES.get(machine, machine)}"
    if len(images) == 1:
        return images[0]
    matching = [one for one in images if _platform(one) == wanted]
    if len(matching) == 1:
        return matching[0]
    there = ", ".join(f"{_platform(one) or 'any platform'} {one.digest}" for one in images[:MOST_SHOWN]) or "none"
    message = f"{name}: is an index of {len(images)} manifests, of which {len(matching)} are for {wanted}"
    raise FetchError(DOWNLOAD_FAILED, f"{message}: write the digest of one after the @, of: {there}")


def _platform(descriptor: Descriptor) -> str:
    platform = descriptor.platform
    return f"{platform.os}/{platform.architecture}" if platform else ""


def file_path(name: str, layer: Descriptor, is_image: bool) -> str | None:
    """Path of the file that the layer is; None: the layer is an archive of files. Raises FetchError."""
    annotations, kind = layer.annotations or {}, layer.media_type
    path = next((annotations[key] for key in FILE_PATHS if annotations.get(key)), None)
    is_archive = bool(re.search(r"\.tar([.+](gzip|zstd))?$", kind))
    is_unpacked = is_image or annotations.get(UNPACK) == "true" or not kind.startswith(LAYERS_OF_IMAGES)
    if is_archive and (is_unpacked or path is None):  # oras gives each file the type of an archive
        return None
    if kind.endswith(".raw") and path is None:
        return layer.digest.removeprefix("sha256:")
    if path is None or is_image:
        message = f"{name}: its layer {layer.digest} has the media type {kind[:200]!r}, and no name"
        remedy = "push files by oras, modctl or as an image, whose layers are tar, tar+gzip or raw"
        raise FetchError(NOT_A_CHECKPOINT, f"{message}: {remedy}")
    return path
