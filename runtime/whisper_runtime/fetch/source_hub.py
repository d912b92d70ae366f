"""hf://owner/name@revision: a repository of Hugging Face's hub, or of a mirror of it.

The hub's API lists a commit's files with the digest of each: sha256 of those in LFS, git's own of the others
(huggingface_hub, hf_api.py: `model_info`, `list_repo_tree`; file_download.py: `hf_hub_url`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from whisper_runtime.contract.reports import CHECKSUM_MISMATCH, DOWNLOAD_FAILED, NOT_A_CHECKPOINT
from whisper_runtime.engine.model.file_folder import NotLoadable
from whisper_runtime.engine.model.hub_files import INDEX, PLAIN_NAME, files_of_model
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.one_model import CheckpointFiles, model_place
from whisper_runtime.fetch.source import SourceBody, cut, whole
from whisper_runtime.fetch.source_folder import FolderFile, SourceContent, content_blocks, content_problem, content_size
from whisper_runtime.fetch.source_http import HttpSource

HUB: Final = "https://huggingface.co"
ENDPOINT: Final = "HF_ENDPOINT"
"""The variable by which huggingface_hub finds a mirror."""
URL: Final = re.compile(r"hf://(?P<repository>\w[\w.-]*/\w[\w.-]*)@(?P<revision>\w[\w.-]*)", re.ASCII)
COMMIT: Final = re.compile("[0-9a-f]{40}")
MOST_JSON: Final = 1 << 24
"""Bytes of an answer of the API."""


@dataclass(frozen=True)
class ListedFile:
    """A file of a commit, as the hub lists it."""

    size: int
    digest: str
    """sha256 of the content, where it is in LFS, else git's."""


class HubSource:
    def __init__(
        self,
        url: str,
        endpoint: str,
        authorization: str | None,
        ca_file: str | None,
        stall_seconds: float,
        wanted: CheckpointFiles,
    ) -> None:
        """Raises FetchError where `url` names no repository and revision."""
        self.name = url
        found = URL.fullmatch(url)
        if found is None:
            message = f"{url} does not name a repository and revision; for example hf://openai/whisper-base@COMMIT"
            raise FetchError(DOWNLOAD_FAILED, message)
        self._repository, self._revision = found["repository"], found["revision"]
        self._endpoint = endpoint.rstrip("/")
        self._access = authorization, ca_file, stall_seconds
        self._wanted = wanted

    @property
    def pin(self) -> str | None:
        """The commit that the URL names; None: it names a branch or a tag, which may move."""
        return self._revision if COMMIT.fullmatch(self._revision) else None

    @contextmanager
    def open(self, offset: int, version: str | None) -> Generator[SourceBody, None, None]:
        total = content_size(self._content)
        start = offset if offset <= total and version in (None, self._commit) else 0
        with content_blocks(self.name, self._content, start) as blocks:
            yield SourceBody(start, total, self._commit, blocks)

    def problem(self, file: Path) -> str | None:
        """What is wrong with a whole file, by the hub's digests; None: nothing. Raises OSError, and FetchError."""
        return content_problem(self.name, self._content, file, "the hub")

    @cached_property
    def _commit(self) -> str:
        """The commit that the revision is now. Raises FetchError."""
        found = self._get(f"api/models/{self._repository}/revision/{self._revision}")
        commit: Any = cast(dict[str, Any], found).get("sha") if isinstance(found, dict) else None
        if not isinstance(commit, str) or not COMMIT.fullmatch(commit) or self.pin not in (None, commit):
            raise self._unreadable("such commit")
        return commit

    @cached_property
    def _listed(self) -> dict[str, ListedFile]:
        """The files at the top of the repository, by name. Raises FetchError."""
        found = self._get(f"api/models/{self._repository}/tree/{self._commit}?recursive=false")
        try:
            entries = [one for one in cast(list[Any], found) if one["type"] == "file" and "/" not in one["path"]]
            return {str(one["path"]): _listed_file(one) for one in entries}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._unreadable("tree") from None

    @cached_property
    def _content(self) -> SourceContent:
        """The one file of an encoder, or the files that make up a model. Raises FetchError."""
        listed = self._listed
        plain = [name for name in listed if re.fullmatch(PLAIN_NAME, name)]
        if not self._wanted.has_folders:
            name = model_place(self.name, plain, self._wanted)
            return self._file(name, listed[name])
        try:
            names = files_of_model(plain, lambda: self._read(self._address(INDEX)))
        except NotLoadable as problem:
            raise FetchError(NOT_A_CHECKPOINT, f"{self.name} is not a checkpoint of a Whisper: {problem}") from None
        return [self._file(name, listed[name]) for name in names]

    def _file(self, name: str, listed: ListedFile) -> FolderFile:
        size = listed.size
        source = self._http(name, self._address(name))

        @contextmanager
        def read(offset: int) -> Generator[Iterator[bytes], None, None]:
            with source.open(offset, None) as body:
                if body.total not in (None, size):
                    message = f"{source.name} has {body.total} bytes, but the hub lists {size}"
                    raise FetchError(CHECKSUM_MISMATCH, message)
                yield cut(body.blocks, offset - body.start, size - offset)

        return FolderFile(name, size, read, listed.digest)

    def _address(self, name: str) -> str:
        return f"{self._endpoint}/{self._repository}/resolve/{self._commit}/{quote(name)}"

    def _http(self, what: str, address: str) -> HttpSource:
        authorization, ca_file, stall_seconds = self._access
        return HttpSource(f"{self.name}: {what}", lambda: address, authorization, ca_file, stall_seconds)

    def _get(self, path: str) -> Any:
        """The answer of the API to that path. Raises FetchError."""
        try:
            return json.loads(self._read(f"{self._endpoint}/{path}"))
        except (ValueError, RecursionError):
            raise self._unreadable(path.split("/")[4]) from None

    def _read(self, address: str) -> bytes:
        with self._http(self._endpoint, address).open(0, None) as body:
            read = whole(body.blocks, MOST_JSON)
        if read is None:
            raise FetchError(DOWNLOAD_FAILED, f"{self.name}: {self._endpoint} answered with too much")
        return read

    def _unreadable(self, what: str) -> FetchError:
        message = (
            f"{self.name}: {self._endpoint} answered with no {what} as the hub does: correct spec.model.source.endpoint"
        )
        return FetchError(DOWNLOAD_FAILED, message)


def _listed_file(entry: dict[str, Any]) -> ListedFile:
    """Raises KeyError, TypeError and ValueError for what the hub does not answer."""
    lfs: dict[str, Any] | None = entry.get("lfs")
    size, digest = int((lfs or entry)["size"]), str((lfs or entry)["oid"])
    if size < 0 or (lfs and not re.fullmatch("[0-9a-f]{64}", digest)):
        raise ValueError
    return ListedFile(size, digest)
