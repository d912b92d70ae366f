"""The files in the layers of an artifact or image, where they lie and what their digests are; those of the model."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from whisper_runtime.contract.reports import NOT_A_CHECKPOINT
from whisper_runtime.engine.model.hub_files import INDEX, PLAIN_NAME, SMALL, WEIGHTS
from whisper_runtime.fetch.checkpoint import LARGEST
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.oci.manifest import Descriptor
from whisper_runtime.fetch.oci.tar_stream import NotAnArchive, TarStream, plain_path
from whisper_runtime.fetch.one_model import MOST_FILES, CheckpointFiles, may_be_models, may_hold_models, model_place

MOST_KEPT: Final = 1 << 24
"""Bytes of small files that are kept, of all layers: without them an archive would be read again for each of them."""
GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
REMOVED: Final = ".wh."
OPAQUE: Final = ".wh..wh..opq"
"""Names by which a layer takes away a file of those below it, or all of a folder's.

Source: https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
"""


@dataclass(frozen=True)
class LayerFile:
    path: str
    size: int
    sha256: str
    """In hex."""
    layer: Descriptor
    at: int | None = None
    """Offset in the layer's archive, uncompressed; None: the layer is the file."""
    content: bytes | None = None
    """The file, where it is small; else None."""
    link: str | None = None
    """What it is instead of a file; None: it is one."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


@dataclass(frozen=True)
class ListedLayer:
    files: Mapping[str, LayerFile]
    """By path: those that may be a model's."""
    removed: Collection[str]
    """Paths of what it takes away of the layers below, with all that lies below them."""
    unpacked: int = 0
    """Bytes of the archive, uncompressed."""

    @property
    def kept(self) -> int:
        """Bytes of the small files."""
        return sum(len(file.content or b"") for file in self.files.values())

    def on(self, below: Mapping[str, LayerFile]) -> dict[str, LayerFile]:
        """The files of the layers so far."""
        kept = {path: file for path, file in below.items() if not any(_lies_in(path, gone) for gone in self.removed)}
        return {**kept, **self.files}


def whole_layer(name: str, layer: Descriptor, path: str) -> ListedLayer:
    """A layer that is the file `path`. Raises FetchError where that leads out of its folder."""
    try:
        plain = plain_path(path)
    except NotAnArchive as problem:
        raise FetchError(NOT_A_CHECKPOINT, f"{name}: its layer {layer.digest} is named wrongly: {problem}") from None
    return ListedLayer({plain: LayerFile(plain, layer.size, layer.digest.removeprefix("sha256:"), layer)}, ())


def list_files(
    name: str,
    layer: Descriptor,
    blocks: Iterator[bytes],
    is_image: bool,
    before: Collection[ListedLayer],
    wanted: CheckpointFiles,
) -> ListedLayer:
    """Reads all of a layer that is an archive, for files that are `wanted`.

    With those `before` it has at most LARGEST bytes, uncompressed, and at most MOST_KEPT of small files are kept.
    Raises FetchError, and what `blocks` raises.
    """
    room = MOST_KEPT - sum(one.kept for one in before)
    files: dict[str, LayerFile] = {}
    removed: list[str] = []
    with _archive(name, layer, blocks, LARGEST - sum(one.unpacked for one in before)) as archive:
        for member in archive.members():
            folder, _, last = member.path.rpartition("/")
            if last.startswith(REMOVED):
                gone = folder if last == OPAQUE else f"{folder}/{last.removeprefix(REMOVED)}".lstrip("/")
                removed += [gone] if may_hold_models(gone, is_image) else []
            elif member.link and may_be_models(member.path, is_image, wanted):
                files[member.path] = LayerFile(member.path, 0, "", layer, member.at, None, member.link)
            elif member.is_file and may_be_models(member.path, is_image, wanted):
                is_kept = last in (*SMALL, INDEX) and member.size <= room
                sha256, content = _taken(archive.content(member.size), is_kept)
                room -= len(content or b"")
                files[member.path] = LayerFile(member.path, member.size, sha256, layer, member.at, content)
            if len(files) + len(removed) > MOST_FILES:
                raise NotAnArchive(f"more than {MOST_FILES} of its files may be a model's")
        archive.drain()
    return ListedLayer(files, removed, archive.at)


def content_of(name: str, file: LayerFile, blocks: Iterator[bytes], offset: int) -> Generator[bytes, None, None]:
    """The bytes of a file from `offset` on, by those of its layer. Raises FetchError, and what `blocks` raises."""
    with _archive(name, file.layer, blocks, LARGEST) as archive:
        archive.skip_to((file.at or 0) + offset)
        yield from archive.content(file.size - offset)


@contextmanager
def _archive(name: str, layer: Descriptor, blocks: Iterator[bytes], most: int) -> Generator[TarStream, None, None]:
    """The layer, uncompressed. Raises FetchError for what is wrong with it, and what `blocks` raises."""
    what = f"{name}: its layer {layer.digest}"
    try:
        yield TarStream(_unpacked(blocks, what), most)
    except (NotAnArchive, zlib.error, EOFError, gzip.BadGzipFile) as problem:
        for _ in blocks:  # to the end, where their digest is checked: it may be other content
            pass
        raise FetchError(NOT_A_CHECKPOINT, f"{what} cannot be read as an archive: {problem}") from None


class _Blocks(io.RawIOBase):
    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._left = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fills the buffer, so that a look at its start sees enough, however short the blocks are."""
        filled = 0
        while filled < len(buffer) and (block := self._left or next(self._blocks, None)) is not None:
            taken, self._left = block[: len(buffer) - filled], block[len(buffer) - filled :]
            buffer[filled : filled + len(taken)] = taken
            filled += len(taken)
        return filled


def _unpacked(blocks: Iterator[bytes], what: str) -> Callable[[int], bytes]:
    """Reads what the layer holds, by its first bytes, for media types are often wrong. Raises FetchError."""
    raw = io.BufferedReader(_Blocks(blocks), 1 << 20)
    start = raw.peek(len(ZSTD))
    if start.startswith(ZSTD):
        remedy = "push it by gzip (--compression-format=gzip of podman and buildah, compression=gzip of docker buildx)"
        raise FetchError(NOT_A_CHECKPOINT, f"{what} is compressed by zstd, which this runtime cannot read: {remedy}")
    return gzip.GzipFile(fileobj=raw).read if start.startswith(GZIP) else raw.read


def _taken(blocks: Iterator[bytes], is_kept: bool) -> tuple[str, bytes | None]:
    """sha256 of the blocks in hex, and the blocks where they are kept."""
    found, kept = hashlib.sha256(), bytearray()
    for block in blocks:
        found.update(block)
        if is_kept:
            kept += block
    return found.hexdigest(), bytes(kept) if is_kept else None


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or not folder or path.startswith(f"{folder}/")


def model_files(name: str, files: Mapping[str, LayerFile], wanted: CheckpointFiles) -> LayerFile | dict[str, LayerFile]:
    """The one file that is a checkpoint; else, by name, the files of the one folder of Hugging Face's.

    Raises FetchError where there is no model, or are several.
    """
    lone = next(iter(files.values())) if len(files) == 1 else None
    if lone and lone.at is None and lone.name not in (*SMALL, INDEX, WEIGHTS):
        return lone  # of whatever name: nothing else was pushed
    place = model_place(name, files, wanted)
    if place in files:
        return files[place]
    return {file.name: file for file in files.values() if file.folder == place and re.fullmatch(PLAIN_NAME, file.name)}
