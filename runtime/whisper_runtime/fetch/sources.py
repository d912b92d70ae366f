"""The source that a configuration names, by the scheme of its URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.credentials import authorization, read
from whisper_runtime.fetch.errors import FetchError, redacted
from whisper_runtime.fetch.source import CheckpointSource
from whisper_runtime.fetch.source_claim import ClaimSource
from whisper_runtime.fetch.source_http import HttpSource
from whisper_runtime.fetch.source_s3 import check_object, object_address


def source_of(config: RuntimeConfig, stall_seconds: float, claim_dir: str) -> CheckpointSource:
    """Returns the source of `config.model`; `claim_dir` is where a pvc:// URL's claim is mounted. Raises FetchError."""
    url = config.model_url or official_url(config.model)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise FetchError(DOWNLOAD_FAILED, f"spec.model.source.url is not a valid URL: {error}") from None
    if "@" in parts.netloc:
        message = "the URL holds credentials, which are not sent: put them into spec.model.source.secretRef"
        raise FetchError(DOWNLOAD_FAILED, f"{redacted(url)}: {message}")
    credentials, ca_file = read(config.model_credentials_dir), config.model_ca_file
    match parts.scheme:
        case "http" | "https":
            return HttpSource(redacted(url), lambda: url, authorization(credentials), ca_file, stall_seconds)
        case "s3":
            check_object(url, credentials)
            return HttpSource(url, lambda: object_address(url, credentials), None, ca_file, stall_seconds)
        case "pvc":
            return ClaimSource(url, Path(claim_dir))
        case _:
            message = "only http://, https://, s3:// and pvc:// can be fetched"
            raise FetchError(DOWNLOAD_FAILED, f"{redacted(url)}: {message}")


def official_url(model: str) -> str:
    """Returns openai-whisper's own address of a model (`whisper._MODELS`); raises KeyError for an unknown name."""
    import whisper  # torch takes seconds to import, and a given URL has no use for it

    urls: dict[str, str] = whisper._MODELS  # pyright: ignore[reportPrivateUsage]
    return urls[model]
