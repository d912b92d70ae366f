"""A folder of files as the one archive that the cache keeps (engine/model/file_folder.py), read from any offset."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from whisper_runtime.contract.reports import NOT_A_CHECKPOINT
from whisper_runtime.engine.model.file_folder import BLOCK as HEADER
from whisper_runtime.engine.model.file_folder import LARGEST_FILE, end, header, padding
from whisper_runtime.engine.model.hub_files import INDEX, files_of_model
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.partial import BLOCK, sha256_of


@dataclass(frozen=True)
class FolderFile:
    """One file of the folder, wherever it is."""

    name: str
    size: int
    read: Callable[[int], AbstractContextManager[Iterator[bytes]]]
    """Its bytes from an offset on; may end early, and raises FetchError, or OSError where it is a local file."""
    digest: str = ""
    """sha256 in hex, or git's own digest, which is shorter; empty: nobody tells."""


SourceContent = FolderFile | Sequence[FolderFile]
"""What a source has as the one file of the cache: a file as it is, or the archive of several."""


def content_size(content: SourceContent) -> int:
    return content.size if isinstance(content, FolderFile) else archive_size(content)


@contextmanager
def content_blocks(source: str, content: SourceContent, offset: int) -> Generator[Iterator[bytes], None, None]:
    """The bytes from `offset` on. Ends early where a file does; raises what reading one does, too."""
    if isinstance(content, FolderFile):
        with content.read(offset) as blocks:
            yield blocks
    else:
        yield archive_blocks(source, content, offset)


def content_problem(source: str, content: SourceContent, file: Path, who: str) -> str | None:
    """What is wrong with a whole `file`, by the digests that the source lists; None: nothing. Raises OSError.

    `who` lists them, as the message calls it.
    """
    if (size := file.stat().st_size) != content_size(content):
        return f"{source} has {content_size(content)} bytes, and {size} are there"
    wrong = _wrong_part(file, 0, content) if isinstance(content, FolderFile) else wrong_file(file, content)
    if wrong is None:
        return None
    one, found = wrong
    return f"{source}: {one.name} has the digest {found}, but {who} lists {one.digest}: try another mirror"


def archive_size(files: Sequence[FolderFile]) -> int:
    """Bytes of the whole archive."""
    before = sum(HEADER + one.size + len(padding(one.size)) for one in files)
    return before + len(end(before))


def archive_blocks(source: str, files: Sequence[FolderFile], offset: int) -> Iterator[bytes]:
    """The bytes of the archive from `offset` on. Ends early where a file does; raises what reading one does, too."""
    at = 0
    for one in files:
        for piece in (_header(source, one), one, padding(one.size)):
            size = one.size if isinstance(piece, FolderFile) else len(piece)
            skipped = min(max(0, offset - at), size)
            at += size
            if skipped == size:
                continue
            if isinstance(piece, bytes):
                yield piece[skipped:]
                continue
            left = size - skipped
            with piece.read(skipped) as blocks:
                for block in blocks:
                    left -= len(block)
                    yield block
            if left:
                return
    last = end(at)
    yield last[max(0, offset - at) :]


def _header(source: str, file: FolderFile) -> bytes:
    if file.size > LARGEST_FILE:
        message = f"{source}: {file.name} has {file.size} bytes, and {LARGEST_FILE} fit: save the model in shards"
        raise FetchError(NOT_A_CHECKPOINT, message)
    return header(file.name, file.size)


def folder_files(folder: Path) -> list[FolderFile]:
    """The files of the model in a folder of Hugging Face's layout. Raises NotLoadable, and OSError."""
    there = [file.name for file in folder.iterdir() if file.is_file()]
    names = files_of_model(there, lambda: (folder / INDEX).read_bytes())
    return [_local(folder / name) for name in names]


def _local(path: Path) -> FolderFile:
    @contextmanager
    def read(offset: int) -> Generator[Iterator[bytes], None, None]:
        with path.open("rb") as file:
            file.seek(offset)
            yield iter(partial(file.read, BLOCK), b"")

    return FolderFile(path.name, path.stat().st_size, read)


def checkpoint_sha256(path: Path) -> str:
    """sha256 in hex of a checkpoint's file, or of the archive of its folder. Raises NotLoadable, and OSError."""
    if not path.is_dir():
        return sha256_of(path)
    found = hashlib.sha256()
    for block in archive_blocks(str(path), folder_files(path), 0):
        found.update(block)
    return found.hexdigest()


def wrong_file(archive: Path, files: Sequence[FolderFile]) -> tuple[FolderFile, str] | None:
    """The first file of a whole archive whose bytes have another digest than its own, and that digest; None: there is
    none. Raises OSError."""
    at = 0
    for one in files:
        if wrong := _wrong_part(archive, at + HEADER, one):
            return wrong
        at += HEADER + one.size + len(padding(one.size))
    return None


def _wrong_part(path: Path, offset: int, one: FolderFile) -> tuple[FolderFile, str] | None:
    found = digest_like(one.digest, path, offset, one.size)
    return None if found == one.digest else (one, found)


def digest_like(listed: str, path: Path, offset: int, size: int) -> str:
    """sha256 in hex of the bytes of a file from `offset` on; git's own digest, where `listed` is as short as that.

    Raises OSError.
    """
    found = hashlib.sha256()
    if len(listed) != 2 * found.digest_size:
        found = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        file.seek(offset)
        while size and (block := file.read(min(BLOCK, size))):
            size -= len(block)
            found.update(block)
    return found.hexdigest()
