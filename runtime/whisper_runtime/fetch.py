"""Puts a checkpoint into the cache: verified, and under its name only once it is complete."""

from __future__ import annotations

import errno
import hashlib
import http.client
import logging
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

from whisper_runtime.contract import FetchReport, RuntimeConfig, checkpoint_path, expected_sha256

BLOCK: Final = 1 << 20
TIMEOUT_SECONDS: Final = 60
"""Without a byte for so long, the server counts as gone."""
LARGEST: Final = 16 * 1024**3
"""Bytes; the largest checkpoint that OpenAI publishes has 3 GB."""
LOG_EVERY: Final = 256 * 1024**2

log = logging.getLogger(__name__)


class FetchError(Exception):
    """The checkpoint was not obtained; `reason` as in FetchReport."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def fetch(config: RuntimeConfig) -> FetchReport:
    """Downloads the configured model unless it is there already; says what came of it, and raises nothing."""
    digest = expected_sha256(config.model, config.model_sha256)
    if digest is None:
        message = f"model {config.model!r} is none of openai-whisper's: give a URL and its sha256"
        return FetchReport(model=config.model, reason="UnknownModel", message=message)
    target = Path(checkpoint_path(config.model_dir, config.model, config.model_sha256))
    try:
        if target.exists() and _sha256(target) == digest:
            reason, message = "AlreadyCached", f"{config.model} is in the cache already, and its sha256 is right"
        else:
            url = config.model_url or _official_url(config.model)
            _download(url, target, digest)
            reason, message = "Fetched", f"{config.model} was fetched from {_shown(url)}, and its sha256 is right"
    except FetchError as error:
        return FetchReport(model=config.model, reason=error.reason, message=str(error))
    size = target.stat().st_size
    return FetchReport(model=config.model, reason=reason, message=message, digest=digest, bytes=size)


def _official_url(model: str) -> str:
    """openai-whisper's own address for a name (`whisper._MODELS`)."""
    import whisper  # torch takes seconds to import, and a given URL has no use for it

    urls: dict[str, str] = whisper._MODELS  # pyright: ignore[reportPrivateUsage]
    return urls[model]


def _download(url: str, target: Path, digest: str) -> None:
    partial = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _failure(url, target, error) from None
    try:
        with partial.open("wb") as file:
            found = _copy(url, file)
            os.fsync(file.fileno())
        if found != digest:
            raise FetchError(
                "ChecksumMismatch",
                f"{_shown(url)} has sha256 {found}, but {digest} was expected: correct the digest or the URL",
            )
        partial.rename(target)
    except (OSError, http.client.HTTPException) as error:
        raise _failure(url, target, error) from None
    finally:
        partial.unlink(missing_ok=True)


def _copy(url: str, file: IO[bytes]) -> str:
    """Writes what `url` serves into `file`; its sha256 in hex."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise FetchError("DownloadFailed", f"{_shown(url)}: only http:// and https:// can be fetched")
    if "@" in parts.netloc:
        raise FetchError("DownloadFailed", f"{_shown(url)}: the URL holds credentials, which are not sent: remove them")
    digest, done = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
        total = int(response.headers.get("Content-Length") or 0)
        if total > shutil.disk_usage(Path(file.name).parent).free:
            raise OSError(errno.ENOSPC, f"{total} bytes do not fit")
        while block := response.read(BLOCK):
            file.write(block)
            digest.update(block)
            if done // LOG_EVERY != (done := done + len(block)) // LOG_EVERY:
                log.info("fetching: %d of %d MB", done // 10**6, total // 10**6)
            if done > LARGEST:
                raise FetchError("DownloadFailed", f"{_shown(url)} is larger than {LARGEST} bytes: no checkpoint is")
    if total and done != total:
        raise FetchError("DownloadFailed", f"{_shown(url)} ended after {done} of {total} bytes: try again")
    return digest.hexdigest()


def _failure(url: str, target: Path, error: OSError | http.client.HTTPException) -> FetchError:
    """What an error means here: urllib's are among them."""
    if not isinstance(error, OSError):
        return FetchError("DownloadFailed", f"{_shown(url)} did not answer in HTTP: {type(error).__name__}")
    if error.errno == errno.ENOSPC:
        return FetchError("NoSpace", f"{target.parent} is full: raise spec.cache.size")
    if isinstance(error, urllib.error.HTTPError):
        return FetchError("DownloadFailed", f"{_shown(url)} answered {error.code} {error.reason}")
    if error.errno in (errno.EACCES, errno.EROFS):
        return FetchError("DownloadFailed", f"{target.parent} cannot be written: {error.strerror}")
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return FetchError("DownloadFailed", f"{_shown(url)} could not be fetched: {reason}")


def _shown(url: str) -> str:
    """`url` without what may be secret: user, password, query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
