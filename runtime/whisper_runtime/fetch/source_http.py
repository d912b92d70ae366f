"""A checkpoint on a web server: resumable, through the environment's proxies, trusting a private CA where given."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.errors import FetchError, TransientFetchError, UnauthorizedError
from whisper_runtime.fetch.metadata_address import is_of_metadata
from whisper_runtime.fetch.source import SourceBody

TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of failures that may pass by themselves."""
LONGEST_WAIT_SECONDS: Final = 60.0
LONGEST_REASON: Final = 100
"""Characters of a server's own reason phrase that a message quotes."""
MAX_REDIRECTS: Final = 10
NUMBER: Final = "[0-9]{1,18}"
"""A number in a header; Python takes other scripts' digits for some, and refuses to read thousands of digits."""
REMEDIES: Final = {
    401: "put credentials that it accepts into spec.model.source.secretRef",
    403: "put credentials that may read it into spec.model.source.secretRef, or renew the URL of urlSecretKeyRef",
    404: "correct spec.model.source.url",
    410: "correct spec.model.source.url",
}
_TOKEN: Final = "put a token that may read it into the key token of spec.model.source.secretRef"
_ACCESS: Final = "put credentials that may read it into spec.model.source.secretRef"
REMEDIES_OF_CODES: Final = {
    "GatedRepo": f"ask for access on the repository's page, and {_TOKEN}",
    "RepoNotFound": f"correct spec.model.source.url, or, where the repository is private, {_TOKEN}",
    "RevisionNotFound": "correct the revision in spec.model.source.url",
    "NAME_UNKNOWN": f"correct the repository in spec.model.source.url, or, where it is private, {_ACCESS}",
    "MANIFEST_UNKNOWN": "correct the tag or digest in spec.model.source.url",
    "BLOB_UNKNOWN": "the registry lacks a layer of its manifest: push the model again, or try another mirror",
    "DENIED": _ACCESS,
}
"""By the hub's code for the error (huggingface_hub, utils/_http.py, hf_raise_for_status), or a registry's
(https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes)."""
ERROR_CODE: Final = re.compile(rb'<Code>(\w{1,64})</Code>|"code"\s*:\s*"([A-Z_]{1,64})"')
WEB_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
HEADERS: Final = {"User-Agent": "whisper-runtime", "Accept-Encoding": "identity"}


class HttpSource:
    """`address` is called before each attempt, because a presigned URL expires."""

    def __init__(
        self,
        name: str,
        address: Callable[[], str],
        authorization: str | None,
        ca_file: str | None,
        stall_seconds: float,
        *,
        accept: str = "*/*",
    ) -> None:
        """Raises FetchError where `ca_file` holds no certificate. `accept`: the media types that it is asked for."""
        self.name = name
        self._address = address
        self._headers = HEADERS | {"Accept": accept} | ({"Authorization": authorization} if authorization else {})
        self._tls = _tls_context(ca_file)
        self._stall_seconds = stall_seconds

    @contextmanager
    def open(self, offset: int, version: str | None) -> Generator[SourceBody, None, None]:
        with self._client() as client, closing(self._request(client, offset, version)) as response:
            if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() in WEB_PAGES:
                raise self._failed(
                    "answered with a web page instead of a checkpoint: is a login or a proxy in between?"
                )
            start, total = self._extent(response, offset)
            yield SourceBody(start, total, _validator(response), self._blocks(response, total))

    def _client(self) -> httpx.Client:
        """A client for one attempt: no cookie and no connection outlives it."""
        try:
            return httpx.Client(
                headers=self._headers,
                verify=self._tls,
                timeout=self._stall_seconds,
                mounts=_bare_domains_without_proxy(),
            )
        except (ValueError, ImportError, httpx.InvalidURL):  # ImportError: SOCKS; their texts may quote a password
            problem = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY or NO_PROXY is not valid; for example http://proxy:3128"
            raise self._failed(f"cannot be fetched: {problem}") from None

    def _request(self, client: httpx.Client, offset: int, version: str | None) -> httpx.Response:
        """Returns a successful response, its body unread; raises FetchError."""
        resume = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and version:
            resume["If-Range"] = version
        try:
            extensions = {"trace": self._judge_peer}  # which each redirected request has, too
            first = client.build_request("GET", self._address(), headers=resume, extensions=extensions)
            response = _follow_redirects(client, first)
        except httpx.HTTPError as error:
            raise self._connection_error(error) from None
        except (httpx.InvalidURL, ValueError) as error:  # ValueError: a host's name in IDNA, too
            raise self._failed(f"leads to an address that is not valid: {error}") from None
        if response.is_success:
            return response
        with closing(response):
            if response.status_code == 416 and offset:  # the local file is longer than the server's
                return self._request(client, 0, None)
            raise self._status_error(response)

    def _judge_peer(self, event: str, info: dict[str, Any]) -> None:
        """Gives a connection up, before anything is sent, that a name or a redirect has led to a cloud's metadata.

        Whatever a name resolved to, this is where the connection is. Raises FetchError.
        Source: https://www.encode.io/httpcore/extensions/#trace
        """
        if not event.endswith("connect_tcp.complete"):
            return
        connection = info["return_value"]
        address: str = connection.get_extra_info("server_addr")[0]
        if is_of_metadata(address):
            connection.close()
            raise self._failed(f"leads to {address}, where clouds have no models: correct spec.model.source.url")

    def _extent(self, response: httpx.Response, offset: int) -> tuple[int, int | None]:
        """Returns the offset of the body's first byte, and the size of the whole file.

        Source: https://www.rfc-editor.org/rfc/rfc9110#section-14.4
        """
        if response.status_code == 206:
            found = re.fullmatch(rf"bytes ({NUMBER})-{NUMBER}/({NUMBER}|\*)", response.headers.get("Content-Range", ""))
            if found is None or int(found[1]) != offset:
                raise self._failed("answered with another range than the requested one")
            return offset, None if found[2] == "*" else int(found[2])
        return 0, _number(response.headers.get("Content-Length", ""))

    def _blocks(self, response: httpx.Response, total: int | None) -> Iterator[bytes]:
        try:
            yield from response.iter_raw()
        except httpx.HTTPError as error:
            if total is None or not isinstance(error, httpx.RemoteProtocolError):
                raise self._connection_error(error) from None  # else `total` tells that it ended early

    def _status_error(self, response: httpx.Response) -> FetchError:
        status, code = response.status_code, _error_code(response)
        message = f"answered {status} {response.reason_phrase[:LONGEST_REASON]}" + (f" ({code})" if code else "")
        if status in TRANSIENT:
            seconds = _number(response.headers.get("Retry-After", "")) or 0
            return self._transient(message, min(float(seconds), LONGEST_WAIT_SECONDS))
        if remedy := REMEDIES_OF_CODES.get(code, REMEDIES.get(status)):
            message = f"{message}: {remedy}"
        if status == 401:
            challenge = response.headers.get("WWW-Authenticate", "")
            return UnauthorizedError(DOWNLOAD_FAILED, f"{self.name} {message}", challenge=challenge)
        return self._failed(message)

    def _connection_error(self, error: httpx.HTTPError) -> FetchError:
        if (problem := _certificate_problem(error)) is not None:
            remedy = "name its certificate authority in spec.prefetch.caConfigMapKeyRef"
            return self._failed(f"cannot be fetched: the server's certificate is not trusted ({problem}): {remedy}")
        match error:
            case httpx.TooManyRedirects():
                return self._failed(f"redirects more than {MAX_REDIRECTS} times: correct spec.model.source.url")
            case httpx.TimeoutException():
                return self._transient(f"sent nothing for {self._stall_seconds:g} s")
            case httpx.ProtocolError():  # its text may quote what was sent
                return self._transient(f"did not answer in HTTP: {type(error).__name__}")
            case _:
                return self._transient(f"could not be reached: {error}")

    def _failed(self, problem: str) -> FetchError:
        return FetchError(DOWNLOAD_FAILED, f"{self.name} {problem}")

    def _transient(self, problem: str, retry_after_seconds: float = 0.0) -> TransientFetchError:
        return TransientFetchError(DOWNLOAD_FAILED, f"{self.name} {problem}", retry_after_seconds=retry_after_seconds)


def _follow_redirects(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Returns the first response that is no redirect, its body unread.

    httpx builds each request, without credentials for another origin. Its own `follow_redirects` would read the body of
    every redirect into memory, and a hostile one has no end; it takes `ws://` for a web server, `[` for a host's name,
    and any number for a port. Raises ValueError for such an address, httpx.InvalidURL, and httpx.HTTPError.
    """
    for _ in range(MAX_REDIRECTS + 1):
        response = client.send(request, stream=True)
        if response.next_request is None:
            return response
        response.close()
        request = response.next_request
        _ = urlsplit(response.headers["Location"]).port
        if request.url.scheme not in ("http", "https"):
            raise ValueError(f"{request.url.scheme}:// is neither http:// nor https://")
    raise httpx.TooManyRedirects("", request=request)


def _bare_domains_without_proxy() -> dict[str, None]:
    """Mounts for `.example.com` in NO_PROXY, which curl and urllib take for example.com too, and httpx does not."""
    names = (name.strip() for name in getproxies().get("no", "").split(","))
    return {f"all://{name.lstrip('.')}": None for name in names if name.strip(".") and name.startswith(".")}


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Trusts the system's certificate authorities, and those in `ca_file`; raises FetchError."""
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            fields = "spec.prefetch.caConfigMapKeyRef, or spec.model.source.caConfigMapKeyRef,"
            message = f"{fields} holds no certificate in PEM ({type(error).__name__})"
            raise FetchError(DOWNLOAD_FAILED, message) from None
    return context


def _certificate_problem(error: BaseException | None) -> str | None:
    """OpenSSL's reason why a certificate is not trusted, where `error` comes from it; None: it is another error."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__context__  # not __cause__, which httpcore's pool sets to None
    return error and error.verify_message


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(NUMBER, text) else None


def _validator(response: httpx.Response) -> str | None:
    """The value for If-Range: a strong ETag, else the date; None where there is none, or none that can be sent.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
    """
    tag = response.headers.get("ETag")
    found = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
    return found if found and found.isascii() else None  # httpx sends ASCII alone


def _error_code(response: httpx.Response) -> str:
    """The server's own code for the error: the hub's, or from the start of the body S3's or a registry's; empty: there
    is none."""
    if code := response.headers.get("X-Error-Code"):
        return code if re.fullmatch(r"\w{1,64}", code, re.ASCII) else ""
    try:
        found = ERROR_CODE.search(next(response.iter_raw(4096), b""))
    except httpx.HTTPError:
        return ""
    return (found[1] or found[2]).decode() if found else ""
