"""A repository of an OCI registry: its manifests and blobs by digest, with whichever credentials it asks for.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md; tokens as
https://distribution.github.io/distribution/spec/auth/token/ has them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

from whisper_runtime.contract.reports import CHECKSUM_MISMATCH, DOWNLOAD_FAILED
from whisper_runtime.fetch.errors import FetchError, TransientFetchError, UnauthorizedError
from whisper_runtime.fetch.oci.manifest import ACCEPTED, Descriptor
from whisper_runtime.fetch.source import SourceBody, cut, whole
from whisper_runtime.fetch.source_http import HttpSource

MOST_MANIFEST: Final = 1 << 22
"""Bytes of a manifest, as registries take them."""
MOST_TOKEN: Final = 1 << 18
"""Bytes of a token server's answer."""
WORTH_RESUMING: Final = 1 << 20
"""Bytes that an attempt must have brought for the next one to begin at once."""


class Registry:
    def __init__(
        self,
        name: str,
        endpoint: str,
        repository: str,
        authorization: str | None,
        ca_file: str | None,
        stall_seconds: float,
    ) -> None:
        """`name`: the source, as messages show it. `authorization`: what the registry, or the token server that it
        names, is told, a bearer's token at once and a password when it is asked for."""
        self._name = name
        self._repository = repository
        self._address = f"{endpoint.rstrip('/')}/v2/{repository}"
        self._given = authorization
        self._sent = authorization if authorization and authorization.startswith("Bearer ") else None
        self._access = ca_file, stall_seconds

    def manifest(self, reference: str) -> bytes:
        """The manifest or index of a tag, or of a digest `sha256:…`, whose content is right then. Raises FetchError."""
        with self._open(f"manifests/{reference}", 0, ", ".join(ACCEPTED)) as body:
            content = self._whole(body, MOST_MANIFEST)
        self._check(reference, hashlib.sha256(content).hexdigest())
        return content

    def blocks(self, blob: Descriptor, offset: int) -> Generator[bytes, None, None]:
        """The bytes of a blob from `offset` on; from 0 on they have been checked at the end. Goes on by itself after a
        break, while that brings something. Raises FetchError."""
        at, found = offset, hashlib.sha256()
        while at < blob.size:
            start = at
            try:
                for block in self._attempt(blob, at):
                    at += len(block)
                    found.update(block)
                    yield block
                if at < blob.size:
                    message = f"{self._name}: {blob.digest} ended after {at} of {blob.size} bytes"
                    raise TransientFetchError(DOWNLOAD_FAILED, message)
            except TransientFetchError:
                if at - start < WORTH_RESUMING:
                    raise
        if offset == 0:
            self._check(blob.digest, found.hexdigest())

    def _attempt(self, blob: Descriptor, offset: int) -> Iterator[bytes]:
        with self._open(f"blobs/{blob.digest}", offset, "*/*") as body:
            if body.total not in (None, blob.size):
                message = f"{self._name}: {blob.digest} has {body.total} bytes, but the manifest lists {blob.size}"
                raise FetchError(CHECKSUM_MISMATCH, f"{message}: push the model again, or try another mirror")
            yield from cut(body.blocks, offset - body.start, blob.size - offset)

    def _check(self, wanted: str, found: str) -> None:
        """Raises FetchError where content is not that of the digest `wanted`; a tag has none."""
        if wanted.startswith("sha256:") and wanted != f"sha256:{found}":
            message = f"{self._name}: {wanted} was answered with other content, of sha256:{found}"
            raise FetchError(CHECKSUM_MISMATCH, f"{message}: push the model again, or try another mirror")

    @contextmanager
    def _open(self, path: str, offset: int, accept: str) -> Generator[SourceBody, None, None]:
        """The answer, asked for again with credentials where it is refused without, or a token has expired."""
        with ExitStack() as stack:
            try:
                body = stack.enter_context(self._http(path, accept).open(offset, None))
            except UnauthorizedError as refused:
                self._sent = self._authorization(refused)
                body = stack.enter_context(self._http(path, accept).open(offset, None))
            yield body

    def _http(self, path: str, accept: str) -> HttpSource:
        ca_file, stall_seconds = self._access
        address = f"{self._address}/{path}"
        name = f"{self._name}: {urlsplit(address).netloc}"
        return HttpSource(name, lambda: address, self._sent, ca_file, stall_seconds, accept=accept)

    def _authorization(self, refused: UnauthorizedError) -> str:
        """What to send in place of what was refused; raises `refused` where there is nothing else to send."""
        scheme, parameters = parsed(refused.challenge)
        if scheme == "bearer" and not (self._given and self._given.startswith("Bearer ")):
            return f"Bearer {self._token(parameters)}"
        if scheme == "basic" and self._given and self._given.startswith("Basic ") and self._sent is None:
            return self._given
        raise refused

    def _token(self, parameters: dict[str, str]) -> str:
        """A token of the server that the registry names. Raises FetchError."""
        realm = parameters.get("realm", "")
        if not may_be_asked(realm, self._address):
            message = f"{self._name}: the registry names {realm[:200]!r} as its token server, which is not https://"
            raise FetchError(DOWNLOAD_FAILED, f"{message}: correct spec.model.source.url")
        query = {"service": parameters.get("service", "")}
        query["scope"] = parameters.get("scope") or f"repository:{self._repository}:pull"
        address = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        ca_file, stall_seconds = self._access
        name = f"{self._name}: the token server {urlsplit(realm).netloc}"
        with HttpSource(name, lambda: address, self._given, ca_file, stall_seconds).open(0, None) as body:
            content = self._whole(body, MOST_TOKEN)
        try:
            answer = cast(dict[str, Any], json.loads(content))
            token: Any = answer.get("token") or answer.get("access_token")
        except (ValueError, RecursionError, AttributeError):
            token = None
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()):
            raise FetchError(DOWNLOAD_FAILED, f"{name} answered with no token: correct spec.model.source.url")
        return token

    def _whole(self, body: SourceBody, most: int) -> bytes:
        read = whole(body.blocks, most)
        if read is None:
            raise FetchError(DOWNLOAD_FAILED, f"{self._name}: the registry answered with too much")
        if body.total not in (None, len(read)):
            message = f"{self._name}: an answer ended after {len(read)} of {body.total} bytes"
            raise TransientFetchError(DOWNLOAD_FAILED, message)
        return read


def may_be_asked(realm: str, registry: str) -> bool:
    """Whether a token server may be told a password: not without TLS, unless the registry has none either."""
    schemes = "https" if registry.lower().startswith("https://") else "https?"
    return bool(re.fullmatch(f"{schemes}://[^/?#@]+([/?][!-~]*)?", realm))


def parsed(challenge: str) -> tuple[str, dict[str, str]]:
    """Scheme, in lower case, and parameters of a WWW-Authenticate; of several the bearer's.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
    """
    if found := re.search(r"(?:^|,\s*)Bearer\s+(.*)", challenge, re.IGNORECASE):
        pairs = re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))', found[1])
        return "bearer", {name.lower(): quoted or plain for name, quoted, plain in pairs}
    return ("basic" if re.search(r"(?:^|,\s*)Basic\b", challenge, re.IGNORECASE) else ""), {}
