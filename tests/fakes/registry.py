"""A registry of one repository, as the distribution specification has it, with a token server and a host of blobs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.fakes.web_server import FakeRequest, answering

REPOSITORY: Final = "team/whisper-support"
TOKEN: Final = "of-the-token-server"


@dataclass
class FakeRegistry:
    manifests: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """By tag, and by digest."""
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """By digest."""
    asks: str | None = None
    """The scheme by which it asks who is there; None: anybody may read."""
    password: str | None = None
    """Of `me`; the token server, or the registry itself, asks for it. None: anybody gets a token."""
    token: str = TOKEN
    """The token that it takes."""
    realm: str = ""
    """What it names as its token server; empty: the one that runs."""
    gives: bytes | None = None
    """What the token server answers in place of a token."""
    cut: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """Bytes after which the next answers with a blob break off."""
    knows_ranges: bool = True
    failures: list[int] = field(default_factory=list[int])
    """Statuses of the next answers of the registry."""
    url: str = ""
    content_url: str = ""
    """The host that blobs come from, by redirect."""
    token_url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])
    """Path, and headers by lower-case name, of each request to the registry."""
    content_requests: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])
    token_requests: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])

    def put(self, content: bytes) -> dict[str, Any]:
        """Takes a blob; what a manifest says of it, but for its media type."""
        digest = digest_of(content)
        self.blobs[digest] = content
        return {"digest": digest, "size": len(content)}

    def tag(self, manifest: dict[str, Any], tag: str = "v1") -> str:
        """Takes a manifest or an index under a tag and its digest, which is returned."""
        content = json.dumps(manifest).encode()
        self.manifests[tag] = self.manifests[digest_of(content)] = content
        return digest_of(content)


class RegistryHandler(FakeRequest):
    registry: FakeRegistry

    def do_GET(self) -> None:
        registry = self.registry
        registry.requests.append((self.path, self.named_headers))
        kind, _, reference = self.path.removeprefix(f"/v2/{REPOSITORY}/").partition("/")
        if registry.failures:
            self.answer(registry.failures.pop(0), b"")
        elif not self._may_read():
            self.answer(401, _error("UNAUTHORIZED"), {"WWW-Authenticate": self._challenge()})
        elif not self.path.startswith(f"/v2/{REPOSITORY}/"):
            self.answer(404, _error("NAME_UNKNOWN"))
        elif kind == "manifests" and (found := registry.manifests.get(reference)):
            media_type = _media_type(found)
            if media_type in self.headers.get("Accept", ""):
                self.answer(200, found, {"Content-Type": media_type, "Docker-Content-Digest": digest_of(found)})
            else:
                self.answer(404, _error("MANIFEST_UNKNOWN"))
        elif kind == "blobs" and reference in registry.blobs:
            self.answer(307, b"", {"Location": f"{registry.content_url}/{reference}?X-Signature=s"})
        else:
            self.answer(404, _error("BLOB_UNKNOWN" if kind == "blobs" else "MANIFEST_UNKNOWN"))

    do_HEAD = do_GET

    def _may_read(self) -> bool:
        sent = self.headers.get("Authorization")
        if self.registry.asks == "Bearer":
            return sent == f"Bearer {self.registry.token}"
        return self.registry.asks is None or sent == basic("me", str(self.registry.password))

    def _challenge(self) -> str:
        if self.registry.asks == "Basic":
            return 'Basic realm="Registry"'
        realm = self.registry.realm or f"{self.registry.token_url}/token"
        return f'Bearer realm="{realm}",service="registry",scope="repository:{REPOSITORY}:pull"'


class TokenHandler(RegistryHandler):
    def do_GET(self) -> None:
        registry, query = self.registry, parse_qs(urlsplit(self.path).query)
        registry.token_requests.append((self.path, self.named_headers))
        sent = self.headers.get("Authorization")
        if registry.password is not None and sent != basic("me", registry.password):
            self.answer(401, _error("UNAUTHORIZED"))
        elif query != {"service": ["registry"], "scope": [f"repository:{REPOSITORY}:pull"]}:
            self.answer(400, b"")
        else:
            self.answer(200, registry.gives or json.dumps({"token": registry.token, "expires_in": 300}).encode())


class BlobHandler(RegistryHandler):
    """The host of blobs, which knows ranges, and refuses what is signed twice, as S3 does."""

    def do_GET(self) -> None:
        registry, digest = self.registry, urlsplit(self.path).path.lstrip("/")
        registry.content_requests.append((digest, self.named_headers))
        if "Authorization" in self.headers:
            self.answer(400, b"<Error><Code>InvalidArgument</Code></Error>")
            return
        cuts = registry.cut.get(digest, [])
        start = self.offset if registry.knows_ranges else 0
        self.send(registry.blobs[digest], start, end=cuts.pop(0) if cuts else None)


@contextmanager
def serving(registry: FakeRegistry) -> Iterator[FakeRegistry]:
    with ExitStack() as stack:
        registry.url = stack.enter_context(answering(RegistryHandler, registry=registry))
        registry.content_url = stack.enter_context(answering(BlobHandler, registry=registry))
        registry.token_url = stack.enter_context(answering(TokenHandler, registry=registry))
        yield registry


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _media_type(manifest: bytes) -> str:
    """As a registry answers: what the manifest says; for what says nothing, an image's."""
    found = re.search(rb'"mediaType": "([^"]*)"', manifest)
    return found[1].decode() if found else "application/vnd.oci.image.manifest.v1+json"


def basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def _error(code: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": "m", "detail": None}]}).encode()
