"""The source that a configuration names, by the scheme of its URL."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch import source_hub as hub
from whisper_runtime.fetch.credentials import authorization, read
from whisper_runtime.fetch.errors import FetchError, redacted
from whisper_runtime.fetch.one_model import CheckpointFiles
from whisper_runtime.fetch.source import CheckpointSource
from whisper_runtime.fetch.source_claim import ClaimSource
from whisper_runtime.fetch.source_http import HttpSource
from whisper_runtime.fetch.source_oci import OciSource
from whisper_runtime.fetch.source_s3 import ENDPOINT, REGION, check_object, object_address


def source_of(config: RuntimeConfig, stall_seconds: float, claim_dir: str, wanted: CheckpointFiles) -> CheckpointSource:
    """Returns the source of `config.model`; `claim_dir` is where a pvc:// URL's claim is mounted, and `wanted` is what
    is looked for in a repository. Raises FetchError.
    """
    if config.model_url_file:
        return _held_source(Path(config.model_url_file), config.model_ca_file, stall_seconds)
    url = config.model_url or official_url(config.model)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise FetchError(DOWNLOAD_FAILED, f"spec.model.source.url is not a valid URL: {error}") from None
    if "@" in parts.netloc and parts.scheme != "hf":
        message = "the URL holds credentials, which are not sent: put them into spec.model.source.secretRef"
        raise FetchError(DOWNLOAD_FAILED, f"{redacted(url)}: {message}")
    credentials, ca_file = read(config.model_credentials_dir), config.model_ca_file
    match parts.scheme:
        case "http" | "https":
            return HttpSource(redacted(url), lambda: url, authorization(credentials), ca_file, stall_seconds)
        case "s3":
            credentials |= {
                name: value
                for name, value in ((REGION, config.model_s3_region), (ENDPOINT, config.model_s3_endpoint))
                if value
            }
            check_object(url, credentials)
            return HttpSource(url, lambda: object_address(url, credentials), None, ca_file, stall_seconds)
        case "hf":
            endpoint = config.model_hub_endpoint or os.environ.get(hub.ENDPOINT) or hub.HUB
            return hub.HubSource(url, endpoint, authorization(credentials), ca_file, stall_seconds, wanted)
        case "oci":
            return OciSource(url, config.model_registry_endpoint, credentials, ca_file, stall_seconds, wanted)
        case "pvc":
            return ClaimSource(url, Path(claim_dir))
        case _:
            message = "only http://, https://, s3://, hf://, oci:// and pvc:// can be fetched"
            raise FetchError(DOWNLOAD_FAILED, f"{redacted(url)}: {message}")


def _held_source(file: Path, ca_file: str | None, stall_seconds: float) -> HttpSource:
    """Returns the source whose URL the file holds, read again before each attempt, for a presigned one is renewed.

    Messages name its host alone: any other part may be what lets in. Raises FetchError.
    """
    return HttpSource(f"{_origin(_held_url(file))}/…", lambda: _held_url(file), None, ca_file, stall_seconds)


def _held_url(file: Path) -> str:
    """Returns the URL in the file; raises FetchError, which does not repeat it."""
    field = "spec.model.source.urlSecretKeyRef"
    try:
        url = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FetchError(DOWNLOAD_FAILED, f"{field}: the key cannot be read ({type(error).__name__})") from None
    if not re.fullmatch("https?://[!-.0-?A-~]+(/[!-~]*)?", url):
        message = f"{field}: the key holds no https:// or http:// URL without user and password"
        raise FetchError(DOWNLOAD_FAILED, message)
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise FetchError(DOWNLOAD_FAILED, f"{field}: the key holds no valid URL") from None
    return url


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def official_url(model: str) -> str:
    """Returns openai-whisper's own address of a model (`whisper._MODELS`); raises KeyError for an unknown name."""
    import whisper  # torch takes seconds to import, and a given URL has no use for it

    urls: dict[str, str] = whisper._MODELS  # pyright: ignore[reportPrivateUsage]
    return urls[model]
