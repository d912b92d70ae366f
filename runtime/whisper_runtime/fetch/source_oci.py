"""oci://registry/repository[:tag][@sha256:…]: a model in a registry, pushed by oras or modctl, or in an image.

What a layer is, is the file itself or an archive of files. Nothing is unpacked to a disk: the file, or the archive of
Hugging Face's files, is read from the layers at any offset. Of a compressed layer that means from its start; it is read
once before, for the names, sizes and digests of its files (docs/adr/0038).
"""

from __future__ import annotations

import hashlib
import logging
import platform
import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

from whisper_runtime.contract.reports import DOWNLOAD_FAILED, NOT_A_CHECKPOINT
from whisper_runtime.engine.model.file_folder import NotLoadable
from whisper_runtime.engine.model.hub_files import INDEX, files_of_model
from whisper_runtime.fetch.checkpoint import LARGEST
from whisper_runtime.fetch.credentials import registry_authorization
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.oci.layers import (
    LayerFile,
    ListedLayer,
    content_of,
    list_files,
    model_files,
    whole_layer,
)
from whisper_runtime.fetch.oci.manifest import EMPTY, Descriptor, OciManifest, chosen, file_path, read_manifest
from whisper_runtime.fetch.oci.registry import Registry
from whisper_runtime.fetch.one_model import CheckpointFiles
from whisper_runtime.fetch.source import SourceBody
from whisper_runtime.fetch.source_folder import FolderFile, SourceContent, content_blocks, content_problem, content_size

_PART: Final = "[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
URL: Final = re.compile(
    r"oci://(?P<registry>[A-Za-z0-9][-A-Za-z0-9.]*(?::[0-9]{1,5})?)/"
    rf"(?P<repository>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
DOCKER_HUB: Final = ("docker.io", "index.docker.io", "registry-1.docker.io")
"""Names of Docker's own registry, in images and in configurations; the last is the host that serves it."""
MOST_INDEX: Final = 1 << 24
"""Bytes of the index of shards."""

log = logging.getLogger(__name__)


class OciSource:
    def __init__(
        self,
        url: str,
        endpoint: str | None,
        credentials: dict[str, str],
        ca_file: str | None,
        stall_seconds: float,
        wanted: CheckpointFiles,
    ) -> None:
        """`endpoint`: the address that stands in for the registry's own; `credentials`: a Secret's keys.

        Raises FetchError where `url` names no repository with a tag or digest.
        """
        self.name = url
        found = URL.fullmatch(url)
        if found is None or not (found["tag"] or found["digest"]):
            example = "oci://registry.example.com/team/model:v1@sha256:DIGEST"
            raise FetchError(
                DOWNLOAD_FAILED, f"{url} does not name a repository with tag or digest; for example {example}"
            )
        registry, repository = found["registry"], found["repository"]
        self.pin: str | None = found["digest"].removeprefix("sha256:") if found["digest"] else None
        self._reference: str = found["digest"] or found["tag"]
        names = DOCKER_HUB if registry in DOCKER_HUB else (registry,)
        authorization = registry_authorization(credentials, names, repository)
        address = endpoint or f"https://{names[-1]}"
        self._registry = Registry(url, address, repository, authorization, ca_file, stall_seconds)
        self._listed: dict[str, ListedLayer] = {}
        self._wanted = wanted

    @contextmanager
    def open(self, offset: int, version: str | None) -> Generator[SourceBody, None, None]:
        total = content_size(self._model)
        start = offset if offset <= total and version in (None, self._digest) else 0
        with content_blocks(self.name, self._model, start) as blocks:
            yield SourceBody(start, total, self._digest, blocks)

    def problem(self, file: Path) -> str | None:
        """What is wrong with a whole file, by the registry's digests; None: nothing. Raises OSError, and FetchError."""
        return content_problem(self.name, self._model, file, "the registry")

    @property
    def _digest(self) -> str:
        """Of the manifest, in hex. Raises FetchError."""
        return self._manifest[0]

    @cached_property
    def _manifest(self) -> tuple[str, OciManifest]:
        """Digest and content of the model's manifest; a tag is resolved once. Raises FetchError."""
        content = self._registry.manifest(self._reference)
        found = read_manifest(self.name, content)
        if found.manifests is not None:
            content = self._registry.manifest(chosen(self.name, found.manifests, platform.machine()).digest)
            found = read_manifest(self.name, content)
        if found.layers is None:
            message = f"{self.name} is an index of indexes: write the digest of a manifest after the @"
            raise FetchError(DOWNLOAD_FAILED, message)
        return hashlib.sha256(content).hexdigest(), found

    @cached_property
    def _model(self) -> SourceContent:
        """The checkpoint, or the files of Hugging Face's that make up one. Raises FetchError."""
        found = model_files(self.name, self._files, self._wanted)
        files = [found] if isinstance(found, LayerFile) else list(found.values())
        if linked := next((file for file in files if file.link), None):
            message = f"{self.name}: {linked.path} is {linked.link}: put the file itself in its place (cp -L)"
            raise FetchError(NOT_A_CHECKPOINT, message)
        if isinstance(found, LayerFile):
            return self._readable(found)
        try:
            names = files_of_model(found, lambda: self._content(found[INDEX]))
        except NotLoadable as problem:
            raise FetchError(NOT_A_CHECKPOINT, f"{self.name} is not a checkpoint of a Whisper: {problem}") from None
        return [self._readable(found[name]) for name in names]

    @property
    def _files(self) -> dict[str, LayerFile]:
        """Those that may be a model's, by path, with all layers laid over each other. Raises FetchError."""
        manifest, files = self._manifest[1], dict[str, LayerFile]()
        layers = [layer for layer in manifest.layers or () if layer.media_type != EMPTY]
        if (total := sum(layer.size for layer in layers)) > LARGEST:
            message = f"{self.name}: its layers have {total} bytes, and at most {LARGEST} are read"
            raise FetchError(NOT_A_CHECKPOINT, f"{message}: push the model by itself")
        for layer in layers:
            if layer.digest not in self._listed:  # kept, so that a break costs one layer alone
                self._listed[layer.digest] = self._list(layer, manifest.is_image)
            files = self._listed[layer.digest].on(files)
        return files

    def _list(self, layer: Descriptor, is_image: bool) -> ListedLayer:
        path = file_path(self.name, layer, is_image)
        if path is not None:
            return whole_layer(self.name, layer, path)
        log.info("%s: reading layer %s, %d bytes, for the names of its files", self.name, layer.digest, layer.size)
        with closing(self._registry.blocks(layer, 0)) as blocks:
            return list_files(self.name, layer, blocks, is_image, self._listed.values(), self._wanted)

    def _readable(self, file: LayerFile) -> FolderFile:
        @contextmanager
        def read(offset: int) -> Generator[Iterator[bytes], None, None]:
            if file.content is not None:
                yield iter([file.content[offset:]])
                return
            with closing(self._registry.blocks(file.layer, offset if file.at is None else 0)) as blocks:
                yield blocks if file.at is None else content_of(self.name, file, blocks, offset)

        return FolderFile(file.name, file.size, read, file.sha256)

    def _content(self, file: LayerFile) -> bytes:
        """Raises NotLoadable where it is too large, and FetchError."""
        if file.size > MOST_INDEX:
            raise NotLoadable(f"{file.name} has {file.size} bytes, and at most {MOST_INDEX} are read")
        with self._readable(file).read(0) as blocks:
            return b"".join(blocks)
