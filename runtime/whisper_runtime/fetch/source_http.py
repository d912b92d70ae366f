"""A file on a web server: resumable, through the environment's proxies, trusting a private CA where one is given."""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import IO, Final
from urllib.parse import urlsplit

from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.errors import FetchError, Interrupted
from whisper_runtime.fetch.partial import BLOCK
from whisper_runtime.fetch.source import Body

PASSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that say: later."""
LONGEST_WAIT_SECONDS: Final = 60.0
LONGEST_REASON: Final = 100
"""Characters of a server's own words that are told."""
NUMBER: Final = "[0-9]{1,18}"
"""In a header; Python takes other scripts' digits for some, and refuses to read thousands."""
REMEDIES: Final = {
    401: "put credentials that it accepts into spec.model.source.secretRef",
    403: "put credentials that may read it into spec.model.source.secretRef",
    404: "correct spec.model.source.url",
    410: "correct spec.model.source.url",
}
WEB_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})


class WebFile:
    """An address is asked for before each attempt, for a presigned one expires."""

    def __init__(
        self,
        name: str,
        address: Callable[[], str],
        authorization: str | None,
        ca_file: str | None,
        stall_seconds: float,
    ) -> None:
        self.name = name
        self._address = address
        self._authorization = authorization
        self._stall_seconds = stall_seconds
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=_trusting(ca_file)), KeepCredentialsAtHome()
        )

    @contextmanager
    def open(self, offset: int, tag: str | None) -> Generator[Body, None, None]:
        with self._answer(offset, tag) as response:
            if response.headers.get_content_type() in WEB_PAGES:
                message = "answered with a web page, no checkpoint: is a login or a proxy in between?"
                raise FetchError(DOWNLOAD_FAILED, f"{self.name} {message}")
            start, total = self._extent(response, offset)
            yield Body(start, total, _validator(response), self._blocks(response))

    def _answer(self, offset: int, tag: str | None) -> http.client.HTTPResponse:
        request = urllib.request.Request(self._address(), headers={"User-Agent": "whisper-runtime"})
        if self._authorization:
            request.add_unredirected_header("Authorization", self._authorization)
        if offset:
            request.add_header("Range", f"bytes={offset}-")
            if tag:
                request.add_header("If-Range", tag)
        try:
            return self._opener.open(request, timeout=self._stall_seconds)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 416 and offset:  # what is there is longer than what the server has
                    return self._answer(0, None)
                raise self._refused(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error) from None
        except ValueError as error:  # a redirect to what is no URL
            raise FetchError(DOWNLOAD_FAILED, f"{self.name} leads to no address: {error}") from None

    def _extent(self, response: http.client.HTTPResponse, offset: int) -> tuple[int, int | None]:
        """Where the body begins, and how long the whole file is.

        Source: https://www.rfc-editor.org/rfc/rfc9110#section-14.4
        """
        if response.status == 206:
            found = re.fullmatch(rf"bytes ({NUMBER})-{NUMBER}/({NUMBER}|\*)", response.headers.get("Content-Range", ""))
            if found is None or int(found[1]) != offset:
                raise FetchError(DOWNLOAD_FAILED, f"{self.name} answered with another range than was asked for")
            return offset, None if found[2] == "*" else int(found[2])
        return 0, _number(response.headers.get("Content-Length", ""))

    def _blocks(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        while True:
            try:
                block = response.read1(BLOCK)
            except (OSError, http.client.HTTPException) as error:
                raise self._broken(error) from None
            if not block:
                return
            yield block

    def _refused(self, error: urllib.error.HTTPError) -> FetchError:
        message = f"{self.name} answered {error.code} {str(error.reason)[:LONGEST_REASON]}{_s3_code(error)}"
        if error.code in PASSES:
            seconds = _number(error.headers.get("Retry-After", "")) or 0
            return Interrupted(DOWNLOAD_FAILED, message, after=min(float(seconds), LONGEST_WAIT_SECONDS))
        remedy = REMEDIES.get(error.code)
        return FetchError(DOWNLOAD_FAILED, f"{message}: {remedy}" if remedy else message)

    def _broken(self, error: OSError | http.client.HTTPException) -> FetchError:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(cause, ssl.SSLCertVerificationError):
            message = f"{self.name}: the server's certificate is not trusted ({cause.verify_message})"
            return FetchError(DOWNLOAD_FAILED, f"{message}: name your certificate authority in spec.model.source.caRef")
        if isinstance(cause, TimeoutError):
            return Interrupted(DOWNLOAD_FAILED, f"{self.name} sent nothing for {self._stall_seconds:g} s")
        if isinstance(cause, http.client.HTTPException):
            return Interrupted(DOWNLOAD_FAILED, f"{self.name} did not answer in HTTP: {type(cause).__name__}")
        return Interrupted(DOWNLOAD_FAILED, f"{self.name} could not be reached: {cause}")


class KeepCredentialsAtHome(urllib.request.HTTPRedirectHandler):
    """Follows to web servers alone, and gives the credentials to no other host than the one they are for."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        there, here = urlsplit(newurl), urlsplit(req.full_url)
        if there.scheme not in ("http", "https"):
            raise urllib.error.HTTPError(req.full_url, code, f"leads to {there.scheme}://", headers, fp)
        found = super().redirect_request(req, fp, code, msg, headers, newurl)
        if found is not None and (there.scheme, there.netloc) == (here.scheme, here.netloc):
            for name, value in req.unredirected_hdrs.items():
                found.add_unredirected_header(name, value)
        return found


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    """The system's certificate authorities, and those in `ca_file`; raises FetchError."""
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            message = f"spec.model.source.caRef holds no certificate in PEM ({type(error).__name__})"
            raise FetchError(DOWNLOAD_FAILED, message) from None
    return context


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(NUMBER, text) else None


def _validator(response: http.client.HTTPResponse) -> str | None:
    """What If-Range may carry: a strong ETag, else the date.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
    """
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _s3_code(error: urllib.error.HTTPError) -> str:
    """S3's own word for what is wrong, from the start of its answer."""
    try:
        found = re.search(rb"<Code>(\w{1,64})</Code>", error.read(4096))
    except (OSError, http.client.HTTPException):
        return ""
    return f" ({found[1].decode()})" if found else ""
