"""A hub of one repository, as huggingface_hub asks Hugging Face's: the API, and files on another host by redirect."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tests.fakes.web_server import FakeRequest, answering

COMMIT: Final = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY: Final = "team/whisper-support"
IN_LFS: Final = 1000
"""Files that are larger are in LFS."""


@dataclass
class Hub:
    files: dict[str, bytes]
    token: str | None = None
    """Who asks without it gets 401, as of a gated repository; None: it is public."""
    lists: Callable[[list[dict[str, Any]]], Any] = lambda entries: entries
    """What the tree's listing becomes."""
    cut: dict[str, int] = field(default_factory=dict[str, int])
    """Bytes after which the next answer with that file breaks off."""
    knows_ranges: bool = True
    url: str = ""
    content_url: str = ""
    """The host that the files come from."""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])
    """Path and headers, by lower-case name, of each request to the hub."""
    content_requests: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])

    def tree(self) -> list[dict[str, Any]]:
        return [_entry(name, content) for name, content in sorted(self.files.items())]


class HubHandler(FakeRequest):
    hub: Hub

    def do_GET(self) -> None:
        hub, path = self.hub, urlsplit(self.path).path
        hub.requests.append((self.path, self.named_headers))
        if hub.token is not None and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self.answer(401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
        elif path in (f"/api/models/{REPOSITORY}/revision/{name}" for name in (COMMIT, "main")):
            siblings = [{"rfilename": name} for name in hub.files]
            self.answer(200, _json({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings, "private": False}))
        elif path == f"/api/models/{REPOSITORY}/tree/{COMMIT}":
            self.answer(200, _json(hub.lists(hub.tree())))
        elif found := re.fullmatch(f"/{REPOSITORY}/resolve/(?:{COMMIT}|main)/(.*)", path):
            self._resolve(unquote(found[1]))
        else:
            known = path.startswith((f"/api/models/{REPOSITORY}/", f"/{REPOSITORY}/"))
            self.answer(404, b"", {"X-Error-Code": "RevisionNotFound" if known else "RepoNotFound"})

    do_HEAD = do_GET

    def _resolve(self, name: str) -> None:
        content = self.hub.files.get(name)
        if content is None:
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
            return
        entry = _entry(name, content)
        etag = entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]
        there = {"X-Repo-Commit": COMMIT, "X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{etag}"'}
        if "lfs" in entry:
            self.answer(302, b"", {**there, "Location": f"{self.hub.content_url}/{name}"})
        else:
            self.answer(200, content, {**there, "ETag": f'"{etag}"'})


class ContentHandler(HubHandler):
    """The host of large files, which knows ranges, and nothing of tokens."""

    def do_GET(self) -> None:
        name = unquote(self.path.lstrip("/"))
        self.hub.content_requests.append((name, self.named_headers))
        self.send(self.hub.files[name], self.offset if self.hub.knows_ranges else 0, end=self.hub.cut.pop(name, None))

    do_HEAD = do_GET


@contextmanager
def hub_of(files: dict[str, bytes], host: str = "127.0.0.1") -> Iterator[Hub]:
    hub = Hub(files)
    with ExitStack() as stack:
        hub.url = stack.enter_context(answering(HubHandler, host, hub=hub))
        hub.content_url = stack.enter_context(answering(ContentHandler, host, hub=hub))
        yield hub


def _entry(name: str, content: bytes) -> dict[str, Any]:
    """A file in the tree's listing."""
    if len(content) <= IN_LFS:
        return {"type": "file", "path": name, "size": len(content), "oid": blob_digest(content)}
    sha256 = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(content)}\n".encode()
    lfs = {"oid": sha256, "size": len(content), "pointerSize": len(pointer)}
    return {"type": "file", "path": name, "size": len(content), "oid": blob_digest(pointer), "lfs": lfs}


def blob_digest(content: bytes) -> str:
    """git's digest of a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
