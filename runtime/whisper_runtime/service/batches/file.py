"""A file of a client: the lines of a batch, a recording that a line names, or the answers to a batch."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Literal

UploadPurpose = Literal["batch", "user_data"]
"""`batch`: the lines of a batch, in JSON. `user_data`: a recording that such a line names by `file_id`."""
FilePurpose = Literal["batch", "user_data", "batch_output"]


@dataclass(frozen=True)
class FileDraft:
    """What a client hands in, or a batch comes to, beside the content."""

    client: str
    """The name of whose it is; nobody else sees it."""
    purpose: FilePurpose
    filename: str
    keep_seconds: float
    """Seconds after which it is deleted."""


@dataclass(frozen=True)
class StoredFile:
    """A file as its store has it. Times are Unix times in seconds."""

    id: str
    client: str
    purpose: FilePurpose
    filename: str
    size: int
    """Bytes of its content."""
    created: float
    expires: float


@dataclass(frozen=True)
class FilePage:
    """A part of a client's files."""

    files: tuple[StoredFile, ...]
    has_more: bool


class NoSuchFile(Exception):
    """The client has no file of this id: it never had one, or it was deleted, or it has expired."""


class FileInUse(Exception):
    """The file has the lines of a batch that has not ended."""


FILE_ID_PREFIX: Final = "file-"


def new_file_id() -> str:
    return f"{FILE_ID_PREFIX}{secrets.token_hex(16)}"
